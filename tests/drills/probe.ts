import type { Stack } from '../../tools/launcher/stack.ts'
import { checkout } from '../load/checkout.ts'
import { openClient } from '../load/client.ts'
import { openLatencies } from '../load/latencies.ts'
import { openRandom } from '../load/random.ts'
import { openVisit, Unexpected } from '../load/visit.ts'
import { openWorld } from '../load/world.ts'
import type { Field } from './field.ts'

const everyMs = 500

/**
 * A shopper who arrives every half second as long as no checkout has succeeded after a fault: clients of the load may all be
 * busy with what they began before it. `stop` resolves when the last of them is gone.
 */
export const startProbe = async (field: Field, stack: Stack, seed: number, persist: boolean) => {
  const { clientLog, now, onDone } = field
  const shape = { products: 5, zipf: 0, lists: 0, waitMs: 1000 }
  const world = await openWorld({ stack, seed, clientLog, ...shape })
  const visitShop = checkout(world)
  const client = openClient(stack.url)
  const tally = {
    latencies: openLatencies(),
    ...{ unexpected: new Map(), expected: new Map(), repeated: new Map() },
  }
  const underWay = new Set<Promise<void>>()
  let arrived = 0

  const arrive = async () => {
    const startedAt = now()
    const what = await visitShop(openVisit(client, tally, openRandom(seed, arrived++), persist)).then(
      () => undefined,
      (error) => (error instanceof Unexpected ? error.what : String(error)),
    )
    onDone({ startedAt, endedAt: now(), ok: what === undefined, what: what ?? 'checkout' })
  }
  const timer = setInterval(() => {
    if (!field.waiting()) return
    const one = arrive().finally(() => underWay.delete(one))
    underWay.add(one)
  }, everyMs)
  return {
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await Promise.all(underWay)
      await client.close()
    },
  }
}
