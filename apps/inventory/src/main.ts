import { inventoryOperations } from '@caravan/contracts/inventory'
import { runService } from '@caravan/service-kit/run-service'
import { createAdjustStock } from './adjust-stock.ts'
import { config } from './config.ts'
import { reservationExpiry } from './reservation-expiry.ts'
import { reservationTrim } from './reservation-trim.ts'
import { routes } from './routes.ts'
import { createStockStore } from './stock-store.ts'
import { subscriptions } from './subscriptions.ts'

await runService({
  name: 'inventory',
  config,
  operations: inventoryOperations,
  migrations: new URL('../migrations/', import.meta.url),
  build: ({ db, sidecar, outbox, log }) => {
    const stock = createStockStore(db, outbox)
    return {
      routes: routes(stock, createAdjustStock(stock, sidecar)),
      subscriptions: subscriptions(stock),
      background: [
        reservationExpiry(stock, { sidecar, log }),
        reservationTrim(stock, config.RESERVATION_RETENTION_DAYS, { sidecar, log }),
      ],
    }
  },
})
