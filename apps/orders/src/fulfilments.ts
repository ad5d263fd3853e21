import { type Sharded, shardOf } from '@caravan/service-kit/shards'
import type { Fulfilled, FulfilmentStore } from './fulfilment-store.ts'
import { inHome } from './in-home.ts'

/** The fulfilments of all databases as those of one: each is beside its order. */
export const createFulfilments = (stores: Sharded<FulfilmentStore>) => {
  return {
    find: ((orderId, ...more) =>
      inHome(stores, orderId, (store) => store.find(orderId, ...more))) as FulfilmentStore['find'],
    update: ((orderId, ...more) =>
      inHome(stores, orderId, (store) => store.update(orderId, ...more))) as FulfilmentStore['update'],
    /** In the transaction of an event, which is of the database that the order's id names; elsewhere in one of its own. */
    change: async (
      tx: Parameters<FulfilmentStore['change']>[0],
      ...[orderId, ...more]: Parameters<FulfilmentStore['update']>
    ): Promise<Fulfilled> => {
      const home = shardOf(stores, orderId)
      return inHome(stores, orderId, (store) =>
        store === home ? store.change(tx, orderId, ...more) : store.update(orderId, ...more),
      )
    },
    /** In the order of the ids. */
    findAll: async (orderIds: readonly string[]): Promise<Fulfilled[]> => {
      const found = (await Promise.all(stores.map((store) => store.findAll(orderIds)))).flat()
      const byId = new Map(found.map((each) => [each.order.id, each]))
      return orderIds.flatMap((id) => byId.get(id) ?? [])
    },
    tracked: async (...parcel: Parameters<FulfilmentStore['tracked']>) =>
      (await Promise.all(stores.map((store) => store.tracked(...parcel)))).flat(),
    ofSellers: async (...[sellers, options]: Parameters<FulfilmentStore['ofSellers']>): Promise<string[]> => {
      const ids = (await Promise.all(stores.map((store) => store.ofSellers(sellers, options)))).flat()
      return ids.sort().reverse().slice(0, options.limit)
    },
  }
}

export type Fulfilments = ReturnType<typeof createFulfilments>
