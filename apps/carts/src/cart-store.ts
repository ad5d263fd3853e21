import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@caravan/service-kit/errors'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { type Cart, emptyCart, notFound } from './domain/cart.ts'
import { isGuest, newGuestId } from './domain/cart-id.ts'
import { createTurns } from './turns.ts'

const store = 'statestore'
/** After a change of a guest's cart, and after the end of a member's. */
const lastingSeconds = 30 * 24 * 60 * 60
const tries = 200
/** Changes of one cart: what comes after would be given up by its client before its turn. */
const mostWaiting = 100

const keyOf = (id: string) => `cart-${id}`

const busy = () =>
  new AppError('unavailable', 'carts/busy', 'Try again in a moment', { retryAfterSeconds: 1 })

/** Carts in the Dapr state store. A member's needs no creation; a guest's does, and lives for 30 days after a change. */
export const createCartStore = (state: Pick<Sidecar['state'], 'get' | 'save'>) => {
  const inTurn = createTurns(mostWaiting, busy)

  const load = async (id: string): Promise<{ cart: Cart; etag?: string }> => {
    const found = await state.get<Cart>(store, keyOf(id))
    if (found) return { cart: found.value, etag: found.etag }
    if (isGuest(id)) throw notFound()
    return { cart: emptyCart(new Date().toISOString()) }
  }

  const save = (id: string, cart: Cart, etag?: string): Promise<boolean> =>
    state.save(store, keyOf(id), cart, {
      etag,
      ...(isGuest(id) || cart.isClosed ? { ttlSeconds: lastingSeconds } : {}),
    })

  return {
    createGuest: async (): Promise<{ id: string; cart: Cart }> => {
      const id = newGuestId()
      const cart = emptyCart(new Date().toISOString())
      if (!(await save(id, cart))) throw busy()
      return { id, cart }
    },

    /** Throws 404 for a guest cart that is not there. */
    read: async (id: string): Promise<Cart> => (await load(id)).cart,

    /**
     * Applies a pure change to the newest state and saves that, or nothing when another was faster: then again, up to 200
     * times, then 503. Changes of one process take turns, so they only race with those of other replicas. A save whose
     * answer was lost looks like a lost race, so a change must know by the document that it was made before.
     */
    update: (id: string, change: (cart: Cart) => Cart): Promise<Cart> =>
      inTurn(id, async () => {
        for (let attempt = 0; attempt < tries; attempt += 1) {
          const { cart, etag } = await load(id)
          const changed = change(cart)
          if (changed === cart || (await save(id, changed, etag))) return changed
          await sleep(Math.random() * 20)
        }
        throw busy()
      }),
  }
}

export type CartStore = ReturnType<typeof createCartStore>
