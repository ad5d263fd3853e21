import { orderItemsReleased } from '@caravan/contracts/fulfilment'
import { orderAbandoned, orderCancelled, orderPaid } from '@caravan/contracts/orders'
import { batchSubscription, type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { StockStore } from './stock-store.ts'

export const subscriptions = (stock: StockStore): Subscription[] => [
  batchSubscription(orderPaid, async (events, tx) => {
    await stock.sell(
      tx,
      events.map(({ data: { orderId, items }, head: { traceparent } }) => ({ orderId, items, traceparent })),
    )
  }),
  subscription(orderCancelled, ({ orderId }, { tx }) => stock.release(tx, orderId)),
  subscription(orderAbandoned, ({ orderId }, { tx }) => stock.release(tx, orderId)),
  subscription(orderItemsReleased, ({ releaseId, orderId, items }, { tx }) =>
    stock.releaseSold(tx, { id: releaseId, orderId, items }),
  ),
]
