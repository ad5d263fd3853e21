import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createPaymentStore, type PaymentStore } from './payment-store.ts'
import { createUntoldStore, type UntoldStore } from './untold-store.ts'

let database: TestDatabase
let payments: PaymentStore
let untold: UntoldStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const log = createLog('payments', 'silent')
  const sidecar = { publish: async () => new Set<string>() }
  payments = createPaymentStore(db, createOutbox({ name: 'payments', db, sidecar, log }))
  untold = createUntoldStore(db)
})
after(() => database.drop())

const captured = async () => {
  const asked = { id: newId(), orderId: newId(), accountId: newId(), amount: 4800, currency: 'USD' }
  await payments.open(asked)
  await payments.capture(asked.id, 'ch_1')
  return { paymentId: asked.id, orderId: asked.orderId }
}
/** Seconds until orders is asked; null when it knows. */
const asksIn = async ({ paymentId }: { paymentId: string }): Promise<number | null> => {
  const [[row]] = await database.db.raw(
    'SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), ask_at) / 1000000 AS seconds FROM payments WHERE id = ?',
    [paymentId],
  )
  return row.seconds === null ? null : Math.round(row.seconds)
}
const set = ({ paymentId }: { paymentId: string }, columns: object) =>
  database.db('payments').where({ id: paymentId }).update(columns)
const secondsAgo = (seconds: number) => database.db.raw('NOW(3) - INTERVAL ? SECOND', [seconds])

test('a capture is asked about ten seconds later, until orders knows of it', async () => {
  const [first, second] = [await captured(), await captured()]
  assert.deepEqual([await asksIn(first), await untold.due(10)], [10, []])
  await set(first, { ask_at: secondsAgo(1) })
  await set(second, { ask_at: secondsAgo(2) })
  assert.deepEqual(await untold.due(10), [second, first])
  assert.deepEqual(await untold.due(1), [second])
  await untold.told([first.paymentId])
  assert.deepEqual([await asksIn(first), await untold.due(10)], [null, [second]])
  await untold.told([second.paymentId])
})

test('what is not captured, or is on its way back, is not asked about', async () => {
  const [due, declined] = [await captured(), { paymentId: newId(), orderId: newId() }]
  const { paymentId: id, orderId } = declined
  await payments.open({ id, orderId, accountId: newId(), amount: 1, currency: 'USD' })
  for (const each of [due, declined]) await set(each, { ask_at: secondsAgo(1) })
  await payments.demandRefundsNow([due.paymentId])
  assert.deepEqual(await untold.due(10), [])
  await payments.decline(id, 'late')
  assert.deepEqual(await untold.due(10), [])
})

test('what orders does not know is asked about ever more seldom', async () => {
  const waited = [0, 60, 86_400]
  const all = await Promise.all(waited.map(captured))
  for (const [n, each] of all.entries()) await set(each, { created_at: secondsAgo(waited[n] as number) })
  await untold.askLater(all.map(({ paymentId }) => paymentId))
  assert.deepEqual(await Promise.all(all.map(asksIn)), [10, 60, 600])
})

test('captures of which orders may not know are read in the order of an index', async () => {
  const rows = Array.from({ length: 6000 }, (_, n) => ({
    ...{ id: newId(), order_id: newId(), account_id: newId(), amount: 1, currency: 'USD' },
    status: n % 3 === 0 ? 'refunded' : 'captured',
    ask_at: n % 30 === 1 ? new Date(n) : null,
  }))
  await fill(database.db, 'payments', rows)
  const [step] = await plansOf(database.db, () => untold.due(100))
  assert.partialDeepStrictEqual(step, { table: 'payments', key: 'asking', type: 'range' })
  assert.doesNotMatch(String(step?.Extra), /filesort/)
})
