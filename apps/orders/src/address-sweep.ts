import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import type { OrderStore } from './order-store.ts'

/**
 * Erases the addresses of orders whose account is closed, each when its order is over: nothing is told then, and what was placed
 * in the instant of the closing is found as well.
 */
export const addressSweep = (stores: Sharded<OrderStore>, deliveryDays: number, tools: Tools): Background =>
  everyAsLeader(5000, 'address-sweep', tools, () =>
    inEach(stores, async (orders) => {
      for (const accountId of await orders.unswept(100)) await orders.sweep(accountId, deliveryDays)
    }),
  )
