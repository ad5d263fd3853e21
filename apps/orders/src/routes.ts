import {
  cancelOrder,
  getOrder,
  inquireOrder,
  inquireOrders,
  listOrders,
  placeOrder,
  recordCaptures,
} from '@caravan/contracts/orders'
import { AppError } from '@caravan/service-kit/errors'
import { fitting } from '@caravan/service-kit/fitting'
import { type Route, route } from '@caravan/service-kit/route'
import { type AwaitSettled, isSettled } from './await-settled.ts'
import { cancel, capture, type Order } from './domain/order.ts'
import type { Orders } from './orders.ts'
import type { createPlaceOrder } from './place-order.ts'
import { present } from './present.ts'

export interface RouteParts {
  readonly orders: Orders
  readonly place: ReturnType<typeof createPlaceOrder>
  readonly settled: AwaitSettled
}

export const routes = ({ orders, place, settled }: RouteParts): Route[] => {
  /** Another's order is answered as one that does not exist. */
  const own = (order: Order | undefined, accountId: string): Order => {
    if (order?.accountId !== accountId)
      throw new AppError('not-found', 'orders/not-found', 'You have no such order')
    return order
  }

  return [
    route(placeOrder, async ({ caller, body, once }) => present(await place(caller.id, body, once))),

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
