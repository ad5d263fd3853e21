import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { StockStore } from './stock-store.ts'

const catchUpSeconds = 10

/** Gives back what was reserved for an order that never came to be: its process died between reserving and committing. */
export const reservationExpiry = (stock: StockStore, tools: Tools): Background =>
  everyAsLeader(1000, 'reservation-expiry', tools, async () => {
    // After an outage of ours the events of paid orders come first.
    if (process.uptime() < catchUpSeconds) return
    for (const orderId of await stock.lapsed(100)) {
      tools.log.info({ order_id: orderId }, 'reservation lapsed')
      await stock
        .expire(orderId)
        .catch((error) => tools.log.warn({ err: error, order_id: orderId }, 'not released yet'))
    }
  })
