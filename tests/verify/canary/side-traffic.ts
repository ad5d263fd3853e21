import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { ClientLog } from '../../support/client-log.ts'
import type { Line, Shop } from '../../support/shop.ts'
import { checkOut } from '../persistent-checkout.ts'

/** Requests and checkouts at a steady pace, until it is stopped: what is read may fail, what is bought may not. */
export const startTraffic = (
  shop: Shop,
  goods: readonly Line[],
  log: ClientLog,
  { reads, checkouts }: { reads: number; checkouts: number },
) => {
  let on = true
  const statuses = new Map<number, number>()
  const under = new Set<Promise<unknown>>()
  const failures: unknown[] = []
  const bought: string[] = []
  const keep = (work: Promise<unknown>) => {
    under.add(work)
    work.catch((error) => failures.push(error)).finally(() => under.delete(work))
  }

  const newReader = () => eventually('a shopper who reads', () => shop.newShopper(), 240_000)
  let reader = newReader()
  const read = async () => {
    const { token } = await reader
    const status = await shop.door('GET', '/v1/orders', { token }).then(
      (answer) => answer.status,
      () => 0,
    )
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  const buy = async () => {
    bought.push(await checkOut(shop, goods, log))
  }
  const every = async (perSecond: number, work: () => Promise<unknown>) => {
    for (let next = Date.now(); on; next += 1000 / perSecond) {
      await pause(Math.max(0, next - Date.now()))
      // As many at a time as a second brings: one that stands still is not to be buried.
      if (under.size < 2 * (reads + checkouts)) keep(work())
    }
  }
  const done = [
    every(reads, read),
    every(checkouts, buy),
    // A token is good for five minutes.
    every(1 / 120, async () => {
      const next = newReader()
      await next
      reader = next
    }),
  ]
  return {
    /** How often each status came since it was asked last; 0 is none. */
    statuses: () => {
      const told = Object.fromEntries([...statuses].sort())
      statuses.clear()
      return told
    },
    /** Resolves with the orders that were bought, when all have come to their end. */
    stop: async (): Promise<string[]> => {
      on = false
      await Promise.all(done)
      await Promise.allSettled(under)
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} clients failed`)
      return bought
    },
  }
}
