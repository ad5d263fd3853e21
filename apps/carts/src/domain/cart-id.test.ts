import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cartId } from '@caravan/contracts/carts'
import { newGuestId, resolveCartId } from './cart-id.ts'

const mei = { kind: 'member', id: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6' }
const anonymous = { kind: 'anonymous', id: 'anonymous' }

test('a guest id is what the contract says, and never the same', () => {
  const ids = Array.from({ length: 100 }, newGuestId)
  for (const id of ids) assert.ok(cartId.safeParse(id).success)
  assert.equal(new Set(ids).size, 100)
})

test('a member’s cart is found under `mine` and the account’s id; a guest’s by whoever knows its id', () => {
  assert.equal(resolveCartId('mine', mei), mei.id)
  assert.equal(resolveCartId(mei.id, mei), mei.id)
  const guest = newGuestId()
  assert.equal(resolveCartId(guest, anonymous), guest)
  assert.equal(resolveCartId(guest, mei), guest)
})

test('nobody else’s cart is found', () => {
  const missing = { status: 404, code: 'carts/not-found' }
  assert.throws(() => resolveCartId('0192f3a4-5b6c-7d8e-8f90-000000000000', mei), missing)
  assert.throws(() => resolveCartId(mei.id, anonymous), missing)
  assert.throws(() => resolveCartId('mine', anonymous), missing)
  assert.throws(() => resolveCartId(mei.id, { kind: 'app', id: mei.id }), missing)
})
