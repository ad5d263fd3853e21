import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../../tools/launcher/stack.ts'
import type { ClientLog } from '../support/client-log.ts'
import { openBooks } from './books.ts'
import { browse } from './browse.ts'
import { checkout } from './checkout.ts'
import { type Client, openClient } from './client.ts'
import { drive, type Mode } from './drive.ts'
import { openLatencies } from './latencies.ts'
import { marketplace } from './marketplace.ts'
import { mixed } from './mixed.ts'
import { openProcessMeter } from './process-meter.ts'
import { openRandom } from './random.ts'
import { type LoadReport, reportOf } from './report.ts'
import { count, openVisit, type Tally, Unexpected } from './visit.ts'
import { openWorld, type Scenario } from './world.ts'

export const scenarios = { browse, checkout, marketplace, mixed } satisfies Record<string, Scenario>
export type ScenarioName = keyof typeof scenarios

export interface Done {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  readonly ok: boolean
  /** What it met, when it did not end well; otherwise the scenario. */
  readonly what: string
}

export interface LoadOptions {
  /** What `startStack` or `attachStack` gives. */
  readonly stack: Stack
  readonly scenario: ScenarioName
  readonly mode: Mode
  /** Of the measurement, after the warm-up; without it the load runs until the signal. */
  readonly seconds?: number | undefined
  /** Seconds that run before the measurement; 5 unless said otherwise. */
  readonly warmUp?: number | undefined
  readonly seed: number
  readonly clientLog?: ClientLog | undefined
  /** Ends the load early; the report is of what ran. */
  readonly signal?: AbortSignal | undefined
  /** A client repeats a failed request, under its own Idempotency-Key, until it gets a real answer. */
  readonly persist?: boolean | undefined
  /** After each run of the scenario, those of the warm-up too. */
  readonly onDone?: ((done: Done) => void) | undefined
  /** How many products the shop gets; 300 unless said otherwise. */
  readonly products?: number | undefined
  /** The exponent of the choice of products; 0, uniform, unless said otherwise. */
  readonly zipf?: number | undefined
  /** The part of `browse` that reads lists and searches instead of product pages; 0 unless said otherwise. */
  readonly lists?: number | undefined
  /** How long a question for an order may wait to be answered, in ms: 1000 unless said otherwise; 0 is plain polling. */
  readonly waitMs?: number | undefined
}

/** A client that got an error waits before its next try, or a shop that is down would be asked without a pause. */
const afterErrorMs = 50

/** Of the warm-up, in which an open loop comes up to its rate. */
const rampShare = 0.5

const newTally = (): Tally => ({
  latencies: openLatencies(),
  ...{ unexpected: new Map(), expected: new Map(), repeated: new Map() },
})

const whatOf = (error: unknown): string => (error instanceof Unexpected ? error.what : String(error))

/**
 * Loads a running shop through its public door and measures what it does. A run counts when it was to begin within the
 * measurement, however long it takes; throughput counts the runs that ended within it. Resolves when the last run has
 * ended.
 */
export const runLoad = async (options: LoadOptions): Promise<LoadReport> => {
  const { stack, scenario, mode, seed, signal = new AbortController().signal } = options
  const { warmUp = 5, seconds = Number.POSITIVE_INFINITY, persist = false, onDone } = options
  const { products = 300, zipf = 0, lists = 0, waitMs = 1000, clientLog } = options
  const world = await openWorld({ stack, seed, products, zipf, lists, waitMs, clientLog })
  const visitShop = scenarios[scenario](world)
  const clients = stack.urls.map(openClient)
  const tallies = { warmUp: newTally(), measured: newTally() }
  const ended = { ok: 0, failed: 0 }
  const window = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  const tallyAt = (time: number) => (time < window.from ? tallies.warmUp : tallies.measured)

  const run = async (index: number, intendedAt: number) => {
    const tally = tallyAt(intendedAt)
    const { record } = tally.latencies
    record('start delay', performance.now() - intendedAt)
    let failure: string | undefined
    try {
      const client = clients[index % clients.length] as Client
      await visitShop(openVisit(client, tally, openRandom(seed, index), persist))
      record('run', performance.now() - intendedAt)
      ended.ok += 1
    } catch (error) {
      failure = whatOf(error)
      ended.failed += 1
      count(tally.unexpected, failure)
    }
    const { timeOrigin } = performance
    onDone?.({
      ...{ startedAt: timeOrigin + intendedAt, endedAt: timeOrigin + performance.now() },
      ...{ ok: failure === undefined, what: failure ?? scenario },
    })
    if (failure !== undefined && mode.kind === 'closed') await pause(afterErrorMs)
  }

  const measure = async () => {
    await waitUntil(performance.now() + warmUp * 1000, signal)
    const processes = openProcessMeter(stack)
    const before = { ...ended }
    window.from = performance.now()
    await waitUntil(window.from + seconds * 1000, signal)
    window.to = performance.now()
    const completed = { ok: ended.ok - before.ok, failed: ended.failed - before.failed }
    return { window, completed, usage: processes.stop() }
  }
  try {
    const books = await openBooks(stack)
    const [measured] = await Promise.all([
      measure(),
      drive({
        ...{ mode, run, random: openRandom(seed, 0xa221), endsAt: () => window.to },
        rampMs: warmUp * 1000 * rampShare,
        refused: (intendedAt) => count(tallyAt(intendedAt).unexpected, 'cap reached'),
      }),
    ])
    const settings = { scenario, seed, mode, persist, products, zipf, lists, waitMs, warmUpSeconds: warmUp }
    const entries = await books.read(ended.ok)
    return await reportOf(stack, settings, { ...measured, tallies, books: entries, paid: world.paid })
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** A time of `performance.now()`, or the signal. */
const waitUntil = async (at: number, signal: AbortSignal): Promise<void> => {
  const longest = 3_600_000
  while (!signal.aborted && performance.now() < at)
    await pause(Math.min(longest, at - performance.now()), undefined, { signal }).catch(() => {})
}
