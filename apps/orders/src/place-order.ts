import { maxQuantity, reserve } from '@caravan/contracts/inventory'
import {
  type OrderLine,
  orderAbandoned,
  type placeOrder as placeOrderOperation,
} from '@caravan/contracts/orders'
import { chargeFault } from '@caravan/contracts/price'
import { AppError } from '@caravan/service-kit/errors'
import type { Once } from '@caravan/service-kit/idempotency'
import { fact } from '@caravan/service-kit/outbox'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { z } from 'zod'
import { type Order, place, unitsOf } from './domain/order.ts'
import { assertMayPlace, type Bounds, tooManyUnpaid } from './domain/standing.ts'
import type { Offer, OfferStore } from './offer-store.ts'
import type { Orders } from './orders.ts'
import { present } from './present.ts'
import { createTurnedAway } from './turned-away.ts'

type Body = z.output<NonNullable<typeof placeOrderOperation.body>>
type Items = Body['items']

/**
 * Throws 422 for SKUs that are not on the shelf and for what could never be paid, and 409 with the current prices when one is not
 * what the shopper saw.
 */
const price = (items: Items, offers: ReadonlyMap<string, Offer>): OrderLine[] => {
  const unknown = items.flatMap((item, index) =>
    offers.has(item.sku) ? [] : [{ pointer: `/items/${index}/sku`, detail: 'not on the shelf' }],
  )
  if (unknown.length > 0)
    throw new AppError('invalid', 'orders/unknown-sku', 'Some SKUs are not on the shelf', { errors: unknown })

  const priced = items.map((item) => ({ item, offer: offers.get(item.sku) as Offer }))
  const changed = priced.flatMap(({ item, offer }, index) =>
    item.unitPrice.amount === offer.unitPrice && item.unitPrice.currency === offer.currency
      ? []
      : [{ pointer: `/items/${index}/unitPrice`, detail: 'no longer the price' }],
  )
  if (changed.length > 0) {
    const prices = priced.map(({ offer }) => ({
      sku: offer.sku,
      unitPrice: { amount: offer.unitPrice, currency: offer.currency },
    }))
    throw new AppError('conflict', 'orders/price-changed', 'Prices have changed', {
      errors: changed,
      data: { prices },
    })
  }
  if (new Set(priced.map(({ offer }) => offer.currency)).size > 1) {
    throw new AppError('invalid', 'orders/mixed-currencies', 'An order has one currency')
  }

  const lines = new Map<string, OrderLine>()
  for (const { item, offer } of priced) {
    const quantity = item.quantity + (lines.get(item.sku)?.quantity ?? 0)
    const { sku, productId, title, unitPrice } = offer
    lines.set(sku, { sku, productId, title, quantity, unitPrice, total: unitPrice * quantity })
  }
  const excessive = items.flatMap((item, index) =>
    (lines.get(item.sku)?.quantity ?? 0) > maxQuantity
      ? [{ pointer: `/items/${index}/quantity`, detail: `at most ${maxQuantity} of a SKU in an order` }]
      : [],
  )
  if (excessive.length > 0)
    throw new AppError('invalid', 'orders/too-many', 'More of a SKU than an order may have', {
      errors: excessive,
    })
  const total = [...lines.values()].reduce((sum, line) => sum + line.total, 0)
  const fault = chargeFault({ amount: total, currency: priced[0]?.offer.currency ?? '' })
  if (fault)
    throw new AppError('invalid', 'orders/not-chargeable', 'No card can be charged with this order', {
      errors: [{ pointer: '/items', detail: fault }],
    })
  return [...lines.values()]
}

export interface PlaceOrderParts {
  readonly orders: Orders
  readonly offers: OfferStore
  readonly sidecar: Sidecar
  /** Seconds. */
  readonly paymentWindow: () => number
  /** How much longer stock is held than the shopper may take to pay: room for orders to learn of the payment. */
  readonly graceSeconds: number
  readonly bounds: Bounds
}

/**
 * Checks the prices, reserves the stock, commits the order with its event and its idempotency record, unless its account is
 * closed or holds too much by then. The order's id is
 * the request's, so a repeat after a crash meets its own reservation. When it fails after stock may have been reserved,
 * the order is given up by an event, which gives the stock back however long inventory is away.
 */
export const createPlaceOrder = ({
  orders,
  offers,
  sidecar,
  paymentWindow,
  graceSeconds,
  bounds,
}: PlaceOrderParts) => {
  const turnedAway = createTurnedAway()

  const hold = async (orderId: string, lines: readonly OrderLine[], items: Items, ttlSeconds: number) => {
    const wanted = lines.map(({ sku, quantity }) => ({ sku, quantity }))
    const answer = await sidecar.call(
      reserve,
      { body: { orderId, items: wanted, ttlSeconds } },
      { deadlineMs: 1300 },
    )
    if (answer.outcome === 'reserved') return
    if (answer.outcome === 'closed')
      throw new AppError('unavailable', 'orders/try-again', 'Try again in a moment')
    const short = new Set(answer.shortages.map((shortage) => shortage.sku))
    throw new AppError('conflict', 'inventory/insufficient-stock', 'There is not enough stock', {
      errors: items.flatMap((item, index) =>
        short.has(item.sku)
          ? [{ pointer: `/items/${index}/quantity`, detail: 'more than is available' }]
          : [],
      ),
      data: { shortages: answer.shortages },
    })
  }

  return async (accountId: string, { items, shippingAddress }: Body, once: Once): Promise<Order> => {
    const lines = price(items, await offers.find(items.map((item) => item.sku)))
    const units = unitsOf(lines)
    if (turnedAway.has(accountId)) assertMayPlace(await orders.standingOf(accountId), units, bounds)
    const window = paymentWindow()
    try {
      await hold(once.id, lines, items, window + graceSeconds)
      const currency = items[0]?.unitPrice.currency as string
      const change = place({ id: once.id, accountId, currency, lines, shippingAddress }, new Date(), window)
      await orders.insert(
        change,
        (standing) => assertMayPlace(standing, units, bounds),
        (tx) => once.record(tx, 201, present(change.order)),
      )
      return change.order
    } catch (error) {
      // The one failure that surely left nothing reserved.
      if (error instanceof AppError && error.code === 'inventory/insufficient-stock') throw error
      const abandoned = fact(orderAbandoned, { orderId: once.id })
      const committed = await orders.abandon(accountId, once, abandoned)
      if (committed) return committed
      if (error instanceof AppError && error.code === tooManyUnpaid) turnedAway.add(accountId)
      throw error
    }
  }
}
