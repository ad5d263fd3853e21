import { accessChanged } from '@caravan/contracts/access'
import type { AccessState, ReadAccessChanges } from './access-state.ts'
import { type Background, createPause } from './background.ts'
import type { Log } from './log.ts'
import { type Subscription, subscription } from './subscription.ts'
import { runInTrace } from './trace.ts'

export interface AccessFeedOptions {
  readonly state: AccessState
  readonly read: ReadAccessChanges
  readonly log: Log
  readonly pollMs?: number
}

/** Keeps the access state up to date: reads when an event says that there is something, and every five seconds anyway. */
export const createAccessFeed = ({ state, read, log, pollMs = 5000 }: AccessFeedOptions) => {
  let stopped = false
  let due = false
  const { pause, wake } = createPause(() => due || stopped)
  let waiting: (() => void)[] = []
  let loaded = (): void => undefined
  const firstRead = new Promise<void>((resolve) => {
    loaded = resolve
  })

  const run = async (): Promise<void> => {
    while (!stopped) {
      due = false
      let waitMs = pollMs
      const heard = waiting
      waiting = []
      try {
        state.sweep()
        const before = state.version()
        await runInTrace(undefined, () => state.catchUp(read))
        if (state.version() < before)
          log.warn({ before, version: state.version() }, 'the access state went back to an earlier version')
        loaded()
        for (const each of heard) each()
      } catch (error) {
        log.warn(
          { err: error, version: state.version() },
          'access changes not read; they will be asked for again',
        )
        waiting.unshift(...heard)
        waitMs = Math.min(pollMs, state.loaded() ? 1000 : 250)
        due = false
      }
      await pause(waitMs)
    }
  }

  /** There is a version; one that is known already is a repeat. */
  const hint = (version: number): void => {
    if (version <= state.version()) return
    due = true
    wake()
  }

  const orLate = (work: Promise<void>, withinMs: number): Promise<void> => {
    let timer: NodeJS.Timeout
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }

  return {
    hint,
    /** Resolves after the first read, or `withinMs`. */
    ready: (withinMs: number): Promise<void> => orLate(firstRead, withinMs),
    /** Resolves when all that identity had committed by now is known here, or after `withinMs`. */
    caughtUp: (withinMs: number): Promise<void> => {
      const read = new Promise<void>((resolve) => waiting.push(resolve))
      due = true
      wake()
      return orLate(read, withinMs)
    },
    start: (() => {
      const running = run()
      return () => {
        stopped = true
        wake()
        return running
      }
    }) satisfies Background['start'],
    /** Every replica hears each event, whatever its inbox would say of it. */
    subscription: subscription(accessChanged, async ({ version }) => hint(version), {
      pubsub: 'broadcast',
    }) as Subscription,
  }
}

export type AccessFeed = ReturnType<typeof createAccessFeed>
