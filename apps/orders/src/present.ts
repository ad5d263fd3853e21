import type { Order as PublicOrder } from '@caravan/contracts/orders'
import type { Order } from './domain/order.ts'

/** The order as its owner sees it. */
export const present = ({
  accountId: _,
  lines,
  history,
  placedAt,
  payBefore,
  ...order
}: Order): PublicOrder => ({
  ...order,
  lines: [...lines],
  history: [...history],
  placedAt: placedAt.toISOString(),
  payBefore: payBefore.toISOString(),
})
