import { productChanged } from '@caravan/contracts/catalog'
import type { EventDefinition } from '@caravan/contracts/event'
import { accountClosed } from '@caravan/contracts/identity'
import { reservationFailed, reservationFulfilled } from '@caravan/contracts/inventory'
import { paymentCaptured, paymentPartlyRefunded, paymentRefunded } from '@caravan/contracts/payments'
import { promotionChanged } from '@caravan/contracts/promotions'
import { AppError } from '@caravan/service-kit/errors'
import { batchSubscription, type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { z } from 'zod'
import { settleRefund } from './domain/fulfilment.ts'
import { type Change, capture, confirm, failFulfilment, type Order, refund } from './domain/order.ts'
import type { Fulfilments } from './fulfilments.ts'
import type { OfferStore } from './offer-store.ts'
import type { Orders } from './orders.ts'
import type { PromotionStore } from './promotion-store.ts'

export const subscriptions = (
  orders: Orders,
  offers: OfferStore,
  promotions: PromotionStore,
  fulfilments: Fulfilments,
): Subscription[] => {
  /** Changes orders by events of a kind. Throws `not-found` when an event names an order that does not exist. */
  const changing = <D extends z.ZodType<{ orderId: string }>>(
    definition: EventDefinition<D>,
    apply: (order: Order, data: z.output<D>, now: Date) => Change,
  ): Subscription =>
    batchSubscription(
      definition,
      async (events, tx) => {
        const now = new Date()
        const changed = await orders.change(
          tx,
          events.map(({ data, head: { traceparent } }) => ({
            id: data.orderId,
            apply: (order) => apply(order, data, now),
            traceparent,
          })),
        )
        const unknown = events.find(({ data }) => !changed.has(data.orderId))
        if (unknown)
          throw new AppError(
            'not-found',
            'orders/not-found',
            `An event names order ${unknown.data.orderId}, which does not exist`,
          )
      },
      { about: ({ orderId }) => orderId },
    )

  return [
    subscription(productChanged, (product, { tx }) => offers.replace(tx, product)),
    subscription(promotionChanged, (promotion, { tx }) => promotions.replace(tx, promotion)),
    subscription(accountClosed, ({ accountId }, { tx }) => orders.closeAccount(tx, accountId), {
      about: ({ accountId }) => accountId,
    }),
    changing(paymentCaptured, (order, { paymentId }, now) => capture(order, paymentId, now)),
    changing(paymentRefunded, (order, { paymentId }, now) => refund(order, paymentId, now)),
    subscription(
      paymentPartlyRefunded,
      async ({ orderId, refundId }, { tx }) => {
        await fulfilments.change(
          tx,
          orderId,
          () => undefined,
          (fulfilment) => settleRefund(fulfilment, refundId, 'done'),
        )
      },
      { about: ({ orderId }) => orderId },
    ),
    changing(reservationFulfilled, (order, _, now) => confirm(order, now)),
    changing(reservationFailed, (order, _, now) => failFulfilment(order, now)),
  ]
}
