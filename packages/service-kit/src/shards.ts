import type { Database } from './database.ts'
import { slotOf, slots } from './ids.ts'
import type { Outbox } from './outbox.ts'

/** One of the databases that a service's data is divided among; what is written in it is told by its own outbox. */
export interface Shard {
  readonly db: Database
  readonly outbox: Outbox
}

/** At least one, in the order of configuration. */
export type Sharded<T> = readonly [T, ...T[]]

export const mapShards = <T, R>(all: Sharded<T>, map: (each: T) => R): Sharded<R> =>
  all.map(map) as unknown as Sharded<R>

/**
 * Where what has this id belongs, and all whose ids end alike. Each has an equal range of slots, so twice as many halve each
 * range: what is in number n stays, or moves to one of 2n and 2n + 1. An id that is in no slot belongs to the first.
 */
export const shardOf = <T>(all: Sharded<T>, id: string): T => {
  const slot = slotOf(id)
  return all[slot === undefined ? 0 : Math.floor((slot * all.length) / slots)] as T
}

/** Does something to all at once. One at which it fails keeps none of the others from it; the first error is thrown at the end. */
export const inEach = async <T>(all: Sharded<T>, work: (each: T) => Promise<void>): Promise<void> => {
  const results = await Promise.allSettled(all.map(work))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
