import { listProductChanges } from '@caravan/contracts/catalog'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { OfferStore } from './offer-store.ts'

/** Products at once; catalog tells fewer where they are large. */
const limit = 25
/** Longer than any change of a product takes from its time to its commit. */
const overlapMs = 60_000

/**
 * Reads what changed in catalog and takes over what no event told. Begins a while before the moment up to which it read the
 * last time, so that a change that was committed late is not missed.
 */
export const catalogCatchUp = (offers: OfferStore, { sidecar, log }: Tools): Background =>
  everyAsLeader(15_000, 'catalog-catch-up', { sidecar, log, leaseSeconds: 30 }, async () => {
    const read = await offers.feed.read()
    const since = read ? { since: new Date(read.getTime() - overlapMs).toISOString() } : {}
    let until: string | undefined
    let late = 0
    for (let after: string | undefined; ; ) {
      const page = await sidecar.call(listProductChanges, {
        query: { limit, ...since, ...(after ? { after } : {}) },
      })
      late += await offers.catchUp(page.data)
      until ??= page.until
      after = page.next
      if (!after) break
    }
    if (late > 0) log.info({ products: late }, 'caught up with catalog')
    await offers.feed.write(new Date(until))
  })
