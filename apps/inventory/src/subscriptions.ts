import { orderAbandoned, orderCancelled, orderPaid } from '@caravan/contracts/orders'
import { type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { StockStore } from './stock-store.ts'

export const subscriptions = (stock: StockStore): Subscription[] => [
  subscription(orderPaid, ({ orderId, items }, { tx }) => stock.sell(tx, orderId, items)),
  subscription(orderCancelled, ({ orderId }, { tx }) => stock.release(tx, orderId)),
  subscription(orderAbandoned, ({ orderId }, { tx }) => stock.release(tx, orderId)),
]
