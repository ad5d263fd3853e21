import { accountClosed } from '@caravan/contracts/identity'
import { orderPaid } from '@caravan/contracts/orders'
import { type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { CartStore } from './cart-store.ts'
import { close, takeBought } from './domain/cart.ts'

export const subscriptions = (carts: CartStore): readonly Subscription[] => [
  subscription(orderPaid, async ({ orderId, accountId, items }) => {
    const now = new Date().toISOString()
    await carts.update(accountId, (cart) => takeBought(cart, orderId, items, now))
  }),
  subscription(accountClosed, async ({ accountId }) => {
    await carts.update(accountId, (cart) => close(cart, new Date().toISOString()))
  }),
]
