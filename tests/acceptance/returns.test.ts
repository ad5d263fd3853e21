import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrderReturn } from '@caravan/contracts/returns'
import { returnsOf } from '../support/returns.ts'
import { mint, shop } from '../support/stack.ts'

const { door, sure } = shop
const { available, becomes, bought, cancel, decide, fulfilmentOf, givenBack, receive, request } = returnsOf(
  shop,
  mint,
)
const staff = { token: await shop.asOperator() }

test('what was sent and is not wanted comes back: its money goes back, and it can be sold again', async () => {
  const order = await bought(3, 2)
  const asked = await request(order, 2)
  assert.partialDeepStrictEqual(asked, { status: 'requested', amount: 3000, lines: order.units(2) })
  assert.equal((await decide(order, asked, 'approved')).status, 'approved')
  assert.equal((await receive(order, asked, 'resellable')).status, 'received')
  await becomes(order, asked, 'refunded')
  await givenBack(order, 3000)
  await available(order.sku, 2)
  assert.equal((await receive(order, asked, 'resellable')).status, 'refunded')
  const body = { lines: order.units(1), reason: 'unwanted' }
  const more = await door('POST', `/v1/orders/${order.orderId}/returns`, { token: order.shopper.token, body })
  assert.deepEqual([more.status, more.body?.code], [409, 'orders/more-than-sent'])
})

test('what comes back damaged is written off: its money goes back, and nobody can buy it', async () => {
  const order = await bought(2)
  const asked = await request(order, 1, { reason: 'damaged', comment: 'The lid is broken' })
  await decide(order, asked, 'approved')
  await receive(order, asked, 'damaged')
  await becomes(order, asked, 'refunded')
  await givenBack(order, 1500)
  const { available, sold } = await shop.stockOf(order.sku)
  assert.deepEqual([available, sold], [0, 2])
})

test('what is rejected, or cancelled, moves neither money nor stock, and may be asked for again', async () => {
  const order = await bought(1)
  const rejected = await request(order, 1)
  await decide(order, rejected, 'rejected')
  const cancelled = await request(order, 1)
  await decide(order, cancelled, 'approved')
  await cancel(order, cancelled)
  const path = `/v1/orders/${order.orderId}/returns/${cancelled.id}/receipt`
  const late = await door('POST', path, { ...staff, body: { condition: 'resellable' } })
  assert.deepEqual([late.status, late.body?.code], [409, 'orders/return-over'])
  await request(order, 1)
  const { returns, refunds } = await fulfilmentOf(order)
  assert.deepEqual(
    returns.map(({ status }) => status),
    ['rejected', 'cancelled', 'requested'],
  )
  assert.deepEqual(refunds, [])
})

test('staff find what waits for them, page by page; a return is nobody else’s business', async () => {
  const order = await bought(2)
  const [first, second] = [await request(order, 1), await request(order, 1)]
  const page = (query: string) =>
    sure<{ data: OrderReturn[]; next?: string }>('GET', `/v1/returns?status=requested&${query}`, staff)
  const newest = await page('limit=1')
  assert.deepEqual(
    newest.data.map(({ id }) => id),
    [second.id],
  )
  const older = await page(`limit=1&after=${newest.next}`)
  assert.deepEqual(
    older.data.map(({ id }) => id),
    [first.id],
  )
  const { token } = mint.member()
  const path = `/v1/orders/${order.orderId}/returns`
  assert.equal((await door('GET', '/v1/returns', { token })).status, 403)
  assert.equal((await door('POST', `${path}/${first.id}/cancellation`, { token })).status, 404)
  const body = { lines: order.units(1), reason: 'unwanted' }
  assert.equal((await door('POST', path, { token, body })).status, 404)
})

test('what comes back is exchanged for what costs less: the difference goes back, the rest is sent', async () => {
  const [order, [other]] = [await bought(2), await shop.newLines([3], 1000)]
  assert.ok(other)
  const asked = await request(order, 2, { reason: 'wrong-item', exchangeFor: other.sku })
  assert.deepEqual(asked.exchange, { sku: other.sku, quantity: 2, price: 2000 })
  await decide(order, asked, 'approved')
  await receive(order, asked, 'resellable')
  await becomes(order, asked, 'exchanged')
  await givenBack(order, 1000)
  await available(order.sku, 2)
  assert.partialDeepStrictEqual(await shop.stockOf(other.sku), { available: 1, sold: 2 })
  const parcel = { lines: [{ sku: other.sku, quantity: 2 }], carrier: 'dhl', trackingNumber: 'JJD0002' }
  await sure('POST', `/v1/orders/${order.orderId}/shipments`, { ...staff, body: parcel }, 201)
  assert.equal((await fulfilmentOf(order)).status, 'shipped')
})

test('what is wanted instead may not cost more, and where it is sold out the money goes back', async () => {
  const [order, [dear], [gone]] = [await bought(1), await shop.newLines([1], 1501), await shop.newLines([0])]
  const ask = (exchangeFor = '') => {
    const body = { lines: order.units(1), reason: 'other', exchangeFor }
    return door('POST', `/v1/orders/${order.orderId}/returns`, { token: order.shopper.token, body })
  }
  const answers = [await ask(dear?.sku), await ask('NEVER-OFFERED')]
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body?.code]),
    [
      [409, 'orders/exchange-costs-more'],
      [422, 'orders/unknown-sku'],
    ],
  )
  const asked = await request(order, 1, { exchangeFor: gone?.sku })
  await decide(order, asked, 'approved')
  await receive(order, asked, 'damaged')
  await becomes(order, asked, 'refunded')
  await givenBack(order, 1500)
})
