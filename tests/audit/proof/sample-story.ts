import assert from 'node:assert/strict'
import type { Product } from '@caravan/contracts/catalog'
import type { Order } from '@caravan/contracts/orders'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { Stack } from '../../../tools/launcher/stack.ts'
import type { ClientLog } from '../../support/client-log.ts'
import { heldCharge, type Line, type Shopper, shippingAddress, shopOf } from '../../support/shop.ts'
import { openMint } from '../../support/tokens.ts'

type Buyer = Pick<Shopper, 'id' | 'token'>

/** Sells a little, each way that an order can go, while the clients write down what they are told. */
export const sell = async (stack: Stack, log: ClientLog) => {
  const shop = shopOf(stack)

  const order = async (buyer: Buyer, lines: readonly Line[], wishes: object = {}) => {
    const key = crypto.randomUUID()
    const items = lines.map(({ sku, quantity }) => ({ sku, quantity }))
    log.write({ what: 'order-asked', account: buyer.id, key, items })
    const { status, body, text } = await shop.tryOrder(buyer, lines, { key, wishes })
    if (status === 201) {
      const { id, total, currency } = body
      log.write({ what: 'order-placed', account: buyer.id, key, order: id, items, total, currency })
      return { ...body, key }
    }
    assert.equal(status, 409, text)
    log.write({ what: 'order-refused', key, code: String(body.code), short: items })
    return undefined
  }

  const placed = async (buyer: Buyer, ...lines: Line[]) => {
    const made = await order(buyer, lines)
    assert.ok(made)
    return made
  }

  const pay = async (buyer: Buyer, { id }: Pick<Order, 'id'>, sandbox?: object) => {
    const { status, body, text } = await shop.tryPay(buyer, id, await shop.tokenise(undefined, sandbox))
    assert.equal(status, 201, text)
    log.write({ what: 'payment-answered', order: id, payment: body.id, status: body.status })
    return body.id
  }

  const settle = async (buyer: Buyer, made: Awaited<ReturnType<typeof placed>>) => {
    const payment = await pay(buyer, made)
    assert.equal((await shop.settled(buyer, made.id)).status, 'confirmed')
    log.write({ what: 'order-confirmed', order: made.id })
    return { ...made, payment }
  }

  const confirmed = async (buyer: Buyer, ...lines: Line[]) => settle(buyer, await placed(buyer, ...lines))

  /** With a coupon that saves 300, of a promotion that has each limit. */
  const withCoupon = async (buyer: Buyer, line: Line) => {
    const limits = { uses: 5, usesPerCustomer: 2, budget: 5000 }
    const coupon = await shop.newCoupon(line, { amount: 300, limits, uses: 1 })
    const total = { ...line.unitPrice, amount: line.unitPrice.amount - 300 }
    const made = await order(buyer, [line], { codes: [coupon.code], total })
    assert.ok(made)
    return { ...(await settle(buyer, made)), ...coupon }
  }

  const cancel = async (buyer: Buyer, { id }: Pick<Order, 'id'>) => {
    assert.equal((await shop.cancel(buyer, id)).status, 200)
    log.write({ what: 'cancellation-answered', order: id })
  }

  /** Cancelled while the money was on its way: it goes back. */
  const refunded = async (buyer: Buyer, line: Line) => {
    const made = await placed(buyer, line)
    const paying = pay(buyer, made, heldCharge)
    await eventually('the payment is under way', async () => {
      const { body } = await shop.door('GET', `/v1/orders/${made.id}/payments`, { token: buyer.token })
      return body.data.length === 1
    })
    await cancel(buyer, made)
    const payment = await shop.released(paying)
    await eventually(
      'the money went back',
      async () => (await shop.orderOf(buyer, made.id)).payment?.status === 'refunded',
    )
    return { ...made, payment }
  }

  /** Sent in part, cancelled in part, and some of the rest given back. */
  const sentInPart = async (buyer: Buyer, line: Line) => {
    const made = await confirmed(buyer, { ...line, quantity: 3 })
    const { sku } = line
    const path = `/v1/orders/${made.id}`
    const staff = { token: await shop.asOperator() }
    const parcel = { lines: [{ sku, quantity: 1 }], carrier: 'dhl', trackingNumber: 'JJD000390007882' }
    await shop.sure('POST', `${path}/shipments`, { ...staff, body: parcel }, 201)
    const cancelled = { token: buyer.token, body: { lines: [{ sku, quantity: 1 }] } }
    await shop.sure('POST', `${path}/line-cancellations`, cancelled, 201)
    await shop.sure('POST', `${path}/refunds`, { ...staff, body: { amount: 100 } }, 201)
    return made
  }

  const edit = async (id: string, change: (product: Product) => object) => {
    const { body } = await shop.door<Product>('GET', `/v1/products/${id}`)
    const { id: _, version: __, createdAt: ___, updatedAt: ____, ...content } = body
    await shop.putProduct(id, { ...content, ...change(body) })
  }

  const mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
  const seller = { address: shippingAddress, registration: '0000123456' }
  const invoicing = { seller, timeZone: 'Asia/Shanghai', language: 'zh' }
  await shop.sure('PUT', '/v1/invoicing', { token: await shop.asOperator(), body: invoicing })
  const [buyer, other] = [mint.member(), mint.member()]
  const [a, b] = await shop.newLines([20, 5])
  const [gone] = await shop.newLines([1])
  assert.ok(a && b && gone)
  const began = new Date(Date.now() - 1).toISOString()

  const first = await confirmed(buyer, { ...a, quantity: 2 }, b)
  const second = await confirmed(buyer, { ...a, quantity: 2 }, b)
  const sent = await sentInPart(buyer, a)
  const saved = await withCoupon(buyer, a)
  const cancelled = await placed(other, a)
  await cancel(other, cancelled)
  assert.equal(await order(other, [{ ...b, quantity: 4 }]), undefined)
  const sentBack = await refunded(other, a)

  const product = String(first.lines[0]?.productId)
  const dearer = { ...a, unitPrice: { ...a.unitPrice, amount: a.unitPrice.amount + 100 } }
  await edit(product, ({ variants }) => ({
    variants: variants.map((each) => (each.sku === a.sku ? { ...each, price: dearer.unitPrice } : each)),
  }))
  const last = await eventually('an order at the new price', () => order(buyer, [dearer]))
  await pay(buyer, last)
  assert.equal((await shop.settled(buyer, last.id)).status, 'confirmed')

  const hidden = await placed(other, gone)
  await cancel(other, hidden)
  const hiddenProduct = String(hidden.lines[0]?.productId)
  await edit(hiddenProduct, () => ({ status: 'off-shelf' }))
  const leaver = await shop.newShopper()
  const left = await placed(leaver, dearer)
  await cancel(leaver, left)
  const { password } = leaver
  const closed = await shop.door('POST', '/v1/me/closure', { token: leaver.token, body: { password } })
  assert.equal(closed.status, 204, closed.text)

  const unpaid = await placed(other, { ...dearer, quantity: 3 })
  return {
    ...{ skuA: a.sku, skuB: b.sku, buyer: buyer.id, other: other.id, began, product, hiddenProduct },
    ...{ first, second, cancelled, refunded: sentBack, unpaid, left, sent, saved },
  }
}

export type Story = Awaited<ReturnType<typeof sell>>
