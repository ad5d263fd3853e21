import {
  cancelOrder,
  getOrder,
  inquireOrder,
  inquireOrders,
  listOrders,
  placeOrder,
  recordCaptures,
} from '@caravan/contracts/orders'
import { getPricing, putPricing } from '@caravan/contracts/pricing'
import { createQuote } from '@caravan/contracts/quotes'
import { callerAt } from '@caravan/service-kit/address'
import { clientOf } from '@caravan/service-kit/client'
import { AppError } from '@caravan/service-kit/errors'
import { fitting } from '@caravan/service-kit/fitting'
import { type Route, route } from '@caravan/service-kit/route'
import { type AwaitSettled, isSettled } from './await-settled.ts'
import { cancel, capture, type Order } from './domain/order.ts'
import { faultsOf } from './domain/sound-pricing.ts'
import type { Orders } from './orders.ts'
import type { createPlaceOrder } from './place-order.ts'
import { present } from './present.ts'
import type { PricingStore } from './pricing-store.ts'
import { presentQuote, type Quoting } from './quoting.ts'
import { noSuchOrder } from './whose.ts'

export interface RouteParts {
  readonly orders: Orders
  readonly place: ReturnType<typeof createPlaceOrder>
  readonly settled: AwaitSettled
  readonly quoting: Quoting
  readonly pricing: PricingStore
}

export const routes = ({ orders, place, settled, quoting, pricing }: RouteParts): Route[] => {
  /** Another's order is answered as one that does not exist. */
  const own = (order: Order | undefined, accountId: string): Order => {
    if (order?.accountId !== accountId) throw noSuchOrder()
    return order
  }

  return [
    route(placeOrder, async ({ caller, body, once }) => present(await place(caller, body, once))),

    route(listOrders, async ({ caller, query: { limit, after } }) => {
      const found = await orders.list(caller.id, limit + 1, after)
      const data = fitting(found.slice(0, limit).map(present))
      const next = found.length > data.length ? data.at(-1)?.id : undefined
      return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
    }),

    route(getOrder, async ({ caller, params: { orderId }, query: { waitMs } }) => {
      const order = own(await orders.find(orderId), caller.id)
      if (waitMs === 0 || isSettled(order) || !(await settled(orderId, waitMs))) return present(order)
      return present(own(await orders.find(orderId), caller.id))
    }),

    route(cancelOrder, async ({ caller, params }) =>
      present(
        own(
          await orders.update(params.orderId, (order) =>
            cancel(own(order, caller.id), 'shopper', new Date()),
          ),
          caller.id,
        ),
      ),
    ),

    route(createQuote, async ({ caller, body, headers }) => {
      const isMember = caller.kind === 'member'
      const quotation = await quoting(body, {
        ...(isMember ? { accountId: caller.id } : {}),
        roles: caller.roles,
        customer: isMember ? caller.id : callerAt(clientOf(headers).address) || caller.id,
      })
      if (body.deliveryMethod !== undefined && !quotation.quote.delivery)
        throw new AppError(
          'invalid',
          'orders/no-such-delivery',
          'Nobody delivers these goods there like that',
          {
            errors: [{ pointer: '/deliveryMethod', detail: 'none of those on offer' }],
            data: { deliveryMethods: quotation.deliveryMethods ?? [] },
          },
        )
      return presentQuote(quotation)
    }),

    route(getPricing, () => pricing.get()),

    route(putPricing, ({ body, precondition }) => {
      const errors = faultsOf(body)
      if (errors.length > 0)
        throw new AppError('invalid', 'orders/unsound-pricing', 'It contradicts itself', { errors })
      return pricing.put(body, precondition)
    }),

    route(inquireOrder, async ({ body: { orderId, accountId } }) => {
      const order = await orders.find(orderId)
      if (!order || order.accountId !== accountId) return { outcome: 'not-found' as const }
      const { status, total, currency } = order
      return { outcome: 'found' as const, status, total, currency }
    }),

    route(inquireOrders, async ({ body }) => ({ data: await orders.statusesOf(body.orderIds) })),

    route(recordCaptures, async ({ body: { payments } }) => {
      const now = new Date()
      const found = await orders.updateAll(
        payments.map(({ paymentId, orderId }) => ({
          id: orderId,
          apply: (order) => capture(order, paymentId, now),
        })),
      )
      const known = payments.filter(({ orderId }) => found.has(orderId))
      return { known: known.map(({ paymentId }) => paymentId) }
    }),
  ]
}
