import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '@caravan/contracts/orders'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { audit } from '../audit/audit.ts'
import { inDatabase } from '../support/in-database.ts'
import { heldCharge, type Line, type Shop, type Shopper, shopOf } from '../support/shop.ts'
import { tellRedis } from '../support/tell-redis.ts'
import { openMint } from '../support/tokens.ts'

/** A shop of its own, whose broker loses events of every kind for good while they are under way. */
let stack: Stack
let shop: Shop
let mint: ReturnType<typeof openMint>
let line: Line
/** Who waits for an event asks after 15 s, and later again; a busy machine needs longer for all of them. */
const healsWithinMs = 180_000

before(async () => {
  await eraseStack('broker-loss')
  stack = await startStack({ profile: 'broker-loss', ports: 'free' })
  shop = shopOf(stack)
  const key = String(stack.secrets['identity-signing-key'])
  mint = openMint(key, String(stack.sidecarEnvironment.TOKEN_ISSUER))
  line = (await shop.newLines([1000]))[0] as Line
})
after(() => stack?.stop())

const rows = <T>(app: string, statement: string, ...values: unknown[]) =>
  inDatabase<T>(stack.mysqlAdminUrl, app, statement, values)
const count = async (app: string, statement: string, ...values: unknown[]): Promise<number> =>
  Number((await rows<{ n: number }>(app, `SELECT COUNT(*) AS n FROM ${statement}`, ...values))[0]?.n)

interface Bought {
  readonly shopper: Pick<Shopper, 'token'>
  readonly order: Order
}

/** Repeats a request, with its key, until it is done: services go down and come up here. */
const done = <T extends { status: number }>(status: number, ask: (key: string) => Promise<T>): Promise<T> => {
  const key = crypto.randomUUID()
  return eventually(`an answer of ${status}`, async () => {
    const answer = await ask(key)
    return answer.status === status && answer
  })
}
const placed = async (of = line): Promise<Bought> => {
  const shopper = mint.member()
  const { body } = await done(201, (key) => shop.tryOrder(shopper, [of], { key }))
  return { shopper, order: body }
}
const pay = async ({ shopper, order }: Bought, sandbox?: object): Promise<void> => {
  const method = await shop.tokenise(undefined, sandbox)
  await done(201, (key) => shop.tryPay(shopper, order.id, method, { key }))
}
const cancel = async ({ shopper, order }: Bought): Promise<void> => {
  await done(200, () => shop.cancel(shopper, order.id))
}
/** Begins a payment that the provider holds, and gives what lets it go and waits for its end. */
const payingSlowly = async (bought: Bought, sandbox: object = {}) => {
  const paying = pay(bought, { ...heldCharge, ...sandbox })
  await eventually('it is under way', () => count('payments', 'payments WHERE order_id = ?', bought.order.id))
  return { ended: () => shop.released(paying) }
}
const sent = (app: string, topic: string, key: string) =>
  eventually(`${app} has sent ${topic}`, () =>
    count(app, 'outbox WHERE topic = ? AND event_key = ? AND sent', topic, key),
  )

/** With its sidecar, which may hold events. */
const down = async (app: string): Promise<void> => {
  for (const name of [app, `${app}.sidecar`]) await stack.process(name).stop()
}
const up = async (app: string): Promise<void> => {
  const both = [app, `${app}.sidecar`].map((name) => stack.process(name))
  await Promise.all(both.map((each) => each.start()))
  await Promise.all(both.map((each) => each.ready()))
}
const flush = () => tellRedis(stack, 'FLUSHALL')

const newProduct = (sku: string) => {
  const id = crypto.randomUUID()
  const text = { en: sku, zh: sku }
  let amount = 0
  const changePrice = async (): Promise<void> => {
    const [seller] = await rows<{ id: string }>('catalog', 'SELECT id FROM sellers LIMIT 1')
    amount += 100
    const variant = { sku, name: text, attributes: {}, weightGrams: 1, price: { amount, currency: 'USD' } }
    await shop.putProduct(id, {
      ...{ seller: seller?.id, category: 'tests', title: text, description: text, pictures: [], tags: [] },
      ...{ variants: [variant], status: 'on-shelf' },
    })
  }
  const priceIsKnown = () =>
    eventually(
      `orders knows the price of ${sku}`,
      () => count('orders', 'offers WHERE sku = ? AND unit_price = ?', sku, amount),
      healsWithinMs,
    )
  return { id, changePrice, priceIsKnown }
}

/** Who should have heard of what. */
const consumers = {
  'order.paid': ['orders', 'inventory'],
  'order.cancelled': ['orders', 'inventory'],
  'order.refund-due': ['orders', 'payments'],
  'payment.captured': ['payments', 'orders'],
  'payment.refunded': ['payments', 'orders'],
  'reservation.fulfilled': ['inventory', 'orders'],
  'reservation.failed': ['inventory', 'orders'],
  'product.changed': ['catalog', 'orders'],
} as const
type Topic = keyof typeof consumers

/** How many events were sent and never heard of. */
const unheard = (topic: Topic): Promise<number> => {
  const [publisher, consumer] = consumers[topic]
  return count(
    'orders',
    `${publisher}.outbox o LEFT JOIN ${consumer}.inbox i ON i.event_id = o.id
     WHERE o.topic = ? AND o.sent AND i.event_id IS NULL`,
    topic,
  )
}

/** A refunded order is a cancelled one that had been paid. */
type End = 'confirmed' | 'cancelled' | 'refunded'
const ended = (bought: Bought, ends: End): Promise<Order> =>
  eventually(
    `order ${bought.order.id} is ${ends}`,
    async () => {
      const order = await shop.orderOf(bought.shopper, bought.order.id)
      return [order.status, order.payment?.status].includes(ends) && order
    },
    healsWithinMs,
  )
const lastTime = ({ history }: Order) => Date.parse(String(history.at(-1)?.at))

/** One event of each kind is lost for good: its consumer is down when it is sent, and all is forgotten before it is up again. */
const loseEachKind = async () => {
  const stories: { topic: Topic; bought: Bought; ends: End; lostAt: number }[] = []
  const lost = (topic: Topic, bought: Bought, ends: End) =>
    stories.push({ topic, bought, ends, lostAt: Date.now() })

  const product = newProduct('CHANGES-ONCE')
  const [scarce] = (await shop.newLines([1])) as [Line]
  const [paid, cancelled, sold] = [await placed(), await placed(), await placed()]
  const [captured, unwanted, short] = [await placed(), await placed(), await placed(scarce)]
  await rows('inventory', 'UPDATE reservations SET expires_at = NOW(3) WHERE order_id = ?', short.order.id)
  const adjustment = `/v1/stock/${scarce.sku}/adjustments/${crypto.randomUUID()}`
  const ask = { token: await shop.asOperator(), body: { delta: -1, reason: 'broken' } }
  await done(200, () => shop.door('PUT', adjustment, ask))

  await down('inventory')
  await pay(paid)
  await cancel(cancelled)
  await sent('orders', 'order.paid', paid.order.id)
  await sent('orders', 'order.cancelled', cancelled.order.id)
  await flush()
  lost('order.paid', paid, 'confirmed')
  lost('order.cancelled', cancelled, 'cancelled')
  for (const bought of [sold, short]) {
    await pay(bought)
    await sent('orders', 'order.paid', bought.order.id)
  }

  const captures = [await payingSlowly(captured), await payingSlowly(unwanted)]
  await cancel(unwanted)
  await down('orders')
  for (const [n, bought] of [captured, unwanted].entries()) {
    await captures[n]?.ended()
    await sent('payments', 'payment.captured', bought.order.id)
  }
  await up('inventory')
  await product.changePrice()
  await sent('inventory', 'reservation.fulfilled', sold.order.id)
  await sent('inventory', 'reservation.failed', short.order.id)
  await sent('catalog', 'product.changed', product.id)
  await flush()
  lost('payment.captured', captured, 'confirmed')
  lost('payment.captured', unwanted, 'refunded')
  lost('reservation.fulfilled', sold, 'confirmed')
  lost('reservation.failed', short, 'refunded')
  const priceLostAt = Date.now()
  await up('orders')
  const priceHealed = product.priceIsKnown().then(() => Date.now() - priceLostAt)
  priceHealed.catch(() => {}) // Whoever waits for it hears of it.

  const refunded = await placed()
  const early = await payingSlowly(refunded, { refund: { delayMs: 3000 } })
  await cancel(refunded)
  await early.ended()
  await eventually('its refund is due', () =>
    count('payments', `payments WHERE order_id = ? AND status = 'refund-due'`, refunded.order.id),
  )
  await down('orders')
  await sent('payments', 'payment.refunded', refunded.order.id)
  await flush()
  lost('payment.refunded', refunded, 'refunded')
  await up('orders')

  const due = await placed()
  const late = await payingSlowly(due)
  await cancel(due)
  await down('orders')
  await late.ended()
  await sent('payments', 'payment.captured', due.order.id)
  await down('payments')
  await up('orders')
  await sent('orders', 'order.refund-due', due.order.id)
  await flush()
  lost('order.refund-due', due, 'refunded')
  await up('payments')
  return { stories, priceHealedMs: () => priceHealed }
}

/** Checkouts and a price that changes, while all that is under way is forgotten again and again: for `ms`, and for twenty orders. */
const sellAmidLosses = async (ms: number) => {
  const all: Bought[] = []
  const { changePrice, priceIsKnown } = newProduct('CHANGES-AGAIN')
  const end = Date.now() + ms
  const until = async (work: () => Promise<unknown>, restMs = 0): Promise<void> => {
    while (Date.now() < end || all.length < 20) {
      await work()
      await pause(restMs)
    }
  }
  const checkOut = async () => {
    const bought = await placed()
    all.push(bought)
    await (all.length % 7 === 0 ? cancel(bought) : pay(bought))
  }
  await Promise.all(
    [...Array(4)].map(() => until(checkOut)).concat(until(changePrice, 250), until(flush, 20)),
  )
  return { others: all, priceIsKnown }
}

test('whatever the broker loses for good, every order ends, and money, stock and prices are as they should be', async (t) => {
  const tell = (what: string, ms: number) => t.diagnostic(`${what}: ${(ms / 1000).toFixed(1)} s`)
  const { stories, priceHealedMs } = await loseEachKind()
  const { others, priceIsKnown } = await sellAmidLosses(6000)
  const quietAt = Date.now()

  for (const { topic, bought, ends, lostAt } of stories) {
    const order = await ended(bought, ends)
    if (topic !== 'order.cancelled')
      tell(`from the loss of ${topic} to the end of its order`, lastTime(order) - lostAt)
  }
  tell('from the loss of product.changed to the price', await priceHealedMs())
  let last = quietAt
  for (const { shopper, order } of others)
    last = Math.max(last, lastTime(await shop.settled(shopper, order.id, healsWithinMs)))
  tell(`from the last loss to the end of all ${others.length} orders`, last - quietAt)
  await priceIsKnown()
  // Of a cancellation that was lost nobody asks: what is held for it returns when its time is over.
  await rows('inventory', "UPDATE reservations SET expires_at = NOW(3) WHERE status = 'held'")
  const untold = `payments WHERE status = 'captured' AND ask_at IS NOT NULL`
  await eventually('orders knows of every capture', async () => (await count('payments', untold)) === 0)
  await eventually('no stock is held', async () => (await shop.stockOf(line.sku)).reserved === 0)
  for (const topic of Object.keys(consumers) as Topic[]) {
    const events = await unheard(topic)
    assert.ok(events > 0, `no ${topic} was lost`)
    t.diagnostic(`${events} of ${topic} lost`)
  }

  // What was lost stays unheard of; carts went with it.
  const findings = await audit({ stack, settleSeconds: 10 })
  const wrong = findings.filter(
    ({ check, found }) => found > 0 && !/every event meant for it|taken off/.test(check),
  )
  assert.deepEqual(wrong, [])
  assert.ok(findings.length > 30)
})
