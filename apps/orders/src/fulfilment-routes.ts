import {
  addSellerAccount,
  cancelLines,
  getFulfilment,
  listSellerOrders,
  receiveCarrierWebhook,
  refundOrder,
  removeSellerAccount,
  shipOrder,
  shipSellerOrder,
} from '@caravan/contracts/fulfilment'
import { fitting } from '@caravan/service-kit/fitting'
import { type Route, route } from '@caravan/service-kit/route'
import type { createCarrierWebhook } from './carrier-webhook.ts'
import type { Fulfilment } from './domain/fulfilment.ts'
import { cancelUnits, type FulfilmentChange, ofSellers, refundMoney, ship } from './domain/fulfilment.ts'
import { type Order, sellersOf } from './domain/order.ts'
import type { Fulfilled } from './fulfilment-store.ts'
import type { Fulfilments } from './fulfilments.ts'
import { presentFulfilment, presentSellerOrder } from './present-fulfilment.ts'
import type { SellerStore } from './seller-store.ts'
import { anybodys, type MaySee, noSuchOrder, ownedBy } from './whose.ts'

export interface FulfilmentRouteParts {
  readonly fulfilments: Fulfilments
  readonly sellers: SellerStore
  readonly receive: ReturnType<typeof createCarrierWebhook>
}

export const fulfilmentRoutes = ({ fulfilments, sellers, receive }: FulfilmentRouteParts): Route[] => {
  /** Under the request's id, of which there is one effect: where its outcome is kept is not where the order is. */
  const change = async (
    orderId: string,
    check: MaySee,
    apply: (fulfilment: Fulfilment) => FulfilmentChange,
  ) => presentFulfilment(await fulfilments.update(orderId, check, apply))

  const sellersFor = async (accountId: string): Promise<ReadonlySet<string>> =>
    new Set(await sellers.ofAccount(accountId))

  /** Throws 404 where none of an order's lines is of these sellers. */
  const concerns = (own: ReadonlySet<string>, { fulfilment }: Pick<Fulfilled, 'fulfilment'>): void => {
    if (ofSellers(fulfilment.lines, own).length === 0) throw noSuchOrder()
  }

  return [
    route(getFulfilment, async ({ caller, params }) =>
      presentFulfilment(await fulfilments.find(params.orderId, ownedBy(caller.id))),
    ),

    route(shipOrder, ({ params, body, once: { id } }) =>
      change(params.orderId, anybodys, (before) => ship(before, { id, ...body }, 'all', new Date())),
    ),

    route(cancelLines, ({ caller, params, body, once: { id } }) =>
      change(params.orderId, ownedBy(caller.id), (before) => cancelUnits(before, id, body.lines, new Date())),
    ),

    route(refundOrder, ({ params, body, once: { id } }) =>
      change(params.orderId, anybodys, (before) => refundMoney(before, id, body, new Date())),
    ),

    route(addSellerAccount, async ({ params: { sellerId }, body: { accountId } }) => {
      await sellers.allow(sellerId, accountId)
      return undefined
    }),

    route(removeSellerAccount, async ({ params: { sellerId, accountId } }) => {
      await sellers.forbid(sellerId, accountId)
      return undefined
    }),

    route(listSellerOrders, async ({ caller, query: { limit, after, state } }) => {
      const own = await sellersFor(caller.id)
      const openOnly = state === 'open'
      const ids = await fulfilments.ofSellers([...own], { openOnly, limit: limit + 1, after })
      const found = await fulfilments.findAll(ids.slice(0, limit))
      const data = fitting(found.map((each) => presentSellerOrder(each, own)))
      const next = ids.length > data.length ? data.at(-1)?.orderId : undefined
      return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
    }),

    route(shipSellerOrder, async ({ caller, params, body, once: { id } }) => {
      const own = await sellersFor(caller.id)
      // Nor does a seller hear what became of an order of others. What came in exchange is in the fulfilment alone.
      const isConcerned = (order: Order) => {
        if (order.status !== 'confirmed' && !sellersOf(order).some((seller) => own.has(seller)))
          throw noSuchOrder()
      }
      const shipped = await fulfilments.update(params.orderId, isConcerned, (fulfilment) => {
        concerns(own, { fulfilment })
        return ship(fulfilment, { id, ...body }, own, new Date())
      })
      return presentSellerOrder(shipped, own)
    }),

    route(receiveCarrierWebhook, async ({ params, headers, raw }) => {
      await receive(params.carrier, headers, raw)
      return undefined
    }),
  ]
}
