import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '@caravan/contracts/orders'
import { type Line, shippingAddress } from '../support/shop.ts'
import { codeOf, Unexpected, type Visit } from './visit.ts'
import type { Account, Scenario, World } from './world.ts'

const firstPollMs = 15
const lastPollMs = 250

/** What is done with JSON, for an account or for nobody. */
export const as = (account: Pick<Account, 'token'>, key?: string): Record<string, string> => ({
  authorization: `Bearer ${account.token}`,
  'content-type': 'application/json',
  ...(key ? { 'idempotency-key': key } : {}),
})

/** One of a product, chosen by the world's rule, at the price that the shelf shows now. */
export const chooseLines = (world: World, { random }: Visit, howMany: number): Line[] => {
  const lines = new Map<string, Line>()
  for (let tries = 0; lines.size < howMany && tries < howMany * 10; tries++) {
    const product = world.goods.products[world.chooseProduct(random)]
    const { sku, price } = random.pick(product?.content.variants ?? [])
    lines.set(sku, { sku, quantity: 1, unitPrice: price })
  }
  return [...lines.values()]
}

/** `Idempotency-Key`s come from the system, not from the seed: two runs with one seed must not meet each other's. */
export const place = async (
  { clientLog }: World,
  { ask }: Visit,
  account: Account,
  lines: readonly Line[],
): Promise<Order> => {
  let items = lines
  for (let tries = 0; tries < 10; tries++) {
    const key = randomUUID()
    const wanted = items.map(({ sku, quantity }) => ({ sku, quantity }))
    clientLog?.write({ what: 'order-asked', account: account.id, key, items: wanted })
    const reply = await ask('order', {
      ...{ method: 'POST', path: '/v1/orders', headers: as(account, key) },
      body: JSON.stringify({ items, shippingAddress }),
      expect: ['orders/price-changed'],
    })
    const answer = JSON.parse(reply.text)
    if (reply.status === 201) {
      const { id: order, total, currency } = answer as Order
      clientLog?.write({
        what: 'order-placed',
        account: account.id,
        key,
        order,
        items: wanted,
        total,
        currency,
      })
      return answer
    }
    clientLog?.write({ what: 'order-refused', key, code: answer.code, short: [] })
    // Someone changed a price meanwhile: the shopper sees the new one and orders at that.
    const prices = new Map<string, Line['unitPrice']>(
      answer.prices.map((price: Line) => [price.sku, price.unitPrice]),
    )
    items = items.map((line) => ({ ...line, unitPrice: prices.get(line.sku) ?? line.unitPrice }))
  }
  throw new Unexpected('order refused ten times', 'the price changed each time')
}

/** Pays, and says whether the order is now paid. It is not when a client that persists came too late. */
const pay = async (world: World, visit: Visit, account: Account, order: string): Promise<boolean> => {
  const { clientLog } = world
  const key = randomUUID()
  clientLog?.write({ what: 'payment-asked', order, key })
  const reply = await visit.ask('pay', {
    ...{ method: 'POST', path: `/v1/orders/${order}/payments`, headers: as(account, key) },
    body: JSON.stringify({ paymentMethod: world.card(visit.random) }),
    // A repeat may hear of its own payment as one that was made before.
    expect: visit.persist ? ['payments/already-paid', 'payments/order-not-payable'] : [],
  })
  if (codeOf(reply) === 'payments/order-not-payable') return false
  world.notePaid(order)
  if (reply.status === 201) {
    const { id: payment, status } = JSON.parse(reply.text)
    clientLog?.write({ what: 'payment-answered', order, payment, status })
  }
  return true
}

/**
 * Asks whether the order is confirmed, letting the shop keep the question for a while, and again as soon as it did. Plain
 * polling, and a shop too busy to keep it, are asked after 15 ms and then ever less often, down to four times a second.
 * Each question is recorded as the step `poll`.
 */
const awaitConfirmed = async (
  { clientLog, waitMs }: World,
  { ask, record, patienceMs, persist, noteExpected }: Visit,
  account: Account,
  order: string,
): Promise<void> => {
  const begun = performance.now()
  const path = `/v1/orders/${order}${waitMs > 0 ? `?waitMs=${waitMs}` : ''}`
  const headers = as(account)
  for (let wait = firstPollMs; ; wait = Math.min(lastPollMs, wait * 1.5)) {
    if (waitMs === 0) await pause(wait)
    const asked = performance.now()
    const { text } = await ask('poll', { method: 'GET', path, headers })
    const { status } = JSON.parse(text) as Order
    const waited = performance.now() - begun
    if (status === 'confirmed') {
      record('paid to confirmed', waited)
      clientLog?.write({ what: 'order-confirmed', order })
      return
    }
    if (status === 'cancelled') {
      if (!persist) throw new Unexpected('paid order cancelled', order)
      return noteExpected('paid order cancelled')
    }
    if (waited > patienceMs) throw new Unexpected(`paid order ${status} for too long`, order)
    if (performance.now() - asked < waitMs) await pause(wait)
  }
}

const addToCart = (visit: Visit, account: Account, { sku, quantity }: Line) =>
  visit.ask('add', {
    ...{ method: 'POST', path: '/v1/carts/mine/items', headers: as(account, randomUUID()) },
    body: JSON.stringify({ sku, quantity }),
  })

/** So many different products into the cart, order, pay, wait until the order is confirmed. */
export const buy = async (world: World, visit: Visit, howMany: number): Promise<void> => {
  const account = world.borrowAccount()
  const lines = chooseLines(world, visit, howMany)
  for (const line of lines) await addToCart(visit, account, line)
  const order = await place(world, visit, account, lines)
  if (await pay(world, visit, account, order.id)) await awaitConfirmed(world, visit, account, order.id)
  // An account whose run failed may have lines left in its cart: it is not used again.
  world.returnAccount(account)
}

/** A search, and a checkout of two products. */
export const checkout: Scenario = (world) => async (visit) => {
  const { words } = visit.random.pick(world.goods.products)
  await visit.ask('search', { method: 'GET', path: `/v1/search?limit=20&q=${words}` })
  await buy(world, visit, 2)
}
