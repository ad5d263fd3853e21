import { listProductChanges } from '@caravan/contracts/catalog'
import { listPromotionChanges } from '@caravan/contracts/promotions'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { OfferStore } from './offer-store.ts'
import type { PromotionStore } from './promotion-store.ts'

interface Query {
  readonly limit: number
  readonly since?: string
  readonly after?: string
}
interface Page<T> {
  readonly data: T[]
  readonly next?: string | undefined
  readonly until: string
}

/** What is kept here of another service's things. */
interface Copy<T> {
  readonly feed: {
    /** Up to when its changes were read, by its clock; null: all of them are to be read. */
    readonly read: () => Promise<Date | null>
    readonly write: (until: Date) => Promise<void>
  }
  readonly catchUp: (some: readonly T[]) => Promise<number>
}

/** At once; the owner tells fewer where they are large. */
const limit = 25
/** Longer than any change takes from its time to its commit. */
const overlapMs = 60_000

/**
 * Reads what changed at its owner and takes over what no event told. Begins a while before the moment up to which it read the
 * last time, so that a change that was committed late is not missed.
 */
const catchUp = <T>(
  owner: string,
  ask: (query: Query) => Promise<Page<T>>,
  copy: Copy<T>,
  { sidecar, log }: Tools,
): Background =>
  everyAsLeader(15_000, `${owner}-catch-up`, { sidecar, log, leaseSeconds: 30 }, async () => {
    const read = await copy.feed.read()
    const since = read ? { since: new Date(read.getTime() - overlapMs).toISOString() } : {}
    let until: string | undefined
    let late = 0
    for (let after: string | undefined; ; ) {
      const page = await ask({ limit, ...since, ...(after ? { after } : {}) })
      late += await copy.catchUp(page.data)
      until ??= page.until
      after = page.next
      if (!after) break
    }
    if (late > 0) log.info({ owner, changes: late }, 'caught up')
    await copy.feed.write(new Date(until))
  })

export const catalogCatchUp = (offers: OfferStore, tools: Tools): Background =>
  catchUp('catalog', (query) => tools.sidecar.call(listProductChanges, { query }), offers, tools)

export const promotionsCatchUp = (promotions: PromotionStore, tools: Tools): Background =>
  catchUp('promotions', (query) => tools.sidecar.call(listPromotionChanges, { query }), promotions, tools)
