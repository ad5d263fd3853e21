import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { StockStore } from './stock-store.ts'

/** Reservations in a transaction: few locks, and soon free again. */
const batch = 500

/** Deletes reservations that ended long before anybody could ask for their order again. */
export const reservationTrim = (stock: StockStore, retentionDays: number, tools: Tools): Background =>
  everyAsLeader(60_000, 'reservation-trim', { ...tools, leaseSeconds: 60 }, async () => {
    while ((await stock.trimEnded(retentionDays, batch)) === batch);
  })
