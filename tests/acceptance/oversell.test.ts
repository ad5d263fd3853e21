import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { mint, shop } from '../support/stack.ts'

test('200 buyers at once and 50 units: exactly 50 orders', async () => {
  const [line] = await shop.newLines([50])
  assert.ok(line)
  const buy = () => {
    const [shopper, key] = [mint.member(), crypto.randomUUID()]
    return shop.persistently(() => shop.tryOrder(shopper, [line], { key }))
  }
  const answers = await Promise.all(Array.from({ length: 200 }, buy))
  const refused = answers.filter((answer) => answer.status === 409)
  assert.equal(answers.filter((answer) => answer.status === 201).length, 50, summary(answers))
  assert.equal(refused.length, 150, summary(answers))
  for (const { body } of refused) assert.equal(body.code, 'inventory/insufficient-stock')
  const stock = await shop.stockOf(line.sku)
  assert.deepEqual(stock, { sku: line.sku, received: 50, available: 0, reserved: 50, sold: 0 })
})

test('two lines of one SKU count together', async () => {
  const [line] = await shop.newLines([3])
  assert.ok(line)
  const shopper = mint.member()
  const two = { ...line, quantity: 2 }
  const refused = await shop.tryOrder(shopper, [two, two])
  assert.equal(refused.status, 409, refused.text)
  assert.deepEqual(refused.body.shortages, [{ sku: line.sku, requested: 4, available: 3 }])
  assert.equal((await shop.stockOf(line.sku)).available, 3)

  const accepted = await shop.tryOrder(shopper, [two, line])
  assert.equal(accepted.status, 201, accepted.text)
  assert.deepEqual(
    accepted.body.lines.map(({ sku, quantity, total }) => ({ sku, quantity, total })),
    [{ sku: line.sku, quantity: 3, total: 4500 }],
  )
})

test('an order is all or nothing', async () => {
  const [plenty, scarce] = await shop.newLines([100, 1])
  assert.ok(plenty && scarce)
  const refused = await shop.tryOrder(mint.member(), [plenty, { ...scarce, quantity: 2 }])
  assert.equal(refused.status, 409, refused.text)
  assert.deepEqual(refused.body.errors, [{ pointer: '/items/1/quantity', detail: 'more than is available' }])
  assert.equal((await shop.stockOf(plenty.sku)).reserved, 0)
})

test('a request that is repeated with its key places one order and gets the same answer', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const shopper = mint.member()
  const key = crypto.randomUUID()
  const answers = await Promise.all(Array.from({ length: 8 }, () => shop.tryOrder(shopper, [line], { key })))
  for (const { status } of answers) assert.ok(status === 201 || status === 409, `${status}`)
  const again = await eventually('the first run has ended', async () => {
    const answer = await shop.tryOrder(shopper, [line], { key })
    return answer.status === 201 && answer
  })
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  for (const { status, body } of answers) if (status === 201) assert.equal(body.id, again.body.id)
  assert.equal((await shop.stockOf(line.sku)).reserved, 1)

  const other = await shop.tryOrder(shopper, [{ ...line, quantity: 2 }], { key })
  assert.equal(other.status, 422)
  assert.equal(other.body.code, 'idempotency/key-reused')
})

const summary = (answers: readonly { status: number; body: object }[]): string =>
  JSON.stringify(
    Object.groupBy(answers, ({ status, body }) => `${status} ${'code' in body ? body.code : ''}`),
    (key, value) => (Array.isArray(value) && key !== '' ? value.length : value),
  )
