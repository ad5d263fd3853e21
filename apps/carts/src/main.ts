import { cartsOperations } from '@caravan/contracts/carts'
import { runService } from '@caravan/service-kit/run-service'
import { createCartStore } from './cart-store.ts'
import { config } from './config.ts'
import { routes } from './routes.ts'
import { subscriptions } from './subscriptions.ts'

await runService({
  name: 'carts',
  config,
  operations: cartsOperations,
  build: ({ sidecar }) => {
    const carts = createCartStore(sidecar.state)
    return { routes: routes(carts), subscriptions: subscriptions(carts) }
  },
})
