import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { heldCharge } from '../support/shop.ts'
import { mint, rows, shop, stack } from '../support/stack.ts'

/** Orders of half the units that there are: what a try held that came to nothing returns by itself, if later than the next try. */
const place = async (count: number) => {
  const [line] = await shop.newLines([2 * count])
  assert.ok(line)
  const orders = await Promise.all(
    Array.from({ length: count }, async () => {
      const shopper = mint.member()
      return { shopper, id: (await shop.placeOrder(shopper, [line])).id }
    }),
  )
  await available(line.sku, count)
  return { line, orders }
}

const available = (sku: string, count: number) =>
  eventually(`${count} are available`, async () => (await shop.stockOf(sku)).available === count)

/** As if the time to pay were over. */
const timeIsOver = (orders: readonly { readonly id: string }[]) =>
  rows(
    'orders',
    'UPDATE orders SET pay_before = NOW(3) WHERE id IN (?)',
    orders.map(({ id }) => id),
  )

test('unpaid orders expire, and their stock returns', async () => {
  const { line, orders } = await place(10)
  await timeIsOver(orders)
  for (const { shopper, id } of orders) {
    const order = await shop.settled(shopper, id)
    assert.equal(order.status, 'cancelled')
    assert.equal(order.cancelReason, 'unpaid')
    assert.deepEqual(
      order.history.map((entry) => entry.what),
      ['placed', 'cancelled'],
    )
  }
  await available(line.sku, 20)
})

test('a paid order does not expire', async () => {
  const { orders } = await place(2)
  const [first, unpaid] = orders
  assert.ok(first && unpaid)
  await shop.pay(first.shopper, first.id)
  assert.equal((await shop.settled(first.shopper, first.id)).status, 'confirmed')
  await timeIsOver(orders)
  assert.equal((await shop.settled(unpaid.shopper, unpaid.id)).status, 'cancelled')
  assert.equal((await shop.orderOf(first.shopper, first.id)).status, 'confirmed')
})

test('a payment that arrives after the order was cancelled is refunded', async () => {
  const { line, orders } = await place(1)
  const [first] = orders
  assert.ok(first)
  // While a payment is under way, an order whose time is over waits for its end. Here the shopper cancels meanwhile.
  const paying = shop.tryPay(first.shopper, first.id, await shop.tokenise(undefined, heldCharge))
  await eventually('the payment is under way', async () => {
    const { body } = await shop.door('GET', `/v1/orders/${first.id}/payments`, { token: first.shopper.token })
    return body.data.length === 1
  })
  assert.equal((await shop.persistently(() => shop.cancel(first.shopper, first.id))).status, 200)
  const paid = await shop.released(paying)
  assert.equal(paid.status, 201, paid.text)
  const order = await eventually('the money went back', async () => {
    const current = await shop.orderOf(first.shopper, first.id)
    return current.payment?.status === 'refunded' && current
  })
  assert.equal(order.status, 'cancelled')
  const ledger = await shop.ledgerOf(first.id)
  assert.equal(ledger.length, 4)
  assert.equal(
    ledger.filter((entry) => entry.account === 'provider').reduce((sum, entry) => sum + entry.amount, 0),
    0,
  )
  const [charge] = await shop.chargesOf(paid.body.id)
  assert.equal(charge?.refunded, charge?.amount)
  await available(line.sku, 2)
})

test('the process that would end them is killed, and another takes over', async () => {
  for (const victim of ['orders', 'orders-2']) {
    const { line, orders } = await place(10)
    await stack.process(victim).kill('SIGKILL')
    await stack.process(victim).stop() // so that nobody starts it again meanwhile
    await timeIsOver(orders)
    for (const { shopper, id } of orders)
      assert.equal((await shop.settled(shopper, id)).status, 'cancelled', victim)
    await available(line.sku, 20)
    await stack.process(victim).start()
    await stack.process(victim).ready()
  }
})

test('stock reserved for an order that never came to be returns', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const orphan = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
  // What a crash between reserving and committing leaves behind.
  const inventory = (statement: string, ...values: unknown[]) => rows('inventory', statement, ...values)
  await inventory(
    'INSERT INTO reservation_items (order_id, sku, quantity) VALUES (?, ?, 2)',
    orphan,
    line.sku,
  )
  await inventory(
    'UPDATE stock SET available = available - 2, reserved = reserved + 2 WHERE sku = ?',
    line.sku,
  )
  await inventory(
    "INSERT INTO reservations (order_id, status, expires_at) VALUES (?, 'held', NOW(3))",
    orphan,
  )
  await stack.process('inventory').kill('SIGKILL')
  await available(line.sku, 5)
})
