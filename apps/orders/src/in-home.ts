import { AppError } from '@caravan/service-kit/errors'
import { type Sharded, shardOf } from '@caravan/service-kit/shards'

/** In the database that an order's id names; an order from before ids did is looked for in the others, where that one has none. */
export const inHome = async <S, T>(
  stores: Sharded<S>,
  orderId: string,
  work: (store: S) => Promise<T>,
): Promise<T> => {
  const home = shardOf(stores, orderId)
  let missing: unknown
  for (const store of [home, ...stores.filter((each) => each !== home)]) {
    try {
      return await work(store)
    } catch (error) {
      if (!(error instanceof AppError && error.kind === 'not-found')) throw error
      missing ??= error
    }
  }
  throw missing
}
