import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { listSales } from '@caravan/contracts/sales'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { z } from 'zod'
import { mint, shop } from '../support/stack.ts'

type Page = z.infer<NonNullable<typeof listSales.response>>

const { sure, door } = shop
const day = (at: number) => new Date(at).toISOString().slice(0, 10)

/** Yesterday to tomorrow: a test may run at midnight. */
const query = (more: Record<string, string>) => {
  const now = Date.now()
  const days = { from: day(now - 86_400_000), until: day(now + 86_400_000) }
  return `/v1/sales?${new URLSearchParams({ ...days, limit: '2', ...more })}`
}
const figures = async (more: Record<string, string>): Promise<Page['data']> => {
  const data: Page['data'] = []
  let after: string | undefined
  do {
    const token = await shop.asOperator()
    const page = await sure<Page>('GET', query({ ...more, ...(after ? { after } : {}) }), { token })
    data.push(...page.data)
    after = page.next
  } while (after)
  return data
}

test('figures are what was sold, with what was cancelled and given back of it', async () => {
  const lines = await shop.newLines([9, 9, 9], 1000)
  const shopper = mint.member()
  const bought = []
  for (let n = 0; n < 2; n += 1) {
    const items = lines.map((line, index) => ({ ...line, quantity: index + 1 }))
    const { id } = await shop.placeOrder(shopper, items)
    await shop.pay(shopper, id)
    bought.push(await shop.settled(shopper, id))
  }
  const [first, second] = bought
  assert.ok(first && second)
  const cancelled = { lines: [{ sku: lines[1]?.sku, quantity: 1 }] }
  await sure(
    'POST',
    `/v1/orders/${first.id}/line-cancellations`,
    { token: shopper.token, body: cancelled },
    201,
  )
  const refund = { token: await shop.asOperator(), body: { lines: [{ sku: lines[0]?.sku, quantity: 1 }] } }
  await sure('POST', `/v1/orders/${second.id}/refunds`, refund, 201)

  const seller = String(first.quote?.lines[0]?.seller)
  const sum = (rows: Page['data'], side: 'sold' | 'back') =>
    rows.reduce((total, row) => total + row[side].gross, 0)
  // 1 × 10.00, 2 × 11.00, 3 × 12.00, twice; 11.00 and 10.00 went back.
  const expected = [first.total + second.total, 2100]
  const bySku = await eventually('all of it is counted', async () => {
    const rows = await figures({ by: 'sku', seller })
    return sum(rows, 'sold') === expected[0] && sum(rows, 'back') === expected[1] && rows
  })
  assert.deepEqual(
    bySku.map((row) => [row.key, row.sold.units, row.sold.gross, row.back.units, row.back.gross]),
    [
      [lines[0]?.sku, 2, 2000, 1, 1000],
      [lines[1]?.sku, 4, 4400, 1, 1100],
      [lines[2]?.sku, 6, 7200, 0, 0],
    ],
  )
  for (const by of ['day', 'category', 'seller', 'country']) {
    const rows = await figures({ by, seller })
    assert.deepEqual([sum(rows, 'sold'), sum(rows, 'back')], expected, by)
  }
  assert.deepEqual(await figures({ by: 'sku', seller, country: 'PL' }), [])
})

test('figures are for finance, and a cursor is one that was handed out', async () => {
  const token = mint.member().token
  assert.equal((await shop.persistently(() => door('GET', query({ by: 'day' }), { token }))).status, 403)
  const staff = { token: await shop.asOperator() }
  const ask = (more: Record<string, string>) => shop.persistently(() => door('GET', query(more), staff))
  assert.equal((await ask({ by: 'day', after: 'x' })).status, 422)
  assert.equal((await ask({ by: 'hour' })).status, 422)
})
