import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { productChanged } from '@caravan/contracts/catalog'
import { getStock } from '@caravan/contracts/inventory'
import {
  cancelOrder,
  getOrder,
  inquireOrder,
  listOrders,
  placeOrder,
  recordCaptures,
} from '@caravan/contracts/orders'
import { payOrder } from '@caravan/contracts/payments'
import { createQuote } from '@caravan/contracts/quotes'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cloudEvent, publishAs } from '../support/publish.ts'
import { type Line, shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'
import { ask, get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('orders')

const newLine = async (stock = 5): Promise<Line> => (await shop.newLines([stock]))[0] as Line
const bodyOf = (...items: Line[]) => ({ body: { items, shippingAddress } })
const whatOf = ({ history }: { history: { what: string }[] }) => history.map(({ what }) => what)
const reservedOf = async (sku: string) =>
  (await get(getStock, { params: { sku } }, { token: await shop.asOperator() })).reserved

test('an order is placed with what it costs and what becomes of it, and its stock is held', async () => {
  const line = { ...(await newLine()), quantity: 2 }
  const { token } = mint.member()
  const order = await get(placeOrder, bodyOf(line, line), { token })
  assert.partialDeepStrictEqual(order, {
    ...{ status: 'pending-payment', total: 4 * line.unitPrice.amount, currency: 'USD', shippingAddress },
    lines: [{ sku: line.sku, quantity: 4, unitPrice: line.unitPrice.amount }],
  })
  assert.deepEqual(whatOf(order), ['placed'])
  assert.ok(order.payBefore > order.placedAt)
  assert.equal(await reservedOf(line.sku), 4)
  assert.deepEqual(await get(getOrder, { params: { orderId: order.id } }, { token }), order)
})

test('a request that is repeated with its key places one order', async () => {
  const line = await newLine()
  const by = { token: mint.member().token, key: randomUUID() }
  const first = await get(placeOrder, bodyOf(line), by)
  assert.deepEqual(await get(placeOrder, bodyOf(line), by), first)
  assert.equal(await reservedOf(line.sku), 1)
})

test('a wrong price, too little stock and an unknown SKU are refused, each with what is wrong', async () => {
  const line = await newLine(1)
  const by = { token: mint.member().token }
  const cheap = { ...line, unitPrice: { amount: 1, currency: 'USD' } }
  const { prices } = await refused([409, 'orders/price-changed'], placeOrder, bodyOf(cheap), by)
  assert.deepEqual(prices, [{ sku: line.sku, unitPrice: line.unitPrice }])
  const two = { ...line, quantity: 2 }
  const short = await refused([409, 'inventory/insufficient-stock'], placeOrder, bodyOf(two), by)
  assert.deepEqual(short.shortages, [{ sku: line.sku, requested: 2, available: 1 }])
  const unknown = { ...line, sku: 'NEVER-SOLD' }
  const { errors } = await refused([422, 'orders/unknown-sku'], placeOrder, bodyOf(line, unknown), by)
  assert.equal(errors[0].pointer, '/items/1/sku')
  assert.equal(await reservedOf(line.sku), 0)
})

test('an order costs what its quote said, and another total is refused with the quote of now; nothing is held then', async () => {
  const line = await newLine()
  const by = { token: mint.member().token }
  const asked = { items: [{ sku: line.sku, quantity: 2 }], destination: { country: 'CN' } }
  const offered = await get(createQuote, { body: asked }, {})
  const { total, currency } = offered
  const body = { ...bodyOf({ ...line, quantity: 2 }).body, total: { amount: total + 1, currency } }
  const { quote } = await refused([409, 'orders/total-changed'], placeOrder, { body }, by)
  assert.deepEqual(quote, offered)
  assert.equal(await reservedOf(line.sku), 0)
  const order = await get(placeOrder, { body: { ...body, total: { amount: total, currency } } }, by)
  const { deliveryMethods: _, idleCodes: __, ...kept } = offered
  assert.deepEqual([order.total, order.quote], [total, kept])
})

test('an order is cancelled once, and gives its stock back', async () => {
  const line = await newLine()
  const by = { token: mint.member().token }
  const { id: orderId } = await get(placeOrder, bodyOf(line), by)
  const cancelled = await get(cancelOrder, { params: { orderId } }, by)
  assert.deepEqual([cancelled.status, cancelled.cancelReason], ['cancelled', 'shopper'])
  assert.deepEqual(whatOf(cancelled), ['placed', 'cancelled'])
  assert.deepEqual(await get(cancelOrder, { params: { orderId } }, by), cancelled)
  await eventually('order.cancelled gives the stock back', async () => (await reservedOf(line.sku)) === 0)
})

test('a paid order is confirmed, tells so, and cannot be cancelled', async () => {
  const by = { token: mint.member().token }
  const order = await get(placeOrder, bodyOf(await newLine()), by)
  const params = { orderId: order.id }
  const payment = await get(payOrder, { params, body: { paymentMethod: await shop.tokenise() } }, by)
  const confirmed = await eventually('the order is confirmed', async () => {
    const now = await get(getOrder, { params }, by)
    return now.status === 'confirmed' && now
  })
  assert.deepEqual(whatOf(confirmed), ['placed', 'paid', 'confirmed'])
  assert.deepEqual(confirmed.payment, { id: payment.id, status: 'captured' })
  await refused([409, 'orders/not-cancellable'], cancelOrder, { params }, by)
})

test('payments learns what an account owes for its order, and of another’s that there is none', async () => {
  const { id: accountId, token } = mint.member()
  const { id: orderId, status, total, currency } = await get(placeOrder, bodyOf(await newLine()), { token })
  const by = { through: 'payments' }
  const owed = await get(inquireOrder, { body: { orderId, accountId } }, by)
  assert.deepEqual(owed, { outcome: 'found', status, total, currency })
  for (const body of [
    { orderId, accountId: newId() },
    { orderId: newId(), accountId },
  ])
    assert.deepEqual(await get(inquireOrder, { body }, by), { outcome: 'not-found' })
})

test('a capture that no event tells of is taken note of, once, and known then; one of no order is not', async () => {
  const by = { token: mint.member().token }
  const { id: orderId } = await get(placeOrder, bodyOf(await newLine()), by)
  const [paymentId, strange] = [newId(), newId()]
  const payments = [
    { paymentId: strange, orderId: newId() },
    { paymentId, orderId },
  ]
  for (let n = 0; n < 2; n += 1)
    assert.deepEqual(await get(recordCaptures, { body: { payments } }, { through: 'payments' }), {
      known: [paymentId],
    })
  const confirmed = await eventually('the order is confirmed', async () => {
    const now = await get(getOrder, { params: { orderId } }, by)
    return now.status === 'confirmed' && now
  })
  assert.deepEqual(confirmed.payment, { id: paymentId, status: 'captured' })
  assert.deepEqual(whatOf(confirmed), ['placed', 'paid', 'confirmed'])
})

test('one’s own orders are listed newest first, page by page; another’s are not found', async () => {
  const line = await newLine()
  const by = { token: mint.member().token }
  const ids: string[] = []
  for (let n = 0; n < 3; n += 1) ids.unshift((await get(placeOrder, bodyOf(line), by)).id)
  const first = await get(listOrders, { query: { limit: '2' } }, by)
  const second = await get(listOrders, { query: { limit: '2', after: first.next } }, by)
  assert.deepEqual([first.hasMore, second.hasMore], [true, false])
  assert.deepEqual(
    [...first.data, ...second.data].map(({ id }: { id: string }) => id),
    ids,
  )
  const stranger = { token: mint.member().token }
  assert.deepEqual((await get(listOrders, {}, stranger)).data, [])
  const params = { orderId: String(ids[0]) }
  for (const operation of [getOrder, cancelOrder])
    await refused([404, 'orders/not-found'], operation, { params }, stranger)
})

test('orders learns of a product from its event, also from one with fields that it does not know', async () => {
  const { example, topic } = productChanged
  const sku = `CONTRACT-${randomBytes(6).toString('hex').toUpperCase()}`
  const id = newId()
  const variants = example.variants.map((variant) => ({ ...variant, sku }))
  const publish = (changes: object) =>
    publishAs(
      'catalog',
      topic,
      cloudEvent('catalog', topic, newId(), { ...example, id, variants, ...changes, addedLater: true }),
    )
  const by = { token: mint.member().token }
  const codeOf = async () => {
    const line = { sku, quantity: 1, unitPrice: { amount: 1, currency: 'USD' } }
    return (await ask(placeOrder, bodyOf(line), by)).body.code
  }
  assert.equal(await codeOf(), 'orders/unknown-sku')
  await publish({ version: 2 })
  await eventually('it is on the shelf', async () => (await codeOf()) === 'orders/price-changed')
  await publish({ version: 3, status: 'off-shelf' })
  await eventually('it is off the shelf', async () => (await codeOf()) === 'orders/unknown-sku')
})
