import { AppError } from '@caravan/service-kit/errors'
import type { Faults } from './faults.ts'
import type { Owner, Timeline } from './virtual-time.ts'

export interface NetworkOptions {
  readonly timeline: Timeline
  readonly faults: Faults
  /** Milliseconds that a step takes at least. */
  readonly latency: number
  /** How much longer, at random, it may take. */
  readonly jitter: number
  readonly note: (who: string, what: string) => void
}

const unreachable = (why: string) =>
  new AppError('unavailable', 'sidecar/unavailable', 'Try again in a moment', {
    retryAfterSeconds: 1,
    cause: why,
  })

/** A way from one owner to another, with all that can go wrong on it, there and back. */
export const createNetwork = ({ timeline, faults, latency, jitter, note }: NetworkOptions) => {
  /** Most steps take little longer than the shortest, few much longer. */
  const pause = (): number => latency + (most > 0 ? most * timeline.random() ** 4 : 0)
  let most = jitter

  /** One call. `arrive` is what the other side does; it answers or fails once, or never. */
  const exchange = <T>(
    from: Owner,
    name: string,
    deadlineMs: number,
    arrive: (reply: (answer: T) => void, fail: (why: string) => void) => void,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      if (!from.alive) return
      const end = (act: () => void) => {
        timeline.cancel(deadline)
        act()
      }
      const deadline = timeline.after(deadlineMs, from, () => reject(unreachable('no answer in time')), true)

      const back = (act: () => void): void => {
        let wait = pause()
        for (const { kind, ms } of faults.at(`${name} answer`)) {
          note(name, `answer ${kind}`)
          if (kind === 'lost') return
          if (kind === 'reset')
            return void timeline.after(wait, from, () => end(() => reject(unreachable('reset'))))
          wait += ms
        }
        timeline.after(wait, from, () => end(act))
      }
      const go = (wait: number): void =>
        void timeline.after(wait, timeline.world, () =>
          arrive(
            (answer) => back(() => resolve(answer)),
            (why) => back(() => reject(unreachable(why))),
          ),
        )

      let wait = pause()
      for (const { kind, ms } of faults.at(`${name} request`)) {
        note(name, `request ${kind}`)
        if (kind === 'lost') return
        if (kind === 'reset')
          return void timeline.after(wait, from, () => end(() => reject(unreachable('reset'))))
        if (kind === 'twice') go(wait + ms)
        else wait += ms
      }
      go(wait)
    })

  /** A call to something that is near and always answers at once: there is only one way, and nobody else on it. */
  const tell = <T>(from: Owner, name: string, act: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      if (!from.alive) return
      const answer = act()
      let wait = pause()
      for (const { kind, ms } of faults.at(name)) {
        note(name, kind)
        wait += ms
        if (kind === 'lost') return void timeline.after(3000, from, () => reject(unreachable('no answer')))
      }
      timeline.after(wait, from, () => resolve(answer))
    })

  /** From now on nothing takes long. */
  const calm = (): void => {
    most = Math.min(jitter, 4)
  }

  return { exchange, tell, pause, calm }
}

export type Network = ReturnType<typeof createNetwork>
