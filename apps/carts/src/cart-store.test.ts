import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCartStore } from './cart-store.ts'
import { addItem, close, takeBought } from './domain/cart.ts'
import { fakeState } from './fake-state.ts'
import { mergeGuestCart } from './merge-guest-cart.ts'

const now = '2026-11-01T08:00:00.000Z'
const [mei, li] = ['0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6', '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f7']
const unknownGuest = `guest-${'0'.repeat(32)}`
const missing = { status: 404, code: 'carts/not-found' }

let requests = 0
const kettle = (quantity = 1) => {
  requests += 1
  const request = `request-${requests}`
  return (cart: Parameters<typeof addItem>[0]) => addItem(cart, { sku: 'KETTLE', quantity }, request, now)
}
const kettles = async (carts: ReturnType<typeof createCartStore>, id: string) =>
  (await carts.read(id)).lines.reduce((sum, { quantity }) => sum + quantity, 0)

test('a hundred additions at once, by two replicas, all count', async () => {
  const { state } = fakeState()
  const [one, other] = [createCartStore(state), createCartStore(state)]
  await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? one : other).update(mei, kettle())))
  assert.equal(await kettles(one, mei), 100)
})

test('an addition whose save landed although it looked lost counts once', async () => {
  const { state } = fakeState()
  const carts = createCartStore({
    ...state,
    save: async (...args) => {
      await state.save(...args)
      return false
    },
  })
  await carts.update(mei, kettle())
  assert.equal(await kettles(carts, mei), 1)
})

test('a change that changes nothing is not saved', async () => {
  const { fake, state } = fakeState()
  await createCartStore(state).update(mei, (cart) => cart)
  assert.equal(fake.saves, 0)
})

test('after a race lost 200 times it gives up with 503', async () => {
  const { state } = fakeState()
  const carts = createCartStore({ ...state, save: async () => false })
  await assert.rejects(carts.update(mei, kettle()), { status: 503, code: 'carts/busy' })
})

test('a guest cart is there only after its creation; a member’s always', async () => {
  const carts = createCartStore(fakeState().state)
  await assert.rejects(carts.read(unknownGuest), missing)
  await assert.rejects(carts.update(unknownGuest, kettle()), missing)
  const { id } = await carts.createGuest()
  assert.deepEqual((await carts.read(id)).lines, [])
  assert.deepEqual((await carts.read(mei)).lines, [])
})

const withGuest = async () => {
  const { fake, state } = fakeState()
  const carts = createCartStore(state)
  const { id: guest } = await carts.createGuest()
  await carts.update(guest, kettle(3))
  await carts.update(mei, kettle(1))
  return { fake, carts, guest }
}

test('a merge counts once, repeated or at the same time', async () => {
  const { carts, guest } = await withGuest()
  await Promise.all([1, 2, 3].map(() => mergeGuestCart(carts, mei, guest)))
  await mergeGuestCart(carts, mei, guest)
  assert.equal(await kettles(carts, mei), 4)
  assert.equal(await kettles(carts, guest), 0)
})

test('two accounts that merge one guest cart at once: one gets it', async () => {
  const { carts, guest } = await withGuest()
  const results = await Promise.allSettled([mei, li].map((account) => mergeGuestCart(carts, account, guest)))
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.equal((await kettles(carts, mei)) + (await kettles(carts, li)), 4)
})

test('a merge that crashed before any of its writes is taken up by its repeat', async () => {
  for (const crashAt of [1, 2, 3]) {
    const { fake, carts, guest } = await withGuest()
    let writes = 0
    fake.beforeSave = async () => {
      writes += 1
      if (writes === crashAt) throw new Error('killed')
    }
    await assert.rejects(mergeGuestCart(carts, mei, guest), /killed/)
    await mergeGuestCart(carts, mei, guest)
    assert.equal(await kettles(carts, mei), 4, `crash at write ${crashAt}`)
    assert.equal(await kettles(carts, guest), 0)
  }
})

test('an unknown guest cart is not merged, and leaves the member’s as it was', async () => {
  const { carts } = await withGuest()
  await assert.rejects(mergeGuestCart(carts, mei, unknownGuest), missing)
  assert.equal(await kettles(carts, mei), 1)
})

test('a cart that a thousand want to change at once takes some, and tells the others when to come again', async () => {
  const { state } = fakeState()
  const carts = createCartStore(state)
  const results = await Promise.allSettled(Array.from({ length: 1000 }, () => carts.update(mei, kettle())))
  const refusals = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  for (const { status, code, details } of refusals)
    assert.deepEqual([status, code, details.retryAfterSeconds], [503, 'carts/busy', 1])
  assert.ok(refusals.length > 0 && refusals.length < 1000)
  assert.equal(await kettles(carts, mei), 1000 - refusals.length)
})

test('nothing is merged into the cart of a closed account, nor left in the guest’s', async () => {
  const { carts, guest } = await withGuest()
  await carts.update(mei, (cart) => close(cart, now))
  const refused = { status: 401, code: 'auth/session-ended' }
  await assert.rejects(mergeGuestCart(carts, mei, guest), refused)
  await assert.rejects(mergeGuestCart(carts, mei, guest), refused)
  for (const id of [mei, guest]) assert.deepEqual((await carts.read(id)).lines, [])
})

test('a closed cart remembers which orders it was told of, and expires', async () => {
  const { fake, state } = fakeState()
  const carts = createCartStore(state)
  await carts.update(mei, kettle())
  await carts.update(mei, (cart) => takeBought(cart, 'order-1', [], now))
  await carts.update(mei, (cart) => close(cart, now))
  await carts.update(mei, (cart) => takeBought(cart, 'order-2', [{ sku: 'KETTLE', quantity: 1 }], now))
  const { lines, orders, isClosed } = await carts.read(mei)
  assert.deepEqual([lines, orders, isClosed], [[], ['order-1', 'order-2'], true])
  assert.ok(fake.expiring.has(`cart-${mei}`))
})
