import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cloudEvent, publishAs } from '../support/publish.ts'
import { mint, shop } from '../support/stack.ts'

test('100 parallel adds of one SKU sum up', async () => {
  const { token } = mint.member()
  const add = () => {
    const [key, body] = [crypto.randomUUID(), { sku: 'PARALLEL', quantity: 1 }]
    return shop.persistently(() => shop.door('POST', '/v1/carts/mine/items', { token, key, body }))
  }
  const answers = await Promise.all(Array.from({ length: 100 }, add))
  for (const answer of answers) assert.equal(answer.status, 200, answer.text)
  const { body } = await shop.persistently(() => shop.door('GET', '/v1/carts/mine', { token }))
  assert.deepEqual(
    body.lines.map(({ sku, quantity }: { sku: string; quantity: number }) => [sku, quantity]),
    [['PARALLEL', 100]],
  )
})

test('a guest’s cart is merged at sign-in, once however often it is asked', async () => {
  const guest = await shop.door('POST', '/v1/carts')
  assert.equal(guest.status, 201, guest.text)
  const guestCartId = guest.body.id
  for (const sku of ['KETTLE', 'TEAPOT', 'TEAPOT']) {
    const added = await shop.door('POST', `/v1/carts/${guestCartId}/items`, { body: { sku, quantity: 1 } })
    assert.equal(added.status, 200, added.text)
  }
  const shopper = await shop.newShopper()
  const { token } = shopper
  await shop.door('POST', '/v1/carts/mine/items', { token, body: { sku: 'TEAPOT', quantity: 3 } })
  for (let n = 0; n < 3; n += 1) {
    const merged = await shop.door('POST', '/v1/carts/mine/merges', { token, body: { guestCartId } })
    assert.equal(merged.status, 200, merged.text)
    const lines = Object.fromEntries(
      merged.body.lines.map((line: { sku: string; quantity: number }) => [line.sku, line.quantity]),
    )
    assert.deepEqual(lines, { TEAPOT: 5, KETTLE: 1 })
  }
  assert.equal((await shop.door('GET', `/v1/carts/${guestCartId}`)).status, 404)
})

test('a repeated add with its key counts once', async () => {
  const { token } = mint.member()
  const key = crypto.randomUUID()
  for (let n = 0; n < 3; n += 1) {
    const added = await shop.door('POST', '/v1/carts/mine/items', {
      token,
      key,
      body: { sku: 'ONCE', quantity: 2 },
    })
    assert.equal(added.status, 200, added.text)
  }
  const { body } = await shop.door('GET', '/v1/carts/mine', { token })
  assert.equal(body.lines[0].quantity, 2)
})

test('quantities are set and lines removed', async () => {
  const { token } = mint.member()
  await shop.door('POST', '/v1/carts/mine/items', { token, body: { sku: 'LAMP', quantity: 2 } })
  const set = await shop.door('PUT', '/v1/carts/mine/items/LAMP', { token, body: { quantity: 7 } })
  assert.equal(set.body.lines[0].quantity, 7)
  const removed = await shop.door('DELETE', '/v1/carts/mine/items/LAMP', { token })
  assert.deepEqual(removed.body.lines, [])
})

test('what was bought leaves the cart', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const shopper = mint.member()
  await shop.door('POST', '/v1/carts/mine/items', {
    token: shopper.token,
    body: { sku: line.sku, quantity: 1 },
  })
  await shop.door('POST', '/v1/carts/mine/items', {
    token: shopper.token,
    body: { sku: 'KEPT', quantity: 1 },
  })
  const order = await shop.tryOrder(shopper, [line])
  await shop.tryPay(shopper, order.body.id, await shop.tokenise())
  await eventually('only the other line is left', async () => {
    const { body } = await shop.door('GET', '/v1/carts/mine', { token: shopper.token })
    return body.lines.length === 1 && body.lines[0].sku === 'KEPT'
  })
})

test('the cart of a closed account is empty for good, also for who comes with a token that is still good', async () => {
  const { id, token } = mint.member()
  const mine = (method: string, path = '', body?: unknown) =>
    shop.door(method, `/v1/carts/mine${path}`, { token, body })
  const lamp = { sku: 'LAMP', quantity: 1 }
  assert.equal((await mine('POST', '/items', lamp)).status, 200)
  const guest = (await shop.door('POST', '/v1/carts')).body.id
  await shop.door('POST', `/v1/carts/${guest}/items`, { body: lamp })
  await publishAs(
    'identity',
    'account.closed',
    cloudEvent('identity', 'account.closed', newId(), { accountId: id }),
  )
  await eventually('carts heard of it', async () => (await mine('GET')).status === 401)
  for (const answer of [
    await mine('GET'),
    await mine('POST', '/items', lamp),
    await mine('PUT', '/items/LAMP', { quantity: 2 }),
    await shop.door('POST', '/v1/carts/mine/merges', { token, body: { guestCartId: guest } }),
  ])
    assert.deepEqual([answer.status, answer.body.code], [401, 'auth/session-ended'], answer.text)
  assert.equal((await shop.door('GET', `/v1/carts/${guest}`)).status, 404)
})

test('a cart that is not there is not found', async () => {
  assert.equal((await shop.door('GET', `/v1/carts/guest-${'x'.repeat(32)}`)).status, 404)
  assert.equal((await shop.door('GET', '/v1/carts/mine')).status, 404)
})
