import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { getFulfilment, ParcelStatus } from '@caravan/contracts/fulfilment'
import type { Order } from '@caravan/contracts/orders'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { z } from 'zod'
import { mint, shop, stack } from '../support/stack.ts'

type Fulfilment = z.infer<NonNullable<typeof getFulfilment.response>>

const { sure, door, ok } = shop
const staff = { token: await shop.asOperator() }

/** A confirmed order of so many units of one SKU, at 15.00 each. */
const bought = async (quantity: number) => {
  const [line] = await shop.newLines([quantity])
  assert.ok(line)
  const shopper = mint.member()
  const order = ok(await shop.persistently(() => shop.tryOrder(shopper, [{ ...line, quantity }])), 201)
  const method = await shop.tokenise()
  const payment = ok(await shop.persistently(() => shop.tryPay(shopper, order.id, method)), 201)
  const end = await eventually('it is confirmed', async () => {
    const now: Order = await shop.settled(shopper, order.id)
    return now.status === 'confirmed' && now
  })
  return {
    shopper,
    orderId: end.id,
    paymentId: payment.id,
    sku: line.sku,
    units: (n: number) => [{ sku: line.sku, quantity: n }],
  }
}
type Bought = Awaited<ReturnType<typeof bought>>

const fulfilmentOf = ({ shopper, orderId }: Bought) =>
  sure<Fulfilment>('GET', `/v1/orders/${orderId}/fulfilment`, { token: shopper.token })
const trackingNumber = () => `JJD${randomUUID().replaceAll('-', '').toUpperCase()}`
const ship = ({ orderId, units }: Bought, quantity: number, number: string) =>
  sure<Fulfilment>(
    'POST',
    `/v1/orders/${orderId}/shipments`,
    { ...staff, body: { lines: units(quantity), carrier: 'dhl', trackingNumber: number } },
    201,
  )

const secret = Buffer.from(String(stack.secrets['carrier-webhook-secret']).replace(/^whsec_/, ''), 'base64')
const tell = async (body: object, at = Math.floor(Date.now() / 1000), key: Buffer = secret) => {
  const text = JSON.stringify(body)
  const id = `msg_${randomUUID()}`
  const signature = createHmac('sha256', key).update(`${id}.${at}.${text}`).digest('base64')
  const response = await fetch(`${stack.url}/v1/webhooks/carriers/dhl`, {
    ...{ method: 'POST', body: text },
    headers: {
      'content-type': 'application/json',
      ...{ 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` },
    },
  })
  await response.arrayBuffer()
  return response.status
}
const news = (number: string, status: ParcelStatus, minute: number) =>
  tell({ trackingNumber: number, status, at: `2099-01-01T10:${minute}:00+08:00` })

const sumOf = (entries: readonly { readonly amount: number }[]) =>
  entries.reduce((sum, { amount }) => sum + amount, 0)

/** Provider and ledger agree that so much of an order went back. */
const givenBack = async ({ orderId, paymentId }: Bought, amount: number) => {
  const charge = await eventually(`${amount} of order ${orderId} went back`, async () => {
    const [only] = await shop.chargesOf(paymentId)
    return only?.refunded === amount && only
  })
  await eventually('the ledger says so', async () => {
    const ledger = await shop.ledgerOf(orderId)
    assert.equal(sumOf(ledger), 0)
    const inHand = sumOf(ledger.filter(({ account }) => account === 'provider'))
    return inHand === charge.amount - amount
  })
}

test('an order is sent in parts, each by its carrier’s word, however it comes', async () => {
  const order = await bought(3)
  const [one, two] = [trackingNumber(), trackingNumber()]
  assert.equal((await ship(order, 2, one)).status, 'partly-shipped')
  assert.equal((await ship(order, 1, two)).status, 'shipped')
  assert.equal(await news(one, 'delivered', 30), 204)
  assert.equal(await news(one, 'in-transit', 10), 204)
  for (const minute of [10, 10]) assert.equal(await news(two, 'out-for-delivery', minute), 204)
  const { status, shipments } = await fulfilmentOf(order)
  assert.deepEqual(
    [status, shipments.map((each) => each.status)],
    ['shipped', ['delivered', 'out-for-delivery']],
  )
  assert.equal(await news(two, 'delivered', 40), 204)
  assert.equal((await fulfilmentOf(order)).status, 'delivered')
})

test('news of a parcel is believed when it is signed, and of now', async () => {
  const body = { trackingNumber: trackingNumber(), status: 'delivered', at: '2026-01-01T10:00:00Z' }
  assert.equal(await tell(body), 204)
  assert.equal(await tell(body, Math.floor(Date.now() / 1000) - 400), 401)
  assert.equal(await tell(body, undefined, Buffer.from('another key')), 401)
  assert.equal(await tell({ trackingNumber: 'JJD1' }), 422)
})

test('units that are not sent are cancelled: their money goes back, and they can be sold again', async () => {
  const order = await bought(4)
  await ship(order, 1, trackingNumber())
  const path = `/v1/orders/${order.orderId}/line-cancellations`
  const key = randomUUID()
  const cancel = () =>
    door<Fulfilment>('POST', path, { token: order.shopper.token, key, body: { lines: order.units(2) } })
  const first = ok(await shop.persistently(cancel), 201)
  assert.deepEqual(ok(await shop.persistently(cancel), 201), first)
  assert.partialDeepStrictEqual(first.lines, [{ ordered: 4, shipped: 1, cancelled: 2, open: 1 }])
  await givenBack(order, 3000)
  await eventually(
    'the refund is done',
    async () => (await fulfilmentOf(order)).refunds[0]?.status === 'done',
  )
  await eventually('two can be sold again', async () => (await shop.stockOf(order.sku)).available === 2)
  const tooMany = await door('POST', path, { token: order.shopper.token, body: { lines: order.units(2) } })
  assert.deepEqual([tooMany.status, tooMany.body?.code], [409, 'orders/more-than-open'])
})

test('fifty refunds of one line at once, each under its own key: it is given back once', async () => {
  const order = await bought(1)
  const refund = () =>
    shop.persistently(() =>
      door('POST', `/v1/orders/${order.orderId}/refunds`, { ...staff, body: { lines: order.units(1) } }),
    )
  const answers = await Promise.all(Array.from({ length: 50 }, refund))
  const statuses = Object.groupBy(answers, ({ status }) => status)
  assert.deepEqual([statuses[201]?.length, statuses[409]?.length], [1, 49])
  await givenBack(order, 1500)
  assert.equal((await fulfilmentOf(order)).refundable, 0)
})

test('an order is another’s business neither to see nor to cancel, and nobody’s before it is confirmed', async () => {
  const order = await bought(1)
  const { token } = mint.member()
  const path = `/v1/orders/${order.orderId}`
  assert.equal((await door('GET', `${path}/fulfilment`, { token })).status, 404)
  const body = { lines: order.units(1) }
  assert.equal((await door('POST', `${path}/line-cancellations`, { token, body })).status, 404)
  assert.equal(
    (
      await door('POST', `${path}/shipments`, {
        token,
        body: { ...body, carrier: 'dhl', trackingNumber: 'JJD1' },
      })
    ).status,
    403,
  )
  assert.equal((await door('POST', `${path}/refunds`, { token, body })).status, 403)
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const shopper = mint.member()
  const unpaid = ok(await shop.persistently(() => shop.tryOrder(shopper, [line])), 201)
  const early = await door('GET', `/v1/orders/${unpaid.id}/fulfilment`, { token: shopper.token })
  assert.deepEqual([early.status, early.body?.code], [409, 'orders/not-confirmed'])
})

test('a seller sees and sends its own lines of an order: no other’s, and nothing of its money', async () => {
  const [own, foreign] = [await shop.newLines([2]), await shop.newLines([1])]
  const [mine, others] = [own[0], foreign[0]]
  assert.ok(mine && others)
  const shopper = mint.member()
  const made = ok(
    await shop.persistently(() => shop.tryOrder(shopper, [{ ...mine, quantity: 2 }, others])),
    201,
  )
  const method = await shop.tokenise()
  ok(await shop.persistently(() => shop.tryPay(shopper, made.id, method)), 201)
  await eventually(
    'it is confirmed',
    async () => (await shop.settled(shopper, made.id)).status === 'confirmed',
  )

  const account = await shop.newShopper()
  const seller = made.quote?.lines.find(({ sku }) => sku === mine.sku)?.seller
  const list = (state = 'open') => door('GET', `/v1/seller-orders?state=${state}`, { token: account.token })
  assert.equal((await list()).status, 403)
  await sure('PUT', `/v1/accounts/${account.id}/roles/seller`, staff, 204)
  await eventually('the role is known', async () => (await list()).status === 200)
  assert.deepEqual((await list()).body.data, [])
  const body = { lines: [{ sku: mine.sku, quantity: 2 }], carrier: 'dhl', trackingNumber: trackingNumber() }
  const path = `/v1/seller-orders/${made.id}/shipments`
  assert.equal((await door('POST', path, { token: account.token, body })).status, 404)

  await sure('POST', `/v1/sellers/${seller}/accounts`, { ...staff, body: { accountId: account.id } }, 204)
  const [seen, ...more] = (await list()).body.data
  assert.deepEqual(more, [])
  assert.deepEqual(seen.lines, [{ sku: mine.sku, ordered: 2, shipped: 0, cancelled: 0, open: 2 }])
  const members = ['lines', 'number', 'orderId', 'placedAt', 'shipments', 'shippingAddress', 'status']
  assert.deepEqual(Object.keys(seen).sort(), members)

  const tooMuch = { ...body, lines: [...body.lines, { sku: others.sku, quantity: 1 }] }
  assert.equal((await door('POST', path, { token: account.token, body: tooMuch })).status, 409)
  const sent = await sure<Record<string, unknown>>('POST', path, { token: account.token, body }, 201)
  assert.equal(sent.status, 'shipped')
  assert.deepEqual((await list()).body.data, [])
  assert.equal((await list('any')).body.data.length, 1)
  const whole = await sure<Fulfilment>('GET', `/v1/orders/${made.id}/fulfilment`, { token: shopper.token })
  assert.equal(whole.status, 'partly-shipped')

  await sure('DELETE', `/v1/sellers/${seller}/accounts/${account.id}`, staff, 204)
  assert.deepEqual((await list('any')).body.data, [])
})
