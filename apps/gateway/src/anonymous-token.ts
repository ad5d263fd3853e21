import { setTimeout as sleep } from 'node:timers/promises'
import type { Background } from '@caravan/service-kit/background'
import type { Log } from '@caravan/service-kit/log'

export interface IssuedToken {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
}

/** The token for callers who bring none: renewed after two thirds of its life, asked for until identity gives one. */
export const createAnonymousToken = (issue: () => Promise<IssuedToken>, log: Log) => {
  let token: string | undefined
  let issuedAt = 0
  let goodUntil = 0
  let stop = new AbortController()
  let due = new AbortController()

  /** Waits; ends early when the token is needed anew or the gateway stops. */
  const pause = async (ms: number): Promise<void> => {
    due = new AbortController()
    await sleep(ms, undefined, { signal: AbortSignal.any([stop.signal, due.signal]) }).catch(() => undefined)
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        const { accessToken, expiresIn } = await issue()
        token = accessToken
        issuedAt = Date.now()
        goodUntil = issuedAt + expiresIn * 1000
        failures = 0
        await pause((expiresIn * 1000 * 2) / 3)
      } catch (error) {
        failures += 1
        const level = failures === 1 ? 'info' : 'warn'
        log[level]({ err: error }, 'no anonymous token yet; it will be asked for again')
        await sleep(Math.min(100 * 2 ** failures, 2000), undefined, { signal: stop.signal }).catch(
          () => undefined,
        )
      }
    }
  }

  return {
    /** Undefined while there is none that is good. */
    current: (): string | undefined => (Date.now() < goodUntil ? token : undefined),
    /** Asks for another one now, since the current one was refused; at most once in five seconds. */
    renew: (): void => {
      if (Date.now() - issuedAt > 5000) due.abort()
    },
    start: (() => {
      stop = new AbortController()
      const running = run()
      return () => {
        stop.abort()
        return running
      }
    }) satisfies Background['start'],
  }
}

export type AnonymousToken = ReturnType<typeof createAnonymousToken>
