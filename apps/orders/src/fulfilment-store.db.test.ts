import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { cancelUnits, refundMoney, settleRefund, ship } from './domain/fulfilment.ts'
import { capture, confirm, place } from './domain/order.ts'
import { plainQuote } from './domain/testing/plain-quote.ts'
import { createFulfilmentStore, type FulfilmentStore } from './fulfilment-store.ts'
import { createOrderStore, type OrderStore } from './order-store.ts'
import { anybodys } from './whose.ts'

let database: TestDatabase
let orders: OrderStore
let fulfilments: FulfilmentStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'orders', db, sidecar, log: createLog('orders', 'silent') })
  orders = createOrderStore(db, outbox)
  fulfilments = createFulfilmentStore(db, outbox, orders)
})
after(() => database.drop())

const now = new Date()
const sku = 'GAIWAN-WHITE'
const placed = async (quantity: number): Promise<string> => {
  const line = {
    ...{ sku, productId: newId(), title: { en: 'Gaiwan', zh: '盖碗' } },
    ...{ quantity, unitPrice: 100 },
  }
  const shippingAddress = {
    ...{ name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' },
  }
  const order = { id: newId(), accountId: newId(), quote: plainQuote([line]), shippingAddress }
  await orders.insert(
    place(order, now, 60),
    () => {},
    async () => {},
  )
  return order.id
}
const confirmed = async (quantity = 10): Promise<string> => {
  const id = await placed(quantity)
  await orders.update(id, (order) => capture(order, newId(), now))
  await orders.update(id, (order) => confirm(order, now))
  return id
}
const units = (quantity: number) => [{ sku, quantity }]
const parcel = (id = newId(), quantity = 1, trackingNumber = 'JJD0001') => ({
  ...{ id, lines: units(quantity), carrier: 'dhl', trackingNumber },
})
const topics = (orderId: string): Promise<string[]> =>
  database.db('outbox').where({ event_key: orderId }).orderBy('seq').pluck('topic')
const fate = async (works: Promise<unknown>[]) => {
  const results = await Promise.allSettled(works)
  const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'done'))
  return Object.fromEntries(
    Object.entries(Object.groupBy(codes, (code) => code)).map(([code, all]) => [code, all?.length]),
  )
}
const times = <T>(count: number, work: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => work(n))

test('fifty refunds of one line at once, each by another: it is given back once', async () => {
  const id = await confirmed()
  const refund = () =>
    fulfilments.update(id, anybodys, (before) => refundMoney(before, newId(), { lines: units(10) }, now))
  assert.deepEqual(await fate(times(50, refund)), { done: 1, 'orders/more-than-left': 49 })
  assert.equal((await topics(id)).filter((topic) => topic === 'order.refund-requested').length, 1)
})

test('fifty parts of the money at once: as many as there is money for', async () => {
  const id = await confirmed(10)
  const refund = () =>
    fulfilments.update(id, anybodys, (before) => refundMoney(before, newId(), { amount: 90 }, now))
  assert.deepEqual(await fate(times(50, refund)), { done: 11, 'orders/more-than-left': 39 })
  const { fulfilment } = await fulfilments.find(id, anybodys)
  assert.equal(
    fulfilment.refunds.reduce((sum, { amount }) => sum + amount, 0),
    990,
  )
})

test('units are sent or cancelled, not both, whoever is first', async () => {
  const id = await confirmed(10)
  const works = times(20, (n) =>
    fulfilments.update(id, anybodys, (before) =>
      n % 2 === 0 ? ship(before, parcel(), 'all', now) : cancelUnits(before, newId(), units(1), now),
    ),
  )
  assert.deepEqual(await fate(works), { done: 10, 'orders/more-than-open': 10 })
  const { fulfilment } = await fulfilments.find(id, anybodys)
  const [line] = fulfilment.lines
  assert.equal(Number(line?.shipped) + Number(line?.cancelled), 10)
  const rows = await database.db('shipments').where({ order_id: id })
  assert.equal(rows.length, line?.shipped)
})

test('an order that is not confirmed has no fulfilment, nor has one that does not exist', async () => {
  const id = await placed(1)
  const apply = () => fulfilments.update(id, anybodys, (before) => ship(before, parcel(), 'all', now))
  await assert.rejects(apply(), { code: 'orders/not-confirmed' })
  await assert.rejects(fulfilments.find(newId(), anybodys), { code: 'orders/not-found' })
})

test('what fails to be recorded has not happened', async () => {
  const id = await confirmed(1)
  const update = transaction(database.db, async (tx) => {
    await fulfilments.change(tx, id, anybodys, (before) => cancelUnits(before, newId(), units(1), now))
    throw new Error('recorded elsewhere')
  })
  await assert.rejects(update, /recorded elsewhere/)
  assert.deepEqual((await fulfilments.find(id, anybodys)).fulfilment.refunds, [])
  assert.ok(!(await topics(id)).includes('order.refund-requested'))
})

test('a parcel with two orders is found for both, and not among another carrier’s', async () => {
  const [one, two] = [await confirmed(), await confirmed()]
  for (const id of [one, two])
    await fulfilments.update(id, anybodys, (before) =>
      ship(before, parcel(newId(), 1, 'JJD0002'), 'all', now),
    )
  const found = await fulfilments.tracked('dhl', 'JJD0002')
  assert.deepEqual(found.map(({ orderId }) => orderId).sort(), [one, two].sort())
  assert.deepEqual(await fulfilments.tracked('ups', 'JJD0002'), [])
})

test('a refund is asked about until it is settled', async () => {
  const id = await confirmed()
  const refundId = newId()
  await fulfilments.update(id, anybodys, (before) => refundMoney(before, refundId, { amount: 1 }, now))
  await database.db('fulfilments').update({ ask_at: '2000-01-01' })
  const isAsked = async () => (await fulfilments.waiting(1000)).some(({ orderId }) => orderId === id)
  assert.ok(await isAsked())
  await fulfilments.askLater([id], 60)
  assert.ok(!(await isAsked()))
  await fulfilments.update(id, anybodys, (before) => settleRefund(before, refundId, 'done'))
  await database.db('fulfilments').whereNotNull('ask_at').update({ ask_at: '2000-01-01' })
  assert.ok(!(await isAsked()))
})

test('every query of many has its index', async () => {
  const { db } = database
  const seller = newId()
  const rows = times(3000, () => newId())
  await fill(
    db,
    'seller_orders',
    rows.map((id, n) => ({ seller_id: n % 2 ? seller : newId(), order_id: id, is_open: n % 10 === 0 })),
  )
  await fill(
    db,
    'shipments',
    rows.map((id, n) => ({ id, order_id: id, carrier: 'dhl', tracking_number: `JJD${n}` })),
  )
  await fill(
    db,
    'fulfilments',
    rows.map((id, n) => ({ order_id: id, state: '{}', ask_at: n % 50 ? null : new Date() })),
  )
  const plan = async (work: () => Promise<unknown>) => (await plansOf(db, work))[0]
  const page = { limit: 20, after: newId() }
  assert.partialDeepStrictEqual(
    await plan(() => fulfilments.ofSellers([seller], { ...page, openOnly: true })),
    { key: 'open_orders' },
  )
  assert.partialDeepStrictEqual(
    await plan(() => fulfilments.ofSellers([seller], { ...page, openOnly: false })),
    { key: 'PRIMARY' },
  )
  assert.partialDeepStrictEqual(await plan(() => fulfilments.tracked('dhl', 'JJD7')), { key: 'tracked' })
  assert.partialDeepStrictEqual(await plan(() => fulfilments.waiting(20)), { key: 'asking' })
})
