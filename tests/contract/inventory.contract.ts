import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { orderItemsReleased } from '@caravan/contracts/fulfilment'
import {
  adjustStock,
  getAvailability,
  getStock,
  reserve,
  sellReserved,
  sellUnits,
} from '@caravan/contracts/inventory'
import { cancelOrder, getOrder, orderAbandoned, orderPaid, placeOrder } from '@caravan/contracts/orders'
import { payOrder } from '@caravan/contracts/payments'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cloudEvent, publishAs } from '../support/publish.ts'
import { shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'
import { get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('inventory')

const asOrders = { through: 'orders' } as const
const asOperator = async () => ({ token: await shop.asOperator() })

const adjust = async (sku: string, delta: number, adjustmentId = newId()) =>
  get(
    adjustStock,
    { params: { sku, adjustmentId }, body: { delta, reason: 'A delivery' } },
    await asOperator(),
  )
const newSku = () => `CONTRACT-${randomBytes(6).toString('hex').toUpperCase()}`
const received = async (quantity: number) => {
  const sku = newSku()
  await shop.newProduct([sku])
  await adjust(sku, quantity)
  return sku
}
const piles = async (sku: string) => {
  const { available, reserved, sold } = await get(getStock, { params: { sku } }, await asOperator())
  return { available, reserved, sold }
}
/** Repeated until it is answered, as a client would: on a busy machine a sidecar gives up first. */
const hold = (orderId: string, items: object[]) =>
  eventually('an answer', () => get(reserve, { body: { orderId, items, ttlSeconds: 300 } }, asOrders))
/** An event of orders as a later version of it might be: with a field that nobody knows yet. */
const publish = ({ topic, example }: { topic: string; example: object }, data: object, id = newId()) =>
  publishAs('orders', topic, cloudEvent('orders', topic, id, { ...example, ...data, addedLater: true }))

test('a reservation of the same order, repeated, holds its stock once', async () => {
  const sku = await received(5)
  const orderId = newId()
  for (const id of [orderId, orderId.toUpperCase(), orderId])
    assert.deepEqual(await hold(id, [{ sku, quantity: 2 }]), { outcome: 'reserved' })
  assert.deepEqual(await piles(sku), { available: 3, reserved: 2, sold: 0 })
})

test('a reservation is all or nothing, counts lines of one SKU together, and tells what is short', async () => {
  const [plenty, scarce] = [await received(9), await received(3)]
  const two = { sku: scarce, quantity: 2 }
  assert.deepEqual(await hold(newId(), [{ sku: plenty, quantity: 1 }, two, two]), {
    outcome: 'insufficient-stock',
    shortages: [{ sku: scarce, requested: 4, available: 3 }],
  })
  assert.deepEqual(await piles(plenty), { available: 9, reserved: 0, sold: 0 })
  assert.deepEqual(await piles(scarce), { available: 3, reserved: 0, sold: 0 })
})

test('twenty reservations at once for five units: five are made', async () => {
  const sku = await received(5)
  const answers = await Promise.all(Array.from({ length: 20 }, () => hold(newId(), [{ sku, quantity: 1 }])))
  assert.equal(answers.filter(({ outcome }) => outcome === 'reserved').length, 5)
  assert.deepEqual(await piles(sku), { available: 0, reserved: 5, sold: 0 })
})

test('an abandoned order gets its stock back to the shelf, and is closed', async () => {
  const sku = await received(4)
  const orderId = newId()
  await hold(orderId, [{ sku, quantity: 4 }])
  await publish(orderAbandoned, { orderId })
  await eventually('the stock is back', async () => (await piles(sku)).available === 4)
  assert.deepEqual(await hold(orderId, [{ sku, quantity: 4 }]), { outcome: 'closed' })
  assert.deepEqual(await piles(sku), { available: 4, reserved: 0, sold: 0 })
})

test('a paid order’s stock is sold, once however often that is told, and orders hears of it', async () => {
  const [line] = await shop.newLines([3])
  assert.ok(line)
  const { id: accountId, token } = mint.member()
  const order = await get(placeOrder, { body: { items: [line], shippingAddress } }, { token })
  assert.deepEqual(await piles(line.sku), { available: 2, reserved: 1, sold: 0 })
  const params = { orderId: order.id }
  const body = { paymentMethod: await shop.tokenise() }
  const payment = await get(payOrder, { params, body }, { token })
  await eventually('reservation.fulfilled has confirmed the order', async () => {
    const { status } = await get(getOrder, { params }, { token })
    return status === 'confirmed'
  })
  assert.deepEqual(await piles(line.sku), { available: 2, reserved: 0, sold: 1 })

  const again = newId()
  const items = [{ sku: line.sku, quantity: 1 }]
  const paid = { orderId: order.id, accountId, paymentId: payment.id, items }
  for (const id of [again, again, newId()]) await publish(orderPaid, paid, id)
  // Sent later, though not surely handled later.
  const fence = newId()
  await hold(fence, items)
  await publish(orderAbandoned, { orderId: fence })
  await eventually('the later event is handled', async () => (await piles(line.sku)).reserved === 0)
  assert.deepEqual(await piles(line.sku), { available: 2, reserved: 0, sold: 1 })
})

test('a sale that was told by event is asked for by call: made once, it gets the same answer', async () => {
  const [line] = await shop.newLines([3])
  assert.ok(line)
  const { id: accountId, token } = mint.member()
  const items = [{ sku: line.sku, quantity: 1 }]
  const { id: orderId } = await get(placeOrder, { body: { items: [line], shippingAddress } }, { token })
  await publish(orderPaid, { orderId, accountId, paymentId: newId(), items })
  await eventually('it is sold', async () => (await piles(line.sku)).sold === 1)
  const ask = () => get(sellReserved, { body: { orders: [{ orderId, items }] } }, asOrders)
  for (let n = 0; n < 2; n += 1) assert.deepEqual(await ask(), { data: [{ orderId, outcome: 'fulfilled' }] })
  assert.deepEqual(await piles(line.sku), { available: 2, reserved: 0, sold: 1 })
  assert.deepEqual(await hold(orderId, items), { outcome: 'reserved' })
})

test('what could not be sold once is not sold later, though there is stock again', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const { sku } = line
  const { token } = mint.member()
  const { id: orderId } = await get(placeOrder, { body: { items: [line], shippingAddress } }, { token })
  await get(cancelOrder, { params: { orderId } }, { token })
  await eventually('the stock is back', async () => (await piles(sku)).available === 1)
  const items = [{ sku, quantity: 2 }]
  const failed = { orderId, outcome: 'failed', shortages: [{ sku, requested: 2, available: 1 }] }
  const ask = () => get(sellReserved, { body: { orders: [{ orderId, items }] } }, asOrders)
  assert.deepEqual(await ask(), { data: [failed] })
  await adjust(sku, 5)
  assert.deepEqual(await ask(), { data: [failed] })
  assert.deepEqual(await piles(sku), { available: 6, reserved: 0, sold: 0 })
})

test('an adjustment counts once under its id, and never takes what is not there', async () => {
  const sku = await received(5)
  const id = newId()
  for (let n = 0; n < 3; n += 1)
    assert.deepEqual(await adjust(sku, 2, id), { sku, received: 7, available: 7, reserved: 0, sold: 0 })
  const by = await asOperator()
  const change = (adjustmentId: string, delta: number) =>
    [adjustStock, { params: { sku, adjustmentId }, body: { delta, reason: 'A test' } }, by] as const
  await refused([409, 'inventory/adjustment-reused'], ...change(id, 3))
  await refused([409, 'inventory/insufficient-stock'], ...change(newId(), -8))
  assert.deepEqual(await piles(sku), { available: 7, reserved: 0, sold: 0 })
})

test('stock is received of a SKU that a product has, the moment it has it, and goes on after the product has left the shelf', async () => {
  const sku = newSku()
  const by = await asOperator()
  const change = { params: { sku, adjustmentId: newId() }, body: { delta: 4, reason: 'A test' } }
  await refused([404, 'inventory/sku-not-found'], adjustStock, change, by)
  const { id, version: _, createdAt: __, updatedAt: ___, ...content } = await shop.newProduct([sku])
  await shop.putProduct(id, { ...content, status: 'off-shelf' })
  assert.equal((await get(adjustStock, change, by)).received, 4)
})

test('availability is told of the SKUs that are known', async () => {
  const sku = await received(6)
  const { data } = await get(getAvailability, { query: { skus: `${sku},NEVER-RECEIVED` } })
  assert.deepEqual(data, [{ sku, available: 6 }])
})

test('further units of an order are sold once, and only when all are there', async () => {
  const [sku, other] = [await received(2), await received(1)]
  const ask = (saleId: string, quantity: number) => {
    const items = [
      { sku, quantity },
      { sku: other, quantity: 1 },
    ]
    return get(sellUnits, { body: { saleId, orderId: newId(), items } }, asOrders)
  }
  const shortages = [{ sku, requested: 3, available: 2 }]
  assert.deepEqual(await ask(newId(), 3), { outcome: 'insufficient-stock', shortages })
  const id = newId()
  for (let n = 0; n < 2; n += 1) assert.deepEqual(await ask(id, 1), { outcome: 'sold' })
  assert.deepEqual(await piles(sku), { available: 1, reserved: 0, sold: 1 })
  assert.deepEqual(await piles(other), { available: 0, reserved: 0, sold: 1 })
})

test('sold units that are there again can be sold again, once however often that is told', async () => {
  const sku = await received(3)
  const orderId = newId()
  const items = [{ sku, quantity: 3 }]
  await hold(orderId, items)
  await publish(orderPaid, { orderId, accountId: newId(), paymentId: newId(), items })
  await eventually('the stock is sold', async () => (await piles(sku)).sold === 3)
  const released = { orderId, releaseId: newId(), items: [{ sku, quantity: 2 }] }
  for (const id of [newId(), newId()]) await publish(orderItemsReleased, released, id)
  await eventually('two are there again', async () => (await piles(sku)).available >= 2)
  await publish(orderItemsReleased, { ...released, releaseId: newId(), items: [{ sku, quantity: 1 }] })
  await eventually('the third is, too', async () => (await piles(sku)).sold === 0)
  assert.deepEqual(await piles(sku), { available: 3, reserved: 0, sold: 0 })
})
