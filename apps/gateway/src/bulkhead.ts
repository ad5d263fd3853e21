import { type Forward, unavailable } from './forward.ts'

interface Lane {
  running: number
  /** In order of arrival. */
  readonly waiting: Set<() => void>
}

/**
 * Gives each app so many places at a time, of all apps fewer than there are connections to the sidecar: an app that hangs slows its own
 * callers only. Whoever gets no place within `patienceMs` is told that the app is unavailable.
 */
export const withBulkhead = (
  forward: Forward,
  { places = 48, patienceMs = 4000 }: { places?: number; patienceMs?: number } = {},
): Forward => {
  const lanes = new Map<string, Lane>()

  const turn = (app: string, { waiting }: Lane): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(go)
        reject(unavailable(app, 'no free place'))
      }, patienceMs)
      waiting.add(go)
    })

  /** A place is handed on to whoever waits longest. */
  const leave = (lane: Lane): void => {
    const [next] = lane.waiting
    if (next === undefined) {
      lane.running -= 1
      return
    }
    lane.waiting.delete(next)
    next()
  }

  return async (app, request) => {
    const lane = lanes.get(app) ?? { running: 0, waiting: new Set() }
    lanes.set(app, lane)
    if (lane.running < places) lane.running += 1
    else await turn(app, lane)
    try {
      return await forward(app, request)
    } finally {
      leave(lane)
    }
  }
}
