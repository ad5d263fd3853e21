import { randomBytes } from 'node:crypto'
import { notFound } from './cart.ts'

/** The id is the key to the cart: 192 random bits. */
export const newGuestId = (): string => `guest-${randomBytes(24).toString('base64url')}`

export const isGuest = (cartId: string): boolean => cartId.startsWith('guest-')

/**
 * The cart that a path means. `mine` and one's own account id are the same cart; another's is not found, like one that
 * does not exist.
 */
export const resolveCartId = (asked: string, caller: { kind: string; id: string }): string => {
  if (isGuest(asked)) return asked
  if (caller.kind === 'member' && (asked === 'mine' || asked === caller.id)) return caller.id
  throw notFound()
}
