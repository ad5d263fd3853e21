import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { eventually } from '../support/eventually.ts'
import { inDatabase } from '../support/in-database.ts'
import { type Line, type Shop, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'

const apps = ['identity', 'catalog', 'inventory', 'carts', 'orders', 'payments', 'gateway']
const checkouts = 50

let stack: Stack
let shop: Shop
let mint: ReturnType<typeof openMint>

before(async () => {
  await eraseStack('kills')
  stack = await startStack({
    profile: 'kills',
    ports: 'free',
    env: { orders: { PAYMENT_WINDOW_SECONDS: '30' } },
  })
  shop = shopOf(stack)
  mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
})
after(() => stack?.stop())

interface Acknowledged {
  readonly shopper: { readonly token: string }
  readonly id: string
  readonly total: number
}

/** A client that repeats a request, with its key, until it gets an answer that is not a failure of ours. */
const persist = async <T extends { status: number }>(ask: (key: string) => Promise<T>): Promise<T> => {
  const key = crypto.randomUUID()
  const end = Date.now() + 60_000
  for (;;) {
    const answer = await ask(key).catch(() => undefined)
    const transient = !answer || answer.status >= 500 || answer.status === 429 || inFlight(answer)
    if (answer && !transient) return answer
    if (Date.now() > end) throw new Error(`no answer for a minute; last ${answer?.status}`)
    await pause(100)
  }
}

const inFlight = (answer: { status: number; body?: { code?: string } }): boolean =>
  answer.status === 409 && answer.body?.code === 'idempotency/in-flight'

/** Fifty checkouts, eight at a time; `halfway` runs when half of them are under way. */
const sell = async (
  line: Line,
  acknowledged: Acknowledged[],
  halfway: () => Promise<void>,
): Promise<void> => {
  let started = 0
  let kill: Promise<void> | undefined
  const client = async (): Promise<void> => {
    while (started < checkouts) {
      started += 1
      const payIt = started % 5 !== 0
      if (started === checkouts / 2) kill = halfway()
      const shopper = mint.member()
      const order = await persist((key) => shop.tryOrder(shopper, [line], { key }))
      assert.equal(order.status, 201, order.text)
      acknowledged.push({ shopper, id: order.body.id, total: order.body.total })
      if (!payIt) continue
      const method = await shop.tokenise()
      const paid = await persist((key) => shop.tryPay(shopper, order.body.id, method, { key }))
      assert.ok(paid.status === 201 || paid.status === 409, paid.text)
    }
  }
  await Promise.all(Array.from({ length: 8 }, client))
  await kill
}

test('kill -9 of each service and each sidecar, once, amid 50 checkouts: nothing acknowledged is lost', async () => {
  const victims = apps.flatMap((app) => [app, `${app}.sidecar`])
  const [line] = await shop.newLines([victims.length * checkouts])
  assert.ok(line)
  const acknowledged: Acknowledged[] = []
  for (const victim of victims) {
    const { pid } = stack.process(victim)
    await sell(line, acknowledged, () => stack.process(victim).kill('SIGKILL'))
    await stack.process(victim).ready()
    assert.notEqual(stack.process(victim).pid, pid, `${victim} was not killed`)
  }
  assert.equal(acknowledged.length, victims.length * checkouts)
  assert.equal(new Set(acknowledged.map((order) => order.id)).size, acknowledged.length)

  const sold = { confirmed: 0, cancelled: 0 }
  let captured = 0
  for (const { shopper, id, total } of acknowledged) {
    const order = await shop.settled(shopper, id, 90_000)
    assert.ok(order.status === 'confirmed' || order.status === 'cancelled', `${id} ended ${order.status}`)
    sold[order.status] += 1
    const inHand = (await shop.ledgerOf(id))
      .filter((entry) => entry.account === 'provider')
      .reduce((sum, entry) => sum + entry.amount, 0)
    assert.equal(inHand, order.status === 'confirmed' ? total : 0, `the money of ${id}`)
    captured += inHand
  }
  assert.ok(sold.confirmed > 0 && sold.cancelled > 0, JSON.stringify(sold))

  // No order and no charge that nobody was told of: what is sold is what was acknowledged, by all four sets of books.
  const stock = await eventually(
    'no stock is held any more',
    async () => {
      const current = await shop.stockOf(line.sku)
      return current.reserved === 0 && current
    },
    60_000,
  )
  assert.equal(stock.sold, sold.confirmed)
  assert.equal(stock.available, stock.received - sold.confirmed)
  const [orders] = await inDatabase<{ n: number }>(
    stack.mysqlAdminUrl,
    'orders',
    'SELECT COUNT(*) AS n FROM orders',
  )
  assert.equal(orders?.n, acknowledged.length)
  assert.equal(await shop.ledgerBalance(), 0)
  assert.equal(await providerBalance(), captured)
})

/** What the provider holds for the shop, by its own books. */
const providerBalance = async (): Promise<number> => {
  let balance = 0
  let after = ''
  for (;;) {
    const path = `/v1/charges?limit=100${after ? `&after=${after}` : ''}`
    const { body } = await shop.psp('GET', path, { headers: { authorization: shop.pspAuthorization } })
    for (const charge of body.data) {
      if (charge.status === 'captured') balance += charge.amount - charge.refunded
      after = charge.id
    }
    if (!body.hasMore) return balance
  }
}
