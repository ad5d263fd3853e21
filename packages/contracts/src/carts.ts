import { z } from 'zod'
import { id, instant, sku } from './common.ts'
import { operation } from './operation.ts'

const app = 'carts'

const guestCartId = z.string().regex(/^guest-[A-Za-z0-9_-]{32}$/)
/** `mine` is the caller's own; a guest cart's id is a secret that whoever holds it may use; a member's is the account id. */
export const cartId = z.union([z.literal('mine'), guestCartId, id])
const params = z.strictObject({ cartId })
const lineParams = z.strictObject({ cartId, sku })
const quantity = z.int().min(1).max(1000)

export const cart = z.object({
  id: z.string(),
  lines: z.array(z.object({ sku, quantity, addedAt: instant })),
  updatedAt: instant,
})
export type Cart = z.infer<typeof cart>

export const createCart = operation({
  app,
  id: 'createCart',
  method: 'POST',
  path: '/v1/carts',
  summary: 'A new guest cart',
  access: 'anyone',
  status: 201,
  response: cart,
})

export const getCart = operation({
  app,
  id: 'getCart',
  method: 'GET',
  path: '/v1/carts/{cartId}',
  summary: 'A cart; a member’s own is never missing, only empty',
  access: 'anyone',
  status: 200,
  params,
  response: cart,
  problems: { 'carts/not-found': 404 },
})

export const addItem = operation({
  app,
  id: 'addItem',
  method: 'POST',
  path: '/v1/carts/{cartId}/items',
  summary: 'Add to a line; concurrent adds sum up. With an Idempotency-Key a repeat counts once',
  access: 'anyone',
  status: 200,
  params,
  body: z.strictObject({ sku, quantity }),
  response: cart,
  problems: { 'carts/not-found': 404, 'carts/line-full': 409, 'carts/cart-full': 409 },
  example: { body: { sku: 'GAIWAN-WHITE', quantity: 1 } },
})

export const setItem = operation({
  app,
  id: 'setItem',
  method: 'PUT',
  path: '/v1/carts/{cartId}/items/{sku}',
  summary: 'Set a line’s quantity',
  access: 'anyone',
  status: 200,
  params: lineParams,
  body: z.strictObject({ quantity }),
  response: cart,
  problems: { 'carts/not-found': 404, 'carts/cart-full': 409 },
})

export const removeItem = operation({
  app,
  id: 'removeItem',
  method: 'DELETE',
  path: '/v1/carts/{cartId}/items/{sku}',
  summary: 'Remove a line; removing what is not there changes nothing',
  access: 'anyone',
  status: 200,
  params: lineParams,
  response: cart,
  problems: { 'carts/not-found': 404 },
})

export const mergeCart = operation({
  app,
  id: 'mergeCart',
  method: 'POST',
  path: '/v1/carts/mine/merges',
  summary: 'At sign-in: move a guest cart’s lines into one’s own; a repeat counts once',
  access: 'member',
  status: 200,
  body: z.strictObject({ guestCartId }),
  response: cart,
  problems: { 'carts/not-found': 404 },
})

export const cartsOperations = [createCart, getCart, addItem, setItem, removeItem, mergeCart] as const
