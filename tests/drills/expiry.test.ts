import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { inDatabase } from '../support/in-database.ts'
import { type Shop, shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'

/** A shop of its own: two of each service that ends things, and three seconds to pay. */
let stack: Stack
let shop: Shop
let mint: ReturnType<typeof openMint>

before(async () => {
  await eraseStack('expiry')
  stack = await startStack({
    profile: 'expiry',
    ports: 'free',
    replicas: { orders: 2, inventory: 2 },
    env: { orders: { PAYMENT_WINDOW_SECONDS: '3' } },
  })
  shop = shopOf(stack)
  mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
})
after(() => stack?.stop())

const place = async (count: number) => {
  const [line] = await shop.newLines([count])
  assert.ok(line)
  const orders = await Promise.all(
    Array.from({ length: count }, async () => {
      const shopper = mint.member()
      const { status, body, text } = await shop.tryOrder(shopper, [line])
      assert.equal(status, 201, text)
      return { shopper, id: body.id }
    }),
  )
  return { line, orders }
}

test('unpaid orders expire, and their stock returns', async () => {
  const { line, orders } = await place(10)
  assert.equal((await shop.stockOf(line.sku)).available, 0)
  for (const { shopper, id } of orders) {
    const order = await shop.settled(shopper, id, 20_000)
    assert.equal(order.status, 'cancelled')
    assert.equal(order.cancelReason, 'unpaid')
    assert.deepEqual(
      order.history.map((entry) => entry.what),
      ['placed', 'cancelled'],
    )
  }
  await eventually('the stock is back', async () => (await shop.stockOf(line.sku)).available === 10)
})

test('a paid order does not expire', async () => {
  const { orders } = await place(1)
  const [first] = orders
  assert.ok(first)
  const paid = await shop.tryPay(first.shopper, first.id, await shop.tokenise())
  assert.equal(paid.status, 201, paid.text)
  assert.equal((await shop.settled(first.shopper, first.id)).status, 'confirmed')
})

test('a payment that arrives after the order expired is refunded', async () => {
  const { line, orders } = await place(1)
  const [first] = orders
  assert.ok(first)
  // The provider takes longer than the shopper may: payments knows nothing, so the order waits for its word, and expires
  // only if that is no. Here the shopper cancels meanwhile, and the money comes after.
  const paying = shop.tryPay(first.shopper, first.id, await shop.tokenise(undefined, { delayMs: 4000 }))
  await eventually('the payment is under way', async () => {
    const { body } = await shop.door('GET', `/v1/orders/${first.id}/payments`, { token: first.shopper.token })
    return body.data.length === 1
  })
  assert.equal((await shop.cancel(first.shopper, first.id)).status, 200)
  const paid = await paying
  assert.equal(paid.status, 201, paid.text)
  const order = await eventually(
    'the money went back',
    async () => {
      const current = await shop.orderOf(first.shopper, first.id)
      return current.payment?.status === 'refunded' && current
    },
    30_000,
  )
  assert.equal(order.status, 'cancelled')
  const ledger = await shop.ledgerOf(first.id)
  assert.equal(ledger.length, 4)
  assert.equal(
    ledger.filter((entry) => entry.account === 'provider').reduce((sum, entry) => sum + entry.amount, 0),
    0,
  )
  const [charge] = await shop.chargesOf(paid.body.id)
  assert.equal(charge?.refunded, charge?.amount)
  await eventually('the stock is back', async () => (await shop.stockOf(line.sku)).available === 1)
})

test('the process that would end them is killed, and another takes over', async () => {
  for (const victim of ['orders', 'orders-2']) {
    const { line, orders } = await place(10)
    await stack.process(victim).kill('SIGKILL')
    await stack.process(victim).stop() // so that nobody starts it again meanwhile
    for (const { shopper, id } of orders)
      assert.equal((await shop.settled(shopper, id, 60_000)).status, 'cancelled', victim)
    await eventually('the stock is back', async () => (await shop.stockOf(line.sku)).available === 10, 60_000)
    await stack.process(victim).start()
    await stack.process(victim).ready()
  }
})

test('stock reserved for an order that never came to be returns', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const orphan = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
  const inventory = (sql: string, values: unknown[]) =>
    inDatabase(stack.mysqlAdminUrl, 'inventory', sql, values)
  // What a crash between reserving and committing leaves behind.
  await inventory('INSERT INTO reservation_items (order_id, sku, quantity) VALUES (?, ?, 2)', [
    orphan,
    line.sku,
  ])
  await inventory('UPDATE stock SET available = available - 2, reserved = reserved + 2 WHERE sku = ?', [
    line.sku,
  ])
  await inventory("INSERT INTO reservations (order_id, status, expires_at) VALUES (?, 'held', NOW(3))", [
    orphan,
  ])
  await stack.process('inventory').kill('SIGKILL')
  await eventually('the stock is back', async () => (await shop.stockOf(line.sku)).available === 5, 30_000)
})
