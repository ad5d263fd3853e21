import { AppError } from '@caravan/service-kit/errors'
import type { CartStore } from './cart-store.ts'
import { type Cart, closeGuest, mergeGuest, notFound } from './domain/cart.ts'

const unlessMissing = (error: unknown): undefined => {
  if (!(error instanceof AppError && error.code === 'carts/not-found')) throw error
}

/**
 * Moves a guest cart's lines into a member's. Repeated, or taken up after a crash at any point, it counts once: the guest
 * cart is first closed for this account, so that it neither grows nor goes to another; then summed and remembered in one
 * write; then emptied. It stays, empty and closed, until it expires: a state store may let a writer with an old ETag
 * bring a deleted document back (state.redis does). Throws 404 for a guest cart that is unknown and was never merged.
 */
export const mergeGuestCart = async (carts: CartStore, accountId: string, guestId: string): Promise<Cart> => {
  const now = new Date().toISOString()
  const guest = await carts.update(guestId, (cart) => closeGuest(cart, accountId)).catch(unlessMissing)
  const empty = async () => {
    if (guest?.lines.length) await carts.update(guestId, (cart) => ({ ...cart, lines: [], requests: [] }))
  }
  const merged = await carts
    .update(accountId, (cart) => {
      if (!guest && !cart.merged.includes(guestId)) throw notFound()
      return mergeGuest(cart, guestId, guest?.lines ?? [], now)
    })
    .catch(async (error) => {
      // Of somebody who left meanwhile nothing stays.
      if (error instanceof AppError && error.kind === 'unauthenticated') await empty()
      throw error
    })
  await empty()
  return merged
}
