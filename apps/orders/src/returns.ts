import type { Background } from '@caravan/service-kit/background'
import type { Route } from '@caravan/service-kit/route'
import type { Tools } from '@caravan/service-kit/run-service'
import type { Sharded } from '@caravan/service-kit/shards'
import { workflowWorker } from '@caravan/service-kit/workflow-worker'
import type { config as ordersConfig } from './config.ts'
import type { Fulfilments } from './fulfilments.ts'
import type { OfferStore } from './offer-store.ts'
import { returnRoutes } from './return-routes.ts'
import type { ReturnStore } from './return-store.ts'
import { returnWorkflows } from './return-workflow.ts'
import { createWakeReturn, tendReturns } from './tend-returns.ts'

interface Parts {
  readonly fulfilments: Fulfilments
  readonly offers: OfferStore
  readonly stores: Sharded<ReturnStore>
  readonly config: typeof ordersConfig
  readonly tools: Tools
}

/** Returns: what people do with them, what follows by itself, and who looks after that. */
export const createReturns = ({
  fulfilments,
  offers,
  stores,
  config,
  tools,
}: Parts): {
  readonly routes: readonly Route[]
  readonly background: readonly Background[]
} => {
  const rules = {
    approvedUpTo: config.RETURNS_APPROVED_UP_TO,
    answerSeconds: config.RETURN_ANSWER_SECONDS,
    goodsSeconds: config.RETURN_GOODS_SECONDS,
  }
  return {
    routes: returnRoutes({ fulfilments, offers, stores, rules, wake: createWakeReturn(tools) }),
    background: [
      workflowWorker(returnWorkflows({ fulfilments, offers, sidecar: tools.sidecar }), { config, ...tools }),
      tendReturns(stores, tools),
    ],
  }
}
