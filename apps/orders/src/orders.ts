import { type Sharded, shardOf } from '@caravan/service-kit/shards'
import type { Order } from './domain/order.ts'
import type { OrderChange, OrderStore } from './order-store.ts'

type Found = Map<string, Order>
type Transaction = Parameters<OrderStore['change']>[0]

/**
 * The orders of all databases as those of one. An account's orders are in one database, with the account's own row and the answers
 * to its requests. An order's id ends as its account's does, so it says where the order is; one from before ids did is
 * looked for in the others when it is not there.
 */
export const createOrders = (stores: Sharded<OrderStore>) => {
  const home = (id: string): OrderStore => shardOf(stores, id)
  const others = (id: string): OrderStore[] => stores.filter((store) => store !== home(id))

  const find = async (id: string): Promise<Order | undefined> => {
    for (const store of [home(id), ...others(id)]) {
      const order = await store.find(id)
      if (order) return order
    }
    return undefined
  }

  /** Changes orders in another database than the one that their ids name, each in a transaction of its own. */
  const updateElsewhere = async (changes: readonly OrderChange[]): Promise<Found> => {
    const found: Found = new Map()
    for (const change of changes)
      for (const store of others(change.id))
        for (const [id, order] of await store.updateAll([change])) found.set(id, order)
    return found
  }

  /** As a store's, in one transaction for each database. */
  const updateAll = async (changes: readonly OrderChange[]): Promise<Found> => {
    const found: Found = new Map()
    for (const [store, some] of Map.groupBy(changes, ({ id }) => home(id)))
      for (const [id, order] of await store.updateAll(some)) found.set(id, order)
    const missing = changes.filter(({ id }) => !found.has(id))
    for (const [id, order] of await updateElsewhere(missing)) found.set(id, order)
    return found
  }

  /**
   * In the transaction of an event, which is of the database that the orders' ids name. What is not there is changed elsewhere and
   * not with the event's inbox row: each change is none when it comes again.
   */
  const change = async (tx: Transaction, changes: readonly OrderChange[]): Promise<Found> => {
    const found = await home(changes[0]?.id ?? '').change(tx, changes)
    const missing = changes.filter(({ id }) => !found.has(id))
    if (missing.length === 0) return found
    return new Map([...found, ...(await updateElsewhere(missing))])
  }

  const settledAmong = async (ids: readonly string[]): Promise<string[]> => {
    const byStore = [...Map.groupBy(ids, home)]
    return (await Promise.all(byStore.map(([store, some]) => store.settledAmong(some)))).flat()
  }

  /** In whichever database they are. */
  const statusesOf = async (ids: readonly string[]) =>
    (await Promise.all(stores.map((store) => store.statusesOf(ids)))).flat()

  return {
    ...{ find, change, updateAll, settledAmong, statusesOf },
    update: async (id: string, apply: OrderChange['apply']) => (await updateAll([{ id, apply }])).get(id),
    insert: ((placed, ...more) =>
      home(placed.order.accountId).insert(placed, ...more)) as OrderStore['insert'],
    abandon: (accountId: string, ...more: Parameters<OrderStore['abandon']>) =>
      home(accountId).abandon(...more),
    list: ((accountId, ...more) => home(accountId).list(accountId, ...more)) as OrderStore['list'],
    standingOf: (accountId: string) => home(accountId).standingOf(accountId),
    closeAccount: (tx: Transaction, accountId: string) => home(accountId).closeAccount(tx, accountId),
  }
}

export type Orders = ReturnType<typeof createOrders>
