import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { InvoicingContent } from '@caravan/contracts/invoices'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { refundMoney, settleRefund } from './domain/fulfilment.ts'
import { capture, confirm, place } from './domain/order.ts'
import { plainQuote } from './domain/testing/plain-quote.ts'
import { createFulfilmentStore } from './fulfilment-store.ts'
import { createInvoiceStore, type Issued } from './invoice-store.ts'
import { totalsOf } from './invoices/invoice.ts'
import { createInvoicingStore, type InvoicingStore } from './invoicing-store.ts'
import { createIssueDocuments, type IssueDocuments, type OrderBooks } from './issue-documents.ts'
import { createOrderDocuments } from './order-documents.ts'
import { createOrderStore } from './order-store.ts'

const seller = {
  ...{ name: 'Łucja Żółć', company: 'Karawana Herbat', line1: 'ul. Świętokrzyska 1' },
  ...{ city: 'Łódź', postalCode: '90-001', country: 'PL' as const },
}
const content: InvoicingContent = {
  ...{ seller: { address: seller, registration: '0000123456' }, timeZone: 'Europe/Warsaw', language: 'en' },
  payment: { en: 'Paid by card' },
}
const now = new Date()
const anybodys = () => undefined

let database: TestDatabase
let invoicing: InvoicingStore
let books: OrderBooks
let documents: IssueDocuments
before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const log = createLog('orders', 'silent')
  const outbox = createOutbox({ name: 'orders', db, sidecar: { publish: async () => new Set() }, log })
  invoicing = createInvoicingStore(db)
  const orders = createOrderStore(db, outbox)
  books = {
    ...{ orders, fulfilments: createFulfilmentStore(db, outbox, orders) },
    invoices: createInvoiceStore(db, invoicing.newCode),
  }
  documents = createIssueDocuments(invoicing, log)
})
after(() => database.drop())

const confirmed = async (): Promise<string> => {
  const line = { sku: 'GAIWAN', productId: newId(), title: { en: 'Gaiwan' }, quantity: 3, unitPrice: 999 }
  const shippingAddress = { ...seller, name: '王小明', company: '', phone: '+86 10 1234 5678' }
  const order = { id: newId(), accountId: newId(), quote: plainQuote([line]), shippingAddress }
  const nothing = async () => {}
  await books.orders.insert(place(order, now, 60), () => {}, nothing)
  await books.orders.update(order.id, (each) => capture(each, newId(), now))
  await books.orders.update(order.id, (each) => confirm(each, now))
  return order.id
}
const refunded = async (orderId: string, amount: number, end: 'done' | 'refused'): Promise<string> => {
  const id = newId()
  const { update } = books.fulfilments
  await update(orderId, anybodys, (before) => refundMoney(before, id, { amount }, now))
  await update(orderId, anybodys, (before) => settleRefund(before, id, end))
  return id
}
const sweep = async () => documents.issue(books, await books.invoices.due(100))
const documentsOf = (orderId: string): Promise<Issued[]> =>
  createOrderDocuments([books], documents)(orderId, anybodys)

test('nothing is issued while there is no seller, and all that was sold until then when there is one', async () => {
  const orderId = await confirmed()
  await sweep()
  assert.deepEqual(await documentsOf(orderId), [])
  await invoicing.put(content, () => {})
  await sweep()
  const [told] = await books.invoices.ofOrder(orderId)
  assert.partialDeepStrictEqual(told?.document, {
    ...{ kind: 'invoice', order: orderId, language: 'en', payment: 'Paid by card' },
    seller: { company: 'Karawana Herbat', registration: '0000123456' },
    buyer: { name: '王小明' },
  })
  assert.ok(told && !('phone' in told.document.buyer))
  assert.equal(totalsOf(told.document).gross, 2997)
  assert.deepEqual(await books.invoices.due(100), [])
})

test('each refund that is done has a credit note of its own, one that is refused has none', async () => {
  const orderId = await confirmed()
  const first = await refunded(orderId, 1000, 'done')
  await refunded(orderId, 500, 'refused')
  const second = await refunded(orderId, 7, 'done')
  const [invoice, ...notes] = await documentsOf(orderId)
  assert.deepEqual(notes.map(({ subject }) => subject).sort(), [first, second].sort())
  assert.deepEqual(
    notes.map(({ document }) => [document.corrects?.number, totalsOf(document).gross]).sort(),
    [
      [invoice?.document.number, 1000],
      [invoice?.document.number, 7],
    ],
  )
  assert.deepEqual(await documentsOf(orderId), [invoice, ...notes])
})

test('the sweep and who asks at once: one document each, their numbers without a gap', async () => {
  const orderIds = await Promise.all(Array.from({ length: 30 }, confirmed))
  await Promise.all(orderIds.map((id) => refunded(id, 100, 'done')))
  await Promise.all([sweep(), ...orderIds.map(documentsOf), sweep(), ...orderIds.map(documentsOf)])
  const all = (await Promise.all(orderIds.map(documentsOf))).map((each) => each.length)
  assert.deepEqual(new Set(all), new Set([2]))
  const series = await database.db('invoice_series').orderBy('series').select('series', 'issued')
  assert.equal(series.length, 2)
  for (const { series: name, issued } of series) {
    const positions = await database
      .db('invoices')
      .where({ series: name })
      .orderBy('position')
      .pluck('position')
    assert.deepEqual(
      positions,
      Array.from({ length: issued }, (_, index) => index + 1),
    )
  }
})

test('what cannot be written waits, and keeps no other from its number', async () => {
  const [broken, whole] = [await confirmed(), await confirmed()]
  await database.db.raw("UPDATE orders SET quote = JSON_SET(quote, '$.lines[0].gross', 1) WHERE id = ?", [
    broken,
  ])
  await sweep()
  assert.equal((await books.invoices.ofOrder(whole)).length, 1)
  assert.equal((await books.invoices.ofOrder(broken)).length, 0)
  assert.deepEqual(await books.invoices.due(100), [])
  assert.equal((await books.invoices.dueOf(broken)).length, 1)
})

test('each database has a code of its own, and keeps it', async () => {
  const store = () => createInvoiceStore(database.db, () => assert.fail('it has one'))
  const orderId = await confirmed()
  await documents.issue({ ...books, invoices: store() }, await store().dueOf(orderId))
  assert.match((await store().ofOrder(orderId))[0]?.document.number ?? '', /^20\d\d-1-\d{6}$/)
  assert.deepEqual([await invoicing.newCode(), await invoicing.newCode()], [2, 3])
})

test('every query of many has its index', async () => {
  const { db } = database
  const ids = Array.from({ length: 3000 }, () => newId())
  const series = { series: 'X', document: '{}' }
  await fill(
    db,
    'invoices',
    ids.map((id, index) => ({ ...series, position: index + 1, subject: id, order_id: id })),
  )
  await fill(
    db,
    'documents_due',
    ids.map((id, index) => ({ subject: id, order_id: id, due_at: index % 50 ? '2100-01-01' : now })),
  )
  const some = ids.slice(0, 3)
  const key = async (work: () => Promise<unknown>) => (await plansOf(db, work))[0]?.key
  assert.equal(await key(() => books.invoices.due(100)), 'due')
  assert.equal(await key(() => books.invoices.dueOf(String(some[0]))), 'of_order')
  assert.equal(await key(() => books.invoices.ofOrder(String(some[0]))), 'of_order')
  assert.equal(await key(() => books.invoices.ofSubjects(some)), 'of_subject')
})
