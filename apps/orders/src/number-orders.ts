import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import type { OrderSearchStore } from './order-search-store.ts'

/** Numbers orders from before there were numbers, and those that a version before this one goes on placing beside it. */
export const numberOrders = (stores: Sharded<OrderSearchStore>, tools: Tools): Background =>
  everyAsLeader(5000, 'number-orders', tools, () =>
    inEach(stores, async (store) => {
      for (;;) {
        const orders = await store.unnumbered(200)
        for (const order of orders) await store.number(order)
        if (orders.length === 0) return
      }
    }),
  )
