import { setTimeout as sleep } from 'node:timers/promises'

/** Waits that can be cut short: whoever waits goes on as if the time were over. */
export function createPauses() {
  let moment = new AbortController()
  let stopped = false

  const pause = async (ms: number) => {
    if (ms > 0 && !stopped) await sleep(ms, undefined, { signal: moment.signal }).catch(() => {})
  }

  /** Ends the waits of this moment. */
  function release() {
    moment.abort()
    moment = new AbortController()
  }

  /** Ends those to come, too. */
  function stop() {
    stopped = true
    release()
  }
  return { pause, release, stop }
}
