import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createPartialRefundStore, type PartialRefundStore } from './partial-refund-store.ts'
import { createPaymentStore, type DueRefund, type PaymentStore } from './payment-store.ts'

let database: TestDatabase
let payments: PaymentStore
let parts: PartialRefundStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'payments', db, sidecar, log: createLog('payments', 'silent') })
  payments = createPaymentStore(db, outbox)
  parts = createPartialRefundStore(db, outbox, payments)
})
after(() => database.drop())

const captured = async (amount = 4800) => {
  const payment = { id: newId(), orderId: newId(), accountId: newId(), amount, currency: 'USD' }
  await payments.open(payment)
  await payments.capture(payment.id, `ch_${payment.id}`)
  return payment
}
const part = (paymentId: string, amount: number) => ({ id: newId(), paymentId, amount })
const leased = async (paymentId: string): Promise<DueRefund[]> =>
  (await parts.lease(1000)).filter((refund) => refund.paymentId === paymentId)
const givenBack = async (orderId: string) =>
  (await payments.ledgerOf(orderId))
    .filter(({ account, amount }) => account === 'provider' && amount < 0)
    .map(({ amount }) => -amount)
    .sort((a, b) => a - b)
const count = <T>(values: readonly T[], value: T) => values.filter((each) => each === value).length

test('fifty demands of one refund at once take its sum once, and it is settled once', async () => {
  const { id, orderId } = await captured()
  const refund = part(id, 1200)
  const became = await Promise.all(Array.from({ length: 50 }, () => parts.demandNow(refund)))
  assert.deepEqual(became, Array(50).fill('due'))
  assert.equal((await payments.find(id))?.partlyRefunded, 1200)
  const due = (await Promise.all([leased(id), leased(id), leased(id)])).flat()
  assert.deepEqual(due, [{ id: refund.id, paymentId: id, chargeId: `ch_${id}`, amount: 1200 }])
  await Promise.all(Array.from({ length: 5 }, () => parts.settle(refund)))
  assert.equal(await parts.demandNow(refund), 'done')
  assert.deepEqual(await givenBack(orderId), [1200])
  const told = await database.db('outbox').where({ event_key: orderId }).orderBy('seq').pluck('topic')
  assert.deepEqual(told, ['payment.captured', 'payment.partly-refunded'])
})

test('fifty refunds at once of a payment that has room for seven: seven are due, and not a cent more', async () => {
  const { id } = await captured(4800)
  const became = await Promise.all(Array.from({ length: 50 }, () => parts.demandNow(part(id, 650))))
  assert.deepEqual([count(became, 'due'), count(became, 'refused')], [7, 43])
  assert.equal((await payments.find(id))?.partlyRefunded, 4550)
  assert.equal(await parts.demandNow(part(id, 251)), 'refused')
  assert.equal(await parts.demandNow(part(id, 250)), 'due')
})

test('a refund of the payment itself is of the rest, and ends what can be asked for', async () => {
  const { id, orderId } = await captured()
  const refund = part(id, 1800)
  await parts.demandNow(refund)
  assert.equal((await payments.demandRefundsNow([id]))[0]?.status, 'refund-due')
  assert.equal(await parts.demandNow(part(id, 1)), 'refused')
  const rest = (await payments.leaseRefunds(1000)).find(({ paymentId }) => paymentId === id)
  assert.equal(rest?.amount, 3000)
  await payments.settleRefund(String(rest?.id), id)
  await parts.settle(refund)
  assert.deepEqual(await givenBack(orderId), [1800, 3000])
})

test('what is not captured gives nothing back, and a refund’s id stands for one sum', async () => {
  const open = { id: newId(), orderId: newId(), accountId: newId(), amount: 4800, currency: 'USD' }
  await payments.open(open)
  assert.equal(await parts.demandNow(part(open.id, 1)), 'refused')
  assert.equal(await parts.demandNow(part(newId(), 1)), 'refused')
  const { id } = await captured()
  const refund = part(id, 1200)
  await parts.demandNow(refund)
  assert.equal(await parts.demandNow({ ...refund, amount: 1300 }), 'refused')
})

test('due refunds are read in the order of an index, each with its payment by id', async () => {
  const { id } = await captured()
  const rows = Array.from({ length: 2000 }, (_, n) => ({
    ...{ id: newId(), payment_id: id, amount: 1, done: n % 50 !== 0, next_attempt_at: new Date(n) },
  }))
  await fill(database.db, 'partial_refunds', rows)
  const steps = await plansOf(database.db, () => parts.lease(20))
  assert.partialDeepStrictEqual(steps, [
    { table: 'r', key: 'due' },
    { table: 'p', key: 'PRIMARY', type: 'eq_ref' },
  ])
  assert.doesNotMatch(String(steps[0]?.Extra), /filesort/)
})
