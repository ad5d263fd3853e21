import { AppError } from '@caravan/service-kit/errors'

export interface Item {
  readonly sku: string
  readonly quantity: number
}

export interface Line extends Item {
  readonly addedAt: string
}

/**
 * All that is known of one cart, in one document, so that a change and the memory of having made it are saved together.
 * The lists of what was applied hold the most recent only.
 */
export interface Cart {
  readonly lines: readonly Line[]
  readonly updatedAt: string
  /** Guest carts whose lines are in this one. */
  readonly merged: readonly string[]
  /** Additions, as `<idempotency key> <sku> <quantity>`. */
  readonly requests: readonly string[]
  /** Orders whose items were taken off. */
  readonly orders: readonly string[]
  /** Set in a guest cart: the account that it is merged into. Nothing changes in it any more. */
  readonly closedFor?: string
  /** Set in a member's cart whose account is closed: nothing goes into it any more. */
  readonly isClosed?: true
}

export const maxLines = 100
export const maxQuantity = 1000
const remembered = 50
/** More than may wait for one cart at once: a client whose answer was lost asks again behind all of these. */
const rememberedRequests = 250

export const emptyCart = (now: string): Cart => ({
  lines: [],
  updatedAt: now,
  merged: [],
  requests: [],
  orders: [],
})

export const notFound = () => new AppError('not-found', 'carts/not-found', 'No such cart')

/** As every service answers a closed account, whichever hears of it first. */
export const accountClosed = () => new AppError('unauthenticated', 'auth/session-ended', 'Sign in again')

const remember = (list: readonly string[], entry: string, most = remembered): readonly string[] =>
  [...list, entry].slice(-most)

const quantityOf = (cart: Cart, sku: string): number =>
  cart.lines.find((line) => line.sku === sku)?.quantity ?? 0

/** A quantity of 0 removes the line; a line keeps its place and the time at which it was first added. */
const withLine = (cart: Cart, sku: string, quantity: number, now: string): Cart => {
  if (quantityOf(cart, sku) === quantity) return cart
  const isNew = quantityOf(cart, sku) === 0
  const lines = isNew
    ? [...cart.lines, { sku, quantity, addedAt: now }]
    : cart.lines
        .map((line) => (line.sku === sku ? { ...line, quantity } : line))
        .filter((line) => line.quantity > 0)
  return { ...cart, lines, updatedAt: now }
}

const assertRoom = (cart: Cart, sku: string): void => {
  if (quantityOf(cart, sku) > 0 || cart.lines.length < maxLines) return
  throw new AppError('conflict', 'carts/cart-full', `A cart holds at most ${maxLines} lines`, {
    data: { maxLines },
  })
}

/**
 * Adds to a line. A `request` that was seen already changes nothing, and throws 422 when it was about something else.
 * Throws 409 `carts/line-full` or `carts/cart-full`.
 */
export const addItem = (cart: Cart, { sku, quantity }: Item, request: string, now: string): Cart => {
  const entry = `${request} ${sku} ${quantity}`
  const seen = cart.requests.find((each) => each.startsWith(`${request} `))
  if (seen === entry) return cart
  if (seen)
    throw new AppError('invalid', 'idempotency/key-reused', 'This key came before with another request')
  assertRoom(cart, sku)
  const present = quantityOf(cart, sku)
  if (present + quantity > maxQuantity) {
    throw new AppError('conflict', 'carts/line-full', `A line holds at most ${maxQuantity}`, {
      data: { sku, quantity: present, maxQuantity },
    })
  }
  const added = withLine(cart, sku, present + quantity, now)
  return { ...added, requests: remember(cart.requests, entry, rememberedRequests) }
}

/** Throws 409 `carts/cart-full`. */
export const setItem = (cart: Cart, { sku, quantity }: Item, now: string): Cart => {
  assertRoom(cart, sku)
  return withLine(cart, sku, quantity, now)
}

export const removeItem = (cart: Cart, sku: string, now: string): Cart => withLine(cart, sku, 0, now)

/** The guest cart as it will be merged into that account's, and no other's. Throws 404 when another took it. */
export const closeGuest = (guest: Cart, accountId: string): Cart => {
  if (guest.closedFor === undefined) return { ...guest, closedFor: accountId }
  if (guest.closedFor !== accountId) throw notFound()
  return guest
}

/** Sums a guest cart's lines into the member's, each at most 1000; what finds no room in a full cart is left out. */
export const mergeGuest = (cart: Cart, guestId: string, lines: readonly Item[], now: string): Cart => {
  if (cart.isClosed) throw accountClosed()
  if (cart.merged.includes(guestId)) return cart
  const sum = lines.reduce((sofar, { sku, quantity }) => {
    const present = quantityOf(sofar, sku)
    if (present === 0 && sofar.lines.length >= maxLines) return sofar
    return withLine(sofar, sku, Math.min(maxQuantity, present + quantity), now)
  }, cart)
  return { ...sum, merged: remember(cart.merged, guestId), updatedAt: now }
}

/** Of a closed account: empty for good. It goes on remembering which orders it was told of. */
export const close = (cart: Cart, now: string): Cart =>
  cart.isClosed ? cart : { ...emptyCart(now), orders: cart.orders, isClosed: true }

/** Takes what an order bought off the lines, never below nothing. */
export const takeBought = (cart: Cart, orderId: string, items: readonly Item[], now: string): Cart => {
  if (cart.orders.includes(orderId)) return cart
  const rest = items.reduce(
    (sofar, { sku, quantity }) => withLine(sofar, sku, Math.max(0, quantityOf(sofar, sku) - quantity), now),
    cart,
  )
  return { ...rest, orders: remember(cart.orders, orderId) }
}
