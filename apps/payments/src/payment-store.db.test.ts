import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createPaymentStore, type PaymentStore } from './payment-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
let database: TestDatabase
let payments: PaymentStore

before(async () => {
  database = await createTestDatabase(migrations)
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  payments = createPaymentStore(
    db,
    createOutbox({ name: 'payments', db, sidecar, log: createLog('payments', 'silent') }),
  )
})
after(() => database.drop())

const many = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work))
const request = (orderId = newId()) => ({
  ...{ id: newId(), orderId, accountId: newId() },
  ...{ amount: 4800, currency: 'USD' },
})
const opened = async (orderId?: string) => {
  const asked = request(orderId)
  assert.equal(await payments.open(asked), undefined)
  return asked
}
/** What a payment is after a demand, if it is there. */
const demandRefund = async (id: string) =>
  (await transaction(database.db, (tx) => payments.demandRefunds(tx, [id])))[0]?.status
const ledger = async (orderId: string) =>
  (await payments.ledgerOf(orderId)).map(({ transactionId, account, amount }) => [
    transactionId,
    account,
    amount,
  ])
const facts = async (orderId: string): Promise<string[]> =>
  database.db('outbox').where({ event_key: orderId }).orderBy('seq').pluck('topic')
const lease = async (paymentId: string) =>
  (await payments.leaseRefunds(100)).find((refund) => refund.paymentId === paymentId)

test('twenty payments of one order at once: one is opened, and all get that one', async () => {
  const orderId = newId()
  const found = await many(20, () => payments.open(request(orderId)))
  const [only, ...more] = await payments.ofOrder(orderId)
  assert.deepEqual(more, [])
  assert.deepEqual(
    found.filter((payment) => payment !== undefined),
    Array.from({ length: 19 }, () => only),
  )
})

test('a payment that is opened again under its id is the same', async () => {
  const asked = await opened()
  assert.partialDeepStrictEqual(await payments.open(asked), { ...asked, status: 'processing' })
  assert.equal((await payments.ofOrder(asked.orderId)).length, 1)
})

test('captured three times, and ten times at once: one transaction in the ledger, one event', async () => {
  const { id, orderId } = await opened()
  for (let n = 0; n < 3; n += 1) await payments.capture(id, 'ch_1')
  await many(10, () => payments.capture(id, 'ch_1'))
  assert.deepEqual(await ledger(orderId), [
    [id, 'customers', -4800],
    [id, 'provider', 4800],
  ])
  assert.deepEqual(await facts(orderId), ['payment.captured'])
})

test('a payment that nobody knows is not captured', async () => {
  assert.equal(await payments.capture(newId(), 'ch_1'), undefined)
})

test('a declined payment frees its order for another', async () => {
  const first = await opened()
  await payments.decline(first.id, 'insufficient_funds')
  assert.partialDeepStrictEqual(await payments.find(first.id), {
    ...{ status: 'declined', declineCode: 'insufficient_funds' },
  })
  const next = await opened(first.orderId)
  assert.equal((await payments.find(next.id))?.status, 'processing')
})

test('declined, then captured after all: the money is in the ledger, and the decline is forgotten', async () => {
  const { id, orderId } = await opened()
  await payments.decline(id, 'provider_unreachable')
  await payments.capture(id, 'ch_1')
  const payment = await payments.find(id)
  assert.deepEqual([payment?.status, payment?.declineCode], ['captured', undefined])
  assert.equal((await ledger(orderId)).length, 2)
  assert.deepEqual(await facts(orderId), ['payment.captured'])
})

test('captured, then declined: it stays captured', async () => {
  const { id } = await opened()
  await payments.capture(id, 'ch_1')
  await payments.decline(id, 'late')
  assert.equal((await payments.find(id))?.status, 'captured')
})

test('a refund is demanded once, leased by one, and settled once, whoever repeats it', async () => {
  const { id, orderId } = await opened()
  await payments.capture(id, 'ch_7')
  assert.deepEqual(await many(5, () => demandRefund(id)), Array(5).fill('refund-due'))
  assert.equal((await database.db('refunds').where({ payment_id: id })).length, 1)
  const leased = (await many(5, () => lease(id))).filter((refund) => refund !== undefined)
  assert.equal(leased.length, 1)
  assert.partialDeepStrictEqual(leased[0], { paymentId: id, chargeId: 'ch_7', amount: 4800 })
  const refundId = String(leased[0]?.id)
  await many(5, () => payments.settleRefund(refundId, id))
  assert.equal((await payments.find(id))?.status, 'refunded')
  assert.deepEqual(await ledger(orderId), [
    [id, 'customers', -4800],
    [id, 'provider', 4800],
    [refundId, 'customers', 4800],
    [refundId, 'provider', -4800],
  ])
  assert.deepEqual(await facts(orderId), ['payment.captured', 'payment.refunded'])
  assert.equal(await demandRefund(id), 'refunded')
  assert.equal(await lease(id), undefined)
  assert.deepEqual(await facts(orderId), ['payment.captured', 'payment.refunded'])
})

test('refunds are demanded together: each captured payment’s, and no other’s', async () => {
  const [captured, declined, processing] = [await opened(), await opened(), await opened()]
  await payments.capture(captured.id, 'ch_9')
  await payments.decline(declined.id, 'insufficient_funds')
  const found = await payments.demandRefundsNow([newId(), captured.id, declined.id, processing.id])
  assert.deepEqual(
    new Map(found.map(({ id, status }) => [id, status])),
    new Map([
      [captured.id, 'refund-due'],
      [declined.id, 'declined'],
      [processing.id, 'processing'],
    ]),
  )
  for (const { id, status } of found) assert.equal((await payments.find(id))?.status, status)
  assert.ok(await lease(captured.id))
  for (const { id } of [declined, processing]) assert.equal(await lease(id), undefined)
})

test('a refund that did not succeed is due again after its lease', async () => {
  const { id } = await opened()
  await payments.capture(id, 'ch_8')
  await demandRefund(id)
  const first = await lease(id)
  assert.equal(await lease(id), undefined)
  await database
    .db('refunds')
    .where({ payment_id: id })
    .update({ next_attempt_at: new Date(0) })
  assert.deepEqual(await lease(id), first)
})

test('what was never captured is not given back', async () => {
  const { id } = await opened()
  assert.equal(await demandRefund(id), 'processing')
  assert.equal(await demandRefund(newId()), undefined)
  assert.equal(await lease(id), undefined)
})

test('the ledger of one currency sums to zero', async () => {
  const balances = await payments.balances()
  assert.ok(balances.length >= 2)
  assert.equal(
    balances.reduce((sum, { balance }) => sum + balance, 0),
    0,
  )
})

test('the place in the provider’s books is remembered', async () => {
  assert.equal(await payments.cursor.read(), null)
  await payments.cursor.write('ch_9')
  assert.equal(await payments.cursor.read(), 'ch_9')
})

describe('with many rows', () => {
  const busy = newId()
  const known = newId()

  before(async () => {
    const ids = [known, ...Array.from({ length: 5999 }, () => newId())]
    const orders = ids.map((id, n) => (n % 600 === 0 ? busy : id))
    const common = { account_id: newId(), amount: 1, currency: 'USD' }
    await fill(
      database.db,
      'payments',
      ids.map((id, n) => ({
        ...{ ...common, id, order_id: orders[n] },
        status: n % 30 === 0 ? 'processing' : n % 3 === 0 ? 'refunded' : 'captured',
        created_at: new Date(Date.now() - 3_600_000 + n),
      })),
    )
    await fill(
      database.db,
      'refunds',
      ids.map((id, n) => ({ id: newId(), payment_id: id, done: n % 50 !== 0, next_attempt_at: new Date(n) })),
    )
    await fill(
      database.db,
      'ledger_entries',
      ids.map((id, n) => ({
        ...{ transaction_id: id, account: 'provider', order_id: orders[n], amount: 1, currency: 'USD' },
      })),
    )
  })

  const cases: Record<string, [work: () => Promise<unknown>, table: string, key: string]> = {
    'payments without an answer': [() => payments.unanswered(10, 50), 'payments', 'open_payments'],
    'the payments of an order': [() => payments.ofOrder(busy), 'payments', 'of_order'],
    'the ledger of an order': [() => payments.ledgerOf(busy), 'ledger_entries', 'of_order'],
    'a payment': [() => payments.find(known), 'payments', 'PRIMARY'],
  }
  for (const [what, [work, table, key]] of Object.entries(cases)) {
    test(`${what} is read by the index ${key}`, async () => {
      const [step] = await plansOf(database.db, work)
      assert.partialDeepStrictEqual(step, { table, key })
    })
  }

  test('the longest without an answer are read first, not sorted', async () => {
    const [step] = await plansOf(database.db, () => payments.unanswered(10, 50))
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })

  test('due refunds are read in the order of an index, each with its payment by id', async () => {
    const steps = await plansOf(database.db, () => payments.leaseRefunds(20))
    assert.partialDeepStrictEqual(steps, [
      { table: 'r', key: 'due' },
      { table: 'p', key: 'PRIMARY', type: 'eq_ref' },
    ])
    assert.doesNotMatch(String(steps[0]?.Extra), /filesort/)
  })
})
