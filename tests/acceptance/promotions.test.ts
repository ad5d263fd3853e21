import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redeem } from '@caravan/contracts/redemptions'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { get } from '../contract/ask.ts'
import { shippingAddress } from '../support/shop.ts'
import { mint, rows, shop } from '../support/stack.ts'

const off = 300
const coupon = async (limits?: object, uses?: number) => {
  const [line] = await shop.newLines([100])
  assert.ok(line)
  const made = await shop.newCoupon(line, {
    amount: off,
    ...(limits ? { limits } : {}),
    ...(uses ? { uses } : {}),
  })
  const total = { ...line.unitPrice, amount: line.unitPrice.amount - off }
  const order = (buyer: { token: string }, code = made.code) => {
    const key = crypto.randomUUID()
    const wishes = { codes: [code], total }
    return shop.persistently(() => shop.tryOrder(buyer, [line], { key, wishes }))
  }
  return { ...made, line, total, order }
}
const usage = async (promotionId: string) => {
  const [row] = await rows<{ used: number; spent: number }>(
    'promotions',
    'SELECT used, spent FROM promotions WHERE id = ?',
    promotionId,
  )
  return [row?.used, row?.spent]
}

test('a coupon, in any spelling, is what the order costs less; cancelled it can be used again, paid it stays used', async () => {
  const { promotionId, code, order, total } = await coupon({ uses: 1 })
  const [mei, li] = [mint.member(), mint.member()]
  const first = await order(mei, ` ${code.toLowerCase()}`)
  assert.equal(first.status, 201, first.text)
  assert.equal(first.body.total, total.amount)
  assert.deepEqual(await usage(promotionId), [1, off])
  const refused = await order(li)
  assert.deepEqual([refused.status, refused.body.code], [409, 'orders/total-changed'], refused.text)

  assert.equal((await shop.cancel(mei, first.body.id)).status, 200)
  await eventually('it is given back', async () => (await usage(promotionId))[0] === 0)
  const second = await order(li)
  assert.equal(second.status, 201, second.text)
  await shop.pay(li, second.body.id)
  assert.equal((await shop.settled(li, second.body.id)).status, 'confirmed')
  await eventually('it is confirmed', async () => {
    const [row] = await rows(
      'promotions',
      'SELECT status FROM redemptions WHERE order_id = ?',
      second.body.id,
    )
    return row?.status === 'confirmed'
  })
  assert.deepEqual(await usage(promotionId), [1, off])
  assert.equal((await order(mei)).status, 409)
})

test('fifty buyers at once and a coupon for ten orders: ten have it, for not a cent more than its budget', async () => {
  const { promotionId, order, line } = await coupon({ uses: 10, budget: 10 * off })
  const answers = await Promise.all(Array.from({ length: 50 }, () => order(mint.member())))
  const statuses = Object.groupBy(answers, ({ status }) => `${status}`)
  assert.deepEqual([statuses['201']?.length, statuses['409']?.length], [10, 40])
  assert.deepEqual(await usage(promotionId), [10, 10 * off])
  assert.equal((await shop.stockOf(line.sku)).reserved, 10)
})

test('a code with one use is one order’s, and another customer’s is no code', async () => {
  const once = await coupon({}, 1)
  const answers = await Promise.all(Array.from({ length: 20 }, () => once.order(mint.member())))
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  const { promotionId, code, line } = await coupon()
  const [mei, li] = [mint.member(), mint.member()]
  const path = `/v1/promotions/${promotionId}/codes/${code}`
  const body = { status: 'active', customer: mei.id }
  const put = await shop.door('PUT', path, { token: await shop.asOperator(), body })
  assert.equal(put.status, 200, put.text)
  const saved = async ({ token }: { token: string }) => {
    const items = [{ sku: line.sku, quantity: 1 }]
    const wishes = { items, destination: { country: shippingAddress.country }, codes: [code] }
    return (await shop.door('POST', '/v1/quotes', { token, body: wishes })).body
  }
  assert.equal((await saved(mei)).discount, off)
  assert.deepEqual((await saved(li)).idleCodes, [{ code, why: 'not-found' }])
})

test('who guesses codes has to wait, and is told nothing of what is right meanwhile', async () => {
  const { code, line } = await coupon()
  const { token } = mint.member()
  const ask = (codes: string[]) => {
    const items = [{ sku: line.sku, quantity: 1 }]
    return shop.door('POST', '/v1/quotes', {
      token,
      body: { items, destination: { country: shippingAddress.country }, codes },
    })
  }
  const wrong = () => Array.from({ length: 5 }, () => `WRONG-${newId().slice(-12)}`)
  const refused = await eventually('it has to wait', async () => {
    const answer = await ask(wrong())
    return answer.status === 429 && answer
  })
  assert.equal(refused.body.code, 'orders/too-many-codes')
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.equal((await ask([code])).status, 429)
})

test('twelve thousand codes are made, and come as one file', async () => {
  const { promotionId } = await coupon()
  const token = await shop.asOperator()
  const path = `/v1/promotions/${promotionId}`
  const ordered = { count: 12_000, prefix: 'TEA-' }
  const batch = await shop.door('POST', `${path}/code-batches`, { token, body: ordered })
  assert.equal(batch.status, 201, batch.text)
  const { id } = batch.body
  await eventually(
    'all are made',
    async () => (await shop.door('GET', `${path}/code-batches/${id}`, { token })).body.made === ordered.count,
  )
  const file = await shop.door('GET', `${path}/codes.csv?batchId=${id}`, { token, withinMs: 60_000 })
  assert.equal(file.headers.get('content-type'), 'text/csv; charset=utf-8')
  const [head, ...lines] = file.text.trimEnd().split('\r\n')
  assert.match(String(head), /^code,status,uses,/)
  const codes = lines.map((line) => line.split(',')[0])
  assert.equal(new Set(codes).size, ordered.count)
  assert.deepEqual(codes, codes.toSorted())
  const shopper = await shop.door('GET', `${path}/codes.csv`, { token: mint.member().token })
  assert.equal(shopper.status, 403)
})

test('what was redeemed for an order that never came to be is given back, when orders has said so', async () => {
  const { promotionId, code } = await coupon({ uses: 1 })
  const uses = [{ promotionId, version: 1, code, amount: off }]
  const body = { orderId: newId(), customer: newId(), ttlSeconds: 1, uses }
  assert.deepEqual(await get(redeem, { body }, { through: 'orders' }), { outcome: 'redeemed' })
  assert.deepEqual(await usage(promotionId), [1, off])
  await eventually('it is given back', async () => (await usage(promotionId))[0] === 0)
  assert.deepEqual(await get(redeem, { body }, { through: 'orders' }), { outcome: 'closed' })
})
