import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createInvoiceStore, type Draft } from './invoice-store.ts'
import { credit, invoice } from './invoices/fixture.ts'
import { createInvoicingStore } from './invoicing-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
let database: TestDatabase
before(async () => {
  database = await createTestDatabase(migrations)
})
after(() => database.drop())

const zone = 'Europe/Warsaw'
const newCode = () => createInvoicingStore(database.db).newCode()
const draft = (document: Draft['document'] = invoice): Draft => {
  const orderId = newId()
  return { subject: orderId, orderId, document }
}
const numbersOf = async (series: string): Promise<number[]> =>
  database.db('invoices').where('series', 'like', series).orderBy('position').pluck('position')
const issuedIn = async (series: string): Promise<number[]> =>
  database.db('invoice_series').where('series', 'like', series).pluck('issued')
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test('a hundred documents, each issued twice at once while connections die, have the numbers from 1 to 100', async () => {
  const replicas = upTo(4).map(() => createInvoiceStore(database.open({ size: 6 }), newCode))
  const drafts = upTo(100).map(() => draft())
  let deaths = 0
  let over = false
  const persist = async (work: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        return await work()
      } catch {
        deaths += 1
      }
    }
  }
  const killer = async (): Promise<void> => {
    for (let kills = 0; kills < 60 && !over; kills += 1) {
      const [rows] = await database.db.raw(
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Sleep' ORDER BY RAND() LIMIT 1",
      )
      if (rows[0]) await database.db.raw('KILL CONNECTION ?', [rows[0].id]).catch(() => undefined)
      await sleep(5)
    }
  }
  const killing = killer()
  await Promise.all(
    drafts.flatMap((each, index) =>
      [0, 1].map((shift) =>
        persist(() => (replicas[(index + shift) % 4] as (typeof replicas)[0]).issue([each], zone)),
      ),
    ),
  )
  over = true
  await killing
  assert.ok(deaths > 0, 'no transaction died')
  assert.deepEqual(await numbersOf('2%'), upTo(100))
  assert.deepEqual(await issuedIn('2%'), [100])
})

test('credit notes count by themselves; a document that is there keeps its number, among new ones too', async () => {
  const store = createInvoiceStore(database.db, newCode)
  const first = draft({ ...invoice, ...credit })
  await store.issue([first], zone)
  await store.issue([first, draft({ ...invoice, ...credit })], zone)
  assert.deepEqual(await numbersOf('C-%'), [1, 2])
  const [told] = await store.ofOrder(first.orderId)
  assert.match(told?.document.number ?? '', /^C-20\d\d-1-000001$/)
  assert.match(told?.document.issuedOn ?? '', /^20\d\d-\d\d-\d\d$/)
  assert.deepEqual(told?.document.lines, invoice.lines)
})

test('what fails leaves no number behind', async () => {
  const store = createInvoiceStore(database.db, newCode)
  const before = await issuedIn('2%')
  const twins = draft()
  await assert.rejects(store.issue([draft(), twins, twins], zone), { code: 'ER_DUP_ENTRY' })
  assert.deepEqual(await issuedIn('2%'), before)
  assert.deepEqual(await numbersOf('2%'), upTo(before[0] as number))
})
