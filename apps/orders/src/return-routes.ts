import {
  cancelReturn as cancelReturnOperation,
  decideReturn,
  listReturns,
  receiveReturn,
  requestReturn as requestReturnOperation,
} from '@caravan/contracts/returns'
import { AppError } from '@caravan/service-kit/errors'
import { fitting } from '@caravan/service-kit/fitting'
import { type Route, route } from '@caravan/service-kit/route'
import type { Sharded } from '@caravan/service-kit/shards'
import type { Fulfilment, FulfilmentChange } from './domain/fulfilment.ts'
import type { Order } from './domain/order.ts'
import {
  cancelReturn,
  decide,
  findReturn,
  type ReturnRules,
  receive,
  requestReturn,
  returnOf,
} from './domain/returns.ts'
import type { Fulfilments } from './fulfilments.ts'
import type { OfferStore } from './offer-store.ts'
import type { ReturnStore } from './return-store.ts'
import type { ReturnRef } from './return-workflow.ts'
import { anybodys, type MaySee, ownedBy } from './whose.ts'

export interface ReturnRouteParts {
  readonly fulfilments: Fulfilments
  readonly offers: OfferStore
  readonly stores: Sharded<ReturnStore>
  readonly rules: ReturnRules
  readonly wake: (ref: ReturnRef) => void
}

const notOffered = () =>
  new AppError('invalid', 'orders/unknown-sku', 'This is not on the shelf, or for another currency', {
    errors: [{ pointer: '/exchangeFor', detail: 'not on the shelf' }],
  })
/** Its tax would have to be reckoned anew: the price of the other SKU comes without it. */
const assertExchangeable = ({ quote }: Order): void => {
  if (quote?.prices === 'net' && quote.tax > 0)
    throw new AppError(
      'conflict',
      'orders/not-exchangeable',
      'Goods at prices without tax are given back only',
    )
}

export const returnRoutes = ({ fulfilments, offers, stores, rules, wake }: ReturnRouteParts): Route[] => {
  const change = async (
    ref: ReturnRef,
    check: MaySee,
    apply: (before: Fulfilment, id: string, now: Date) => FulfilmentChange,
  ) => {
    const { fulfilment } = await fulfilments.update(ref.orderId, check, (before) =>
      apply(before, ref.returnId, new Date()),
    )
    wake(ref)
    return returnOf(fulfilment, ref.returnId)
  }

  return [
    route(requestReturnOperation, async ({ caller, params: { orderId }, body, once }) => {
      const ref = { orderId, returnId: once.id }
      const { exchangeFor: sku, ...asked } = body
      const offer = sku ? (await offers.find([sku])).offers.get(sku) : undefined
      const check = (order: Order) => {
        ownedBy(caller.id)(order)
        if (sku) assertExchangeable(order)
      }
      const { fulfilment } = await fulfilments.update(orderId, check, (before) => {
        if (sku && offer?.currency !== before.left.currency) throw notOffered()
        return requestReturn(before, { id: once.id, ...asked, exchangeFor: offer }, rules, new Date())
      })
      wake(ref)
      return returnOf(fulfilment, once.id)
    }),

    route(cancelReturnOperation, ({ caller, params }) => change(params, ownedBy(caller.id), cancelReturn)),

    route(decideReturn, ({ params, body }) =>
      change(params, anybodys, (before, id, now) => decide(before, id, body.decision, rules, now)),
    ),

    route(receiveReturn, ({ params, body }) =>
      change(params, anybodys, (before, id, now) => receive(before, id, body.condition, now)),
    ),

    route(listReturns, async ({ query: { status, limit, after } }) => {
      const found = (
        await Promise.all(stores.map((store) => store.list(status, { limit: limit + 1, after })))
      ).flat()
      const refs = found.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit + 1)
      const orders = await fulfilments.findAll([
        ...new Set(refs.slice(0, limit).map(({ orderId }) => orderId)),
      ])
      const byOrder = new Map(orders.map(({ fulfilment }) => [fulfilment.orderId, fulfilment]))
      const shown = refs.slice(0, limit).flatMap(({ id, orderId }) => {
        const fulfilment = byOrder.get(orderId)
        return (fulfilment && findReturn(fulfilment, id)) ?? []
      })
      const data = fitting(shown)
      const next = refs.length > data.length ? data.at(-1)?.id : undefined
      return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
    }),
  ]
}
