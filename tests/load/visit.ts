import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Reply, Request } from './client.ts'
import type { Latencies } from './latencies.ts'
import type { Random } from './random.ts'

/** What a run met that nobody should: `what` is `<step> <status> <problem code>`, or the error of the connection. */
export class Unexpected extends Error {
  readonly what: string

  constructor(what: string, detail = '') {
    super(`${what} ${detail}`)
    this.name = 'Unexpected'
    this.what = what
  }
}

/** Where a run's measurements go: those of the warm-up to another one than the rest. */
export interface Tally {
  readonly latencies: Latencies
  /** How often, by what. */
  readonly unexpected: Map<string, number>
  readonly expected: Map<string, number>
  readonly repeated: Map<string, number>
}

export const count = (counts: Map<string, number>, what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

export interface Asked extends Request {
  /** The problem codes that are an answer as good as any. */
  readonly expect?: readonly string[]
}

/** One run of a scenario, as the scenario sees it. */
export interface Visit {
  readonly random: Random
  readonly record: Tally['latencies']['record']
  /**
   * Sends a request and records its time under the step. Gives 2xx and expected refusals; throws `Unexpected` for all else.
   * A run that persists repeats the request, with its own Idempotency-Key, until a real answer comes or two minutes are over.
   */
  readonly ask: (step: string, request: Asked) => Promise<Reply>
  /** Whether requests are repeated until they are answered: the shop is being broken, and slow answers may come too late. */
  readonly persist: boolean
  /** Counts an outcome that is as good as any. */
  readonly noteExpected: (what: string) => void
  /** How long to wait for what happens later, in milliseconds. */
  readonly patienceMs: number
}

export const codeOf = ({ text }: Reply): string => {
  try {
    return String(JSON.parse(text).code ?? '')
  } catch {
    return ''
  }
}

const persistMs = 120_000

export const openVisit = (client: Client, tally: Tally, random: Random, persist: boolean): Visit => {
  const { record } = tally.latencies
  const once = async (step: string, request: Asked): Promise<Reply | string> => {
    const reply = await client.send(request).catch((error: NodeJS.ErrnoException) => {
      return `${step} ${error.code ?? error.name}`
    })
    if (typeof reply === 'string' || (reply.status >= 200 && reply.status < 300)) return reply
    const code = codeOf(reply)
    const what = `${step} ${reply.status} ${code}`
    if (request.expect?.includes(code)) {
      count(tally.expected, what)
      return reply
    }
    const transient = reply.status >= 500 || reply.status === 429 || code === 'idempotency/in-flight'
    if (transient) return what
    throw new Unexpected(what, reply.text.slice(0, 300))
  }
  const ask = async (step: string, request: Asked): Promise<Reply> => {
    const begun = performance.now()
    for (;;) {
      const reply = await once(step, request)
      if (typeof reply !== 'string') {
        record(step, performance.now() - begun)
        return reply
      }
      if (!persist || performance.now() - begun > persistMs) throw new Unexpected(reply)
      count(tally.repeated, reply)
      await pause(100)
    }
  }
  const noteExpected = (what: string) => count(tally.expected, what)
  return { random, record, ask, persist, noteExpected, patienceMs: persist ? persistMs : 30_000 }
}
