import { randomUUID } from 'node:crypto'
import type { Log } from './log.ts'
import type { Sidecar } from './sidecar.ts'
import { runInTrace } from './trace.ts'

/** Something that runs beside the requests; `start` gives the function that stops it and waits for its end. */
export interface Background {
  readonly start: () => () => Promise<void>
}

/** A pause that `wake` ends early, and that does not begin while `isOver`. One at a time. */
export const createPause = (isOver: () => boolean) => {
  let wake = (): void => undefined
  return {
    pause: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (isOver()) wake()
      }),
    wake: (): void => wake(),
  }
}

/** Runs `work` again and again, `ms` after its last end. An error is logged, and the next round is as usual. */
export const every = (ms: number, name: string, log: Log, work: () => Promise<void>): Background => ({
  start: () => {
    let stopped = false
    let timer: NodeJS.Timeout | undefined
    let running: Promise<void> = Promise.resolve()
    const round = () => {
      running = runInTrace(undefined, work)
        .catch((error) => log.warn({ err: error, task: name }, 'background task failed; it will be repeated'))
        .finally(() => {
          if (!stopped) timer = setTimeout(round, ms)
        })
    }
    timer = setTimeout(round, ms)
    return () => {
      stopped = true
      clearTimeout(timer)
      return running
    }
  },
})

/**
 * Like `every`, on one replica at a time: whoever holds the Dapr lock, which is kept from round to round and asked for anew
 * when its lease is over. It saves work and is no fence; two replicas may overlap for a moment, so `work` must be right under
 * that too (conditional updates). A leader that stops is followed at once, one that dies after `leaseSeconds`.
 */
export const everyAsLeader = (
  ms: number,
  name: string,
  { sidecar, log, leaseSeconds = 5 }: { sidecar: Pick<Sidecar, 'lock'>; log: Log; leaseSeconds?: number },
  work: () => Promise<void>,
): Background => {
  const owner = randomUUID()
  let leadsUntil: number | undefined
  const stepDown = async () => {
    if (leadsUntil === undefined) return
    leadsUntil = undefined
    await sidecar.lock.release('lockstore', name, owner)
  }
  const leads = async (): Promise<boolean> => {
    const now = performance.now()
    if (leadsUntil !== undefined && now < leadsUntil) return true
    await stepDown()
    if (!(await sidecar.lock.acquire('lockstore', name, owner, leaseSeconds))) return false
    leadsUntil = now + leaseSeconds * 1000
    return true
  }
  const rounds = every(ms, name, log, async () => {
    if (await leads()) await work()
  })
  return {
    start: () => {
      const stop = rounds.start()
      return async () => {
        await stop()
        await stepDown().catch((error) => log.warn({ err: error, task: name }, 'the lock runs out by itself'))
      }
    },
  }
}
