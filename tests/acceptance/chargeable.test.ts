import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { logLines } from '../support/log-lines.ts'
import { mint, rows, shop } from '../support/stack.ts'

const newSku = () => `C-${newId().slice(-12).toUpperCase()}`
const pointersOf = ({ body }: { body: { errors?: { pointer: string }[] } }) =>
  body.errors?.map(({ pointer }) => pointer)

/** A product's content, priced otherwise. */
const priced = async (price: object) => {
  const { id, version: _, createdAt: __, updatedAt: ___, ...content } = await shop.newProduct([newSku()])
  return {
    id,
    content: { ...content, variants: content.variants.map((variant) => ({ ...variant, price })) },
  }
}

test('a price that no card could be charged with is refused at the product, with a pointer to what is wrong', async () => {
  const token = await shop.asOperator()
  for (const [amount, currency, field] of [
    [1999, 'RMB', 'currency'],
    [1999, 'HRK', 'currency'],
    [1999, 'XXX', 'currency'],
    [1999, 'usd', 'currency'],
    [0, 'USD', 'amount'],
    [100_000_000, 'USD', 'amount'],
    [1005, 'KWD', 'amount'],
  ] as const) {
    const { id, content } = await priced({ amount, currency })
    const answer = await shop.door('PUT', `/v1/products/${id}`, { token, body: content })
    const pointer = `/variants/0/price/${field}`
    assert.deepEqual([answer.status, pointersOf(answer)], [422, [pointer]], answer.text)
  }
  for (const price of [
    { amount: 1999, currency: 'VED' },
    { amount: 99_999_999, currency: 'ISK' },
    { amount: 1010, currency: 'KWD' },
  ]) {
    const { id, content } = await priced(price)
    assert.deepEqual((await shop.putProduct(id, content)).variants[0]?.price, price)
  }
})

test('an order that no card could be charged with is refused before any stock is held', async () => {
  const [line] = await shop.newLines([5], 60_000_000)
  assert.ok(line)
  const refuse = async (...lines: (typeof line)[]) => {
    const answer = await shop.tryOrder(mint.member(), lines)
    assert.deepEqual(
      [answer.status, answer.body.code, pointersOf(answer as never)],
      [422, 'orders/not-chargeable', ['/items']],
      answer.text,
    )
  }
  await refuse({ ...line, quantity: 2 })
  await refuse(line, line)
  // As a product that was priced when its currency was one, or nobody looked.
  await rows('orders', "UPDATE offers SET currency = 'HRK' WHERE sku = ?", line.sku)
  await refuse({ ...line, unitPrice: { ...line.unitPrice, currency: 'HRK' } })
  assert.equal((await shop.stockOf(line.sku)).available, 5)
})

test('what the provider refuses for the shop’s own fault is an outage, seen by whoever runs it; the same request pays when it is mended', async () => {
  const shopper = mint.member()
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const { id, total } = await shop.placeOrder(shopper, [line])
  await rows('orders', 'UPDATE orders SET total = 100000000 WHERE id = ?', id)
  const [key, method] = [crypto.randomUUID(), await shop.tokenise()]
  const refused = await shop.tryPay(shopper, id, method, { key })
  assert.deepEqual([refused.status, refused.body.code], [503, 'payments/provider-refused'], refused.text)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  const errors = logLines('payments').filter((entry) => /refused our request/.test(entry.msg ?? ''))
  assert.deepEqual([errors.at(-1)?.level, errors.at(-1)?.code], ['error', 'psp/invalid-request'])
  const payments = await shop.door('GET', `/v1/orders/${id}/payments`, { token: shopper.token })
  assert.deepEqual(payments.body.data, [])

  await rows('orders', 'UPDATE orders SET total = ? WHERE id = ?', total, id)
  const paid = await shop.tryPay(shopper, id, method, { key })
  assert.deepEqual([paid.status, paid.body.status], [201, 'captured'], paid.text)
  assert.equal((await shop.chargesOf(paid.body.id)).length, 1)
})

test('a payment method that the provider does not know is no declined card, and another pays', async () => {
  const shopper = mint.member()
  const { id } = await shop.placeOrder(shopper, await shop.newLines([1]))
  const refused = await shop.tryPay(shopper, id, `pm_${'x'.repeat(100)}`)
  assert.deepEqual(
    [refused.status, refused.body.code, pointersOf(refused as never)],
    [422, 'payments/unknown-payment-method', ['/paymentMethod']],
    refused.text,
  )
  await shop.pay(shopper, id)
})
