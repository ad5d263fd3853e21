import { reserve } from '@caravan/contracts/inventory'
import { orderAbandoned } from '@caravan/contracts/orders'
import type { Quote } from '@caravan/contracts/quotes'
import { redeem } from '@caravan/contracts/redemptions'
import type { Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import type { Once } from '@caravan/service-kit/idempotency'
import { fact } from '@caravan/service-kit/outbox'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { type Order, place, unitsOf } from './domain/order.ts'
import { assertMayPlace, type Bounds, tooManyUnpaid } from './domain/standing.ts'
import type { Orders } from './orders.ts'
import { present } from './present.ts'
import type { Quotation, Quoting } from './quoting.ts'
import { assertPrices, assertSeen, type Body, totalChanged } from './seen.ts'
import { createTurnedAway } from './turned-away.ts'

/** What has to be counted before it may be given: codes, and promotions that are limited. */
const usesOf = ({ quote, terms }: Quotation) =>
  quote.discounts.flatMap(({ promotionId, version, code, amount }) => {
    const limits = terms.byId.get(promotionId)?.limits ?? {}
    const isCounted = code !== undefined || Object.values(limits).some((limit) => limit !== undefined)
    return isCounted ? [{ promotionId, version, amount, ...(code ? { code } : {}) }] : []
  })

const isForNewcomers = ({ quote, terms }: Quotation): boolean =>
  quote.discounts.some(({ promotionId }) => terms.byId.get(promotionId)?.conditions.firstOrder)

const tryAgain = () => new AppError('unavailable', 'orders/try-again', 'Try again in a moment')

export interface PlaceOrderParts {
  readonly orders: Orders
  readonly quoting: Quoting
  readonly sidecar: Sidecar
  /** Seconds. */
  readonly paymentWindow: () => number
  /** How much longer stock is held than the shopper may take to pay: room for orders to learn of the payment. */
  readonly graceSeconds: number
  readonly bounds: Bounds
}

/**
 * Checks that the order costs what the shopper saw, redeems what promotions count, reserves the stock, commits the order with its
 * event and its idempotency record, unless its account is closed, holds too much or is no newcomer by then. The order's id is
 * the request's, so a repeat after a crash meets its own redemption and reservation. When it fails after one of them may have been
 * made, the order is given up by an event, which gives them back however long inventory or promotions is away.
 */
export const createPlaceOrder = ({
  orders,
  quoting,
  sidecar,
  paymentWindow,
  graceSeconds,
  bounds,
}: PlaceOrderParts) => {
  const turnedAway = createTurnedAway()

  /** Gives 409 with the quote without it, when a promotion counts no more: then nothing is redeemed. */
  const take = async (
    quotation: Quotation,
    uses: ReturnType<typeof usesOf>,
    order: { orderId: string; customer: string; ttlSeconds: number },
  ) => {
    const answer = await sidecar.call(redeem, { body: { ...order, uses } }, { deadlineMs: 1300 })
    if (answer.outcome === 'redeemed') return undefined
    // Of a promotion that has changed, the new version is on its way here.
    if (answer.outcome === 'closed' || answer.reason === 'changed') throw tryAgain()
    const { promotionId, reason } = answer
    return totalChanged(quotation.otherwise({ without: [promotionId] }), { refused: { promotionId, reason } })
  }

  /** Gives 409 when there is not enough: then nothing is reserved. */
  const hold = async (orderId: string, { lines }: Quote, items: Body['items'], ttlSeconds: number) => {
    const wanted = lines.map(({ sku, quantity }) => ({ sku, quantity }))
    const answer = await sidecar.call(
      reserve,
      { body: { orderId, items: wanted, ttlSeconds } },
      { deadlineMs: 1300 },
    )
    if (answer.outcome === 'reserved') return undefined
    if (answer.outcome === 'closed') throw tryAgain()
    const short = new Set(answer.shortages.map((shortage) => shortage.sku))
    return new AppError('conflict', 'inventory/insufficient-stock', 'There is not enough stock', {
      errors: items.flatMap((item, index) =>
        short.has(item.sku)
          ? [{ pointer: `/items/${index}/quantity`, detail: 'more than is available' }]
          : [],
      ),
      data: { shortages: answer.shortages },
    })
  }

  return async (
    { id: accountId, roles }: Pick<Caller, 'id' | 'roles'>,
    body: Body,
    once: Once,
  ): Promise<Order> => {
    const { items, shippingAddress, ...wishes } = body
    const shopper = { accountId, roles, customer: accountId }
    const quotation = await quoting({ items, destination: shippingAddress, ...wishes }, shopper)
    assertPrices(items, quotation)
    assertSeen(body, quotation)
    const { quote } = quotation
    const units = unitsOf(quote.lines)
    if (turnedAway.has(accountId)) assertMayPlace(await orders.standingOf(accountId), units, bounds)
    const window = paymentWindow()
    const ttlSeconds = window + graceSeconds
    const uses = usesOf(quotation)
    /** Whether something may be redeemed or reserved. */
    let isHolding = true
    try {
      const order = { orderId: once.id, customer: accountId, ttlSeconds }
      const refusal = uses.length > 0 ? await take(quotation, uses, order) : undefined
      if (refusal) isHolding = false
      if (refusal) throw refusal
      const shortage = await hold(once.id, quote, items, ttlSeconds)
      if (shortage) isHolding = uses.length > 0
      if (shortage) throw shortage
      const change = place({ id: once.id, accountId, quote, shippingAddress }, new Date(), window)
      return await orders.insert(
        change,
        (standing) => {
          assertMayPlace(standing, units, bounds)
          if (standing.hasOrdered && isForNewcomers(quotation))
            throw totalChanged(quotation.otherwise({ isNew: false }))
        },
        (tx, placed) => once.record(tx, 201, present(placed)),
      )
    } catch (error) {
      if (!isHolding) throw error
      const abandoned = fact(orderAbandoned, { orderId: once.id })
      const committed = await orders.abandon(accountId, once, abandoned)
      if (committed) return committed
      if (error instanceof AppError && error.code === tooManyUnpaid) turnedAway.add(accountId)
      throw error
    }
  }
}
