import { orderAbandoned, orderCancelled, orderPaid } from '@caravan/contracts/orders'
import { batchSubscription, type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { RedemptionStore } from './redemption-store.ts'

export const subscriptions = (redemptions: RedemptionStore): Subscription[] => [
  batchSubscription(orderPaid, (events, tx) =>
    redemptions.confirm(
      tx,
      events.map(({ data }) => data.orderId),
    ),
  ),
  subscription(orderCancelled, ({ orderId }, { tx }) => redemptions.release(tx, orderId)),
  subscription(orderAbandoned, ({ orderId }, { tx }) => redemptions.release(tx, orderId)),
]
