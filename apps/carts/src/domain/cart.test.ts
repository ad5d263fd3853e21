import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addItem,
  type Cart,
  closeGuest,
  emptyCart,
  type Item,
  maxLines,
  maxQuantity,
  mergeGuest,
  removeItem,
  setItem,
  takeBought,
} from './cart.ts'

const now = '2026-11-01T08:00:00.000Z'
const later = '2026-11-01T09:00:00.000Z'
const skus = ['TEA-TIN', 'MUG-BLUE', 'SOCKS-RUST', 'KETTLE']

const cartOf = (items: readonly Item[]): Cart =>
  items.reduce((cart, item) => setItem(cart, item, now), emptyCart(now))
const quantities = ({ lines }: Cart) => Object.fromEntries(lines.map(({ sku, quantity }) => [sku, quantity]))

const item = fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: maxQuantity }) })
const cart = fc.array(item, { maxLength: 6 }).map(cartOf)
const full = cartOf(Array.from({ length: maxLines }, (_, n) => ({ sku: `SKU-${n}`, quantity: 1 })))

test('additions sum up, in whatever order and portions they come', () => {
  const portions = fc.array(
    fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 40 }) }),
    {
      maxLength: 20,
    },
  )
  fc.assert(
    fc.property(portions, (items) => {
      const added = items.reduce((sofar, each, n) => addItem(sofar, each, `key-${n}`, now), emptyCart(now))
      const expected: Record<string, number> = {}
      for (const { sku, quantity } of items) expected[sku] = (expected[sku] ?? 0) + quantity
      assert.deepEqual(quantities(added), expected)
    }),
  )
})

test('an addition that comes again changes nothing; its key with another item is refused', () => {
  const one = addItem(emptyCart(now), { sku: 'KETTLE', quantity: 2 }, 'key', now)
  assert.equal(addItem(one, { sku: 'KETTLE', quantity: 2 }, 'key', later), one)
  const refusal = { status: 422, code: 'idempotency/key-reused' }
  assert.throws(() => addItem(one, { sku: 'KETTLE', quantity: 3 }, 'key', later), refusal)
  assert.deepEqual(quantities(addItem(one, { sku: 'KETTLE', quantity: 2 }, 'ke', later)), { KETTLE: 4 })
})

test('an addition whose answer was lost comes again behind all that waited, and is still known', () => {
  const keys = Array.from({ length: 202 }, (_, n) => `key-${n}`)
  const add = (sofar: Cart, key: string) => addItem(sofar, { sku: 'KETTLE', quantity: 1 }, key, now)
  const busy = keys.reduce(add, emptyCart(now))
  assert.equal(add(busy, 'key-0'), busy)
})

test('the memory of additions, merges and orders is bounded', () => {
  const busy = Array.from({ length: 300 }, (_, n) => n).reduce((sofar, n) => {
    const added = addItem(sofar, { sku: 'KETTLE', quantity: 1 }, `key-${n}`, now)
    return takeBought(mergeGuest(added, `guest-${n}`, [], now), `order-${n}`, [], now)
  }, emptyCart(now))
  assert.deepEqual([busy.requests.length, busy.merged.length, busy.orders.length], [250, 50, 50])
  assert.deepEqual([busy.requests.at(-1), busy.orders.at(-1)], ['key-299 KETTLE 1', 'order-299'])
})

test('a full line and a full cart refuse more, and say how much they hold', () => {
  const line = cartOf([{ sku: 'KETTLE', quantity: 999 }])
  assert.deepEqual(quantities(addItem(line, { sku: 'KETTLE', quantity: 1 }, 'key', now)), { KETTLE: 1000 })
  assert.throws(() => addItem(line, { sku: 'KETTLE', quantity: 2 }, 'key', now), {
    ...{ status: 409, code: 'carts/line-full' },
    details: { data: { sku: 'KETTLE', quantity: 999, maxQuantity } },
  })
  const cartFull = { status: 409, code: 'carts/cart-full', details: { data: { maxLines } } }
  assert.throws(() => addItem(full, { sku: 'KETTLE', quantity: 1 }, 'key', now), cartFull)
  assert.throws(() => setItem(full, { sku: 'KETTLE', quantity: 1 }, now), cartFull)
  assert.equal(quantities(addItem(full, { sku: 'SKU-7', quantity: 1 }, 'key', now))['SKU-7'], 2)
})

test('a line keeps its place and the time of its first addition', () => {
  const first = cartOf([
    { sku: 'KETTLE', quantity: 1 },
    { sku: 'MUG-BLUE', quantity: 1 },
  ])
  const { lines, updatedAt } = setItem(first, { sku: 'KETTLE', quantity: 5 }, later)
  assert.deepEqual(lines[0], { sku: 'KETTLE', quantity: 5, addedAt: now })
  assert.equal(updatedAt, later)
})

test('removing what is not there changes nothing', () => {
  const one = cartOf([{ sku: 'KETTLE', quantity: 1 }])
  assert.equal(removeItem(one, 'MUG-BLUE', later), one)
  assert.deepEqual(removeItem(one, 'KETTLE', later).lines, [])
})

test('a merge sums each line up to its limit, and merging again changes nothing', () => {
  fc.assert(
    fc.property(cart, cart, (mine, guest) => {
      const merged = mergeGuest(mine, 'guest-1', guest.lines, later)
      for (const sku of skus) {
        const sum = (quantities(mine)[sku] ?? 0) + (quantities(guest)[sku] ?? 0)
        assert.equal(quantities(merged)[sku] ?? 0, Math.min(maxQuantity, sum))
      }
      assert.equal(mergeGuest(merged, 'guest-1', guest.lines, later), merged)
    }),
  )
})

test('a merge into a full cart leaves out what finds no room', () => {
  const merged = mergeGuest(
    full,
    'guest-1',
    cartOf([
      { sku: 'KETTLE', quantity: 1 },
      { sku: 'SKU-0', quantity: 4 },
    ]).lines,
    now,
  )
  assert.equal(merged.lines.length, maxLines)
  assert.deepEqual([quantities(merged).KETTLE, quantities(merged)['SKU-0']], [undefined, 5])
})

test('a guest cart is closed for one account only', () => {
  const closed = closeGuest(cartOf([{ sku: 'KETTLE', quantity: 1 }]), 'mei')
  assert.equal(closed.closedFor, 'mei')
  assert.equal(closeGuest(closed, 'mei'), closed)
  assert.throws(() => closeGuest(closed, 'li'), { status: 404, code: 'carts/not-found' })
})

test('an order takes off what it bought, never below nothing, and once', () => {
  fc.assert(
    fc.property(cart, fc.array(item, { maxLength: 6 }), (mine, bought) => {
      const rest = takeBought(mine, 'order-1', bought, later)
      for (const sku of skus) {
        const gone = bought.filter((each) => each.sku === sku).reduce((sum, each) => sum + each.quantity, 0)
        const left = Math.max(0, (quantities(mine)[sku] ?? 0) - gone)
        assert.equal(quantities(rest)[sku], left === 0 ? undefined : left)
      }
      assert.equal(takeBought(rest, 'order-1', bought, later), rest)
    }),
  )
})
