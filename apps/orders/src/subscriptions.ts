import { productChanged } from '@caravan/contracts/catalog'
import { reservationFailed, reservationFulfilled } from '@caravan/contracts/inventory'
import { paymentCaptured, paymentRefunded } from '@caravan/contracts/payments'
import { AppError } from '@caravan/service-kit/errors'
import { type EventMeta, type Subscription, subscription } from '@caravan/service-kit/subscription'
import { type Change, capture, confirm, failFulfilment, type Order, refund } from './domain/order.ts'
import type { OfferStore } from './offer-store.ts'
import type { OrderStore } from './order-store.ts'

export const subscriptions = (orders: OrderStore, offers: OfferStore): Subscription[] => {
  const change = async (
    orderId: string,
    { tx }: EventMeta,
    apply: (order: Order, now: Date) => Change,
  ): Promise<void> => {
    const order = await orders.update(orderId, (current) => apply(current, new Date()), tx)
    if (!order)
      throw new AppError(
        'not-found',
        'orders/not-found',
        `An event names order ${orderId}, which does not exist`,
      )
  }

  return [
    subscription(productChanged, (product, { tx }) => offers.replace(tx, product)),
    subscription(paymentCaptured, ({ orderId, paymentId }, meta) =>
      change(orderId, meta, (order, now) => capture(order, paymentId, now)),
    ),
    subscription(paymentRefunded, ({ orderId, paymentId }, meta) =>
      change(orderId, meta, (order, now) => refund(order, paymentId, now)),
    ),
    subscription(reservationFulfilled, ({ orderId }, meta) => change(orderId, meta, confirm)),
    subscription(reservationFailed, ({ orderId }, meta) => change(orderId, meta, failFulfilment)),
  ]
}
