import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { addItem, createCart, getCart, mergeCart, removeItem, setItem } from '@caravan/contracts/carts'
import { placeOrder } from '@caravan/contracts/orders'
import { payOrder } from '@caravan/contracts/payments'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'
import { get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('carts')

const mine = { cartId: 'mine' }
const one = (sku: string, quantity = 1) => ({ body: { sku, quantity } })
const linesOf = ({ lines }: { lines: { sku: string; quantity: number }[] }) =>
  lines.map(({ sku, quantity }) => [sku, quantity])

test('a guest’s cart is whoever holds its id, adds up, is changed and emptied', async () => {
  const { id } = await get(createCart)
  const params = { cartId: id }
  await get(addItem, { params, ...one('KETTLE') })
  await get(addItem, { params, ...one('LAMP', 2) })
  const added = await get(addItem, { params, ...one('KETTLE', 2) })
  assert.deepEqual(linesOf(added), [
    ['KETTLE', 3],
    ['LAMP', 2],
  ])
  assert.deepEqual(await get(getCart, { params }), added)
  const set = await get(setItem, { params: { ...params, sku: 'KETTLE' }, body: { quantity: 9 } })
  assert.deepEqual(linesOf(set)[0], ['KETTLE', 9])
  for (let n = 0; n < 2; n += 1) {
    const rest = await get(removeItem, { params: { ...params, sku: 'KETTLE' } })
    assert.deepEqual(linesOf(rest), [['LAMP', 2]])
  }
})

test('a member’s own cart is there from the beginning, and nobody else’s', async () => {
  const { id: cartId, token } = mint.member()
  const empty = await get(getCart, { params: mine }, { token })
  assert.deepEqual([empty.id, empty.lines], [cartId, []])
  await get(addItem, { params: mine, ...one('LAMP') }, { token })
  assert.deepEqual(linesOf(await get(getCart, { params: { cartId } }, { token })), [['LAMP', 1]])
  for (const by of [{}, { token: mint.member().token }]) {
    await refused([404, 'carts/not-found'], getCart, { params: { cartId } }, by)
    await refused([404, 'carts/not-found'], addItem, { params: { cartId }, ...one('LAMP') }, by)
  }
  await refused([404, 'carts/not-found'], getCart, { params: mine })
})

test('twenty additions at once add up, and one that is repeated with its key counts once', async () => {
  const by = { token: mint.member().token }
  const add = (key?: string) =>
    get(addItem, { params: mine, ...one('LAMP') }, { ...by, ...(key ? { key } : {}) })
  await Promise.all(Array.from({ length: 20 }, () => add()))
  const key = randomUUID()
  for (let n = 0; n < 3; n += 1) assert.deepEqual(linesOf(await add(key)), [['LAMP', 21]])
})

test('a line holds at most a thousand', async () => {
  const by = { token: mint.member().token }
  await get(addItem, { params: mine, ...one('LAMP', 999) }, by)
  await refused([409, 'carts/line-full'], addItem, { params: mine, ...one('LAMP', 2) }, by)
})

test('a guest’s cart is merged into a member’s once, and is gone then', async () => {
  const { id: guestCartId } = await get(createCart)
  await get(addItem, { params: { cartId: guestCartId }, ...one('LAMP', 2) })
  const by = { token: mint.member().token }
  await get(addItem, { params: mine, ...one('LAMP', 3) }, by)
  for (let n = 0; n < 2; n += 1)
    assert.deepEqual(linesOf(await get(mergeCart, { body: { guestCartId } }, by)), [['LAMP', 5]])
  await refused([404, 'carts/not-found'], getCart, { params: { cartId: guestCartId } })
  const other = { token: mint.member().token }
  await refused([404, 'carts/not-found'], mergeCart, { body: { guestCartId } }, other)
})

test('what was bought leaves the cart', async () => {
  const items = await shop.newLines([3])
  const [line] = items
  assert.ok(line)
  const by = { token: mint.member().token }
  await get(addItem, { params: mine, ...one(line.sku, 3) }, by)
  await get(addItem, { params: mine, ...one('KEPT') }, by)
  const order = await get(placeOrder, { body: { items, shippingAddress } }, by)
  const body = { paymentMethod: await shop.tokenise() }
  await get(payOrder, { params: { orderId: order.id }, body }, by)
  const rest = await eventually('order.paid has taken one off the line', async () => {
    const cart = await get(getCart, { params: mine }, by)
    return linesOf(cart)[0]?.[1] !== 3 && cart
  })
  assert.deepEqual(linesOf(rest), [
    [line.sku, 2],
    ['KEPT', 1],
  ])
})
