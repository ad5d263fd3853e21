import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { rows, shop } from '../support/stack.ts'

/** `MAX_UNPAID_ORDERS`, unless said otherwise. */
const most = 50

test('one account’s unpaid orders hold a bounded part of the stock, however many it places at once', async () => {
  const lines = await shop.newLines([most + 20])
  const sku = String(lines[0]?.sku)
  const shopper = await shop.newShopper()
  const answers = await Promise.all(
    Array.from({ length: most + 15 }, (_, n) =>
      shop.persistently(() => shop.tryOrder(shopper, lines, { key: `request-${n}` })),
    ),
  )
  const placed = answers.filter(({ status }) => status === 201)
  const refused = answers.filter(({ status }) => status !== 201)
  assert.deepEqual([placed.length, refused.length], [most, 15])
  for (const { status, body, headers } of refused) {
    assert.deepEqual([status, body.code, body.unpaidOrders], [409, 'orders/too-many-unpaid', most])
    assert.ok(Number(headers.get('retry-after')) > 0)
  }
  const held = () => shop.stockOf(sku).then(({ reserved }) => reserved)
  await eventually('what was refused holds nothing', async () => (await held()) === most)

  const reservations = async () => {
    const [row] = await rows<{ n: number }>(
      'inventory',
      'SELECT COUNT(*) AS n FROM reservation_items WHERE sku = ?',
      sku,
    )
    return Number(row?.n)
  }
  const before = await reservations()
  assert.equal((await shop.tryOrder(shopper, lines)).body.code, 'orders/too-many-unpaid')
  assert.equal(await reservations(), before, 'from now on it is refused before anything is held')
  const other = await shop.newShopper()
  const [first, second] = placed
  assert.equal((await shop.tryOrder(other, lines)).status, 201)
  await shop.pay(shopper, String(first?.body.id))
  await shop.cancel(shopper, String(second?.body.id))
  for (const expected of [201, 201, 409]) assert.equal((await shop.tryOrder(shopper, lines)).status, expected)
})
