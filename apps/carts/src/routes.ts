import { addItem, createCart, getCart, mergeCart, removeItem, setItem } from '@caravan/contracts/carts'
import type { Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { type Route, route } from '@caravan/service-kit/route'
import type { CartStore } from './cart-store.ts'
import * as domain from './domain/cart.ts'
import { resolveCartId } from './domain/cart-id.ts'
import { mergeGuestCart } from './merge-guest-cart.ts'

const present = (id: string, { lines, updatedAt }: domain.Cart) => ({ id, lines: [...lines], updatedAt })

const open = (cart: domain.Cart): domain.Cart => {
  if (cart.closedFor) throw domain.notFound()
  if (cart.isClosed) throw domain.accountClosed()
  return cart
}

/** The client's key, or one that lives as long as this request: the addition is made once however often it is tried. */
const requestKey = (given: string | string[] | undefined): string => {
  if (given === undefined) return newId()
  if (typeof given === 'string' && /^[\x21-\x7e]{1,255}$/.test(given)) return given
  throw new AppError('invalid', 'idempotency/key-malformed', 'A key has 1 to 255 visible characters', {
    status: 400,
  })
}

export const routes = (carts: CartStore): readonly Route[] => {
  const change = async (
    { params, caller }: { params: { cartId: string }; caller: Caller },
    how: (cart: domain.Cart, now: string) => domain.Cart,
  ) => {
    const id = resolveCartId(params.cartId, caller)
    const now = new Date().toISOString()
    return present(id, await carts.update(id, (cart) => how(open(cart), now)))
  }

  return [
    route(createCart, async () => {
      const { id, cart } = await carts.createGuest()
      return present(id, cart)
    }),

    route(getCart, async ({ params, caller }) => {
      const id = resolveCartId(params.cartId, caller)
      return present(id, open(await carts.read(id)))
    }),

    route(addItem, async (input) => {
      const request = requestKey(input.headers['idempotency-key'])
      return change(input, (cart, now) => domain.addItem(cart, input.body, request, now))
    }),

    route(setItem, async (input) => {
      const item = { sku: input.params.sku, quantity: input.body.quantity }
      return change(input, (cart, now) => domain.setItem(cart, item, now))
    }),

    route(removeItem, async (input) =>
      change(input, (cart, now) => domain.removeItem(cart, input.params.sku, now)),
    ),

    route(mergeCart, async ({ body, caller }) =>
      present(caller.id, await mergeGuestCart(carts, caller.id, body.guestCartId)),
    ),
  ]
}
