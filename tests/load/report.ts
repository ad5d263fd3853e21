import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { inDatabase } from '../support/in-database.ts'
import type { Entries } from './books.ts'
import { invocationsOf } from './counters.ts'
import type { Mode } from './drive.ts'
import type { Percentiles } from './latencies.ts'
import type { Usage } from './process-meter.ts'
import type { Tally } from './visit.ts'

interface Settings {
  readonly scenario: string
  readonly seed: number
  readonly mode: Mode
  readonly warmUpSeconds: number
  readonly products: number
  readonly zipf: number
  readonly lists: number
  readonly waitMs: number
  readonly persist: boolean
}

interface Measured {
  /** On the clock of `performance.now()`. */
  readonly window: { readonly from: number; readonly to: number }
  /** Runs that ended within. */
  readonly completed: { readonly ok: number; readonly failed: number }
  readonly usage: Usage
  readonly books: Entries
  readonly tallies: { readonly warmUp: Tally; readonly measured: Tally }
  /** When the payments of orders were answered, in ms since 1970. */
  readonly paid: ReadonlyMap<string, number>
}

export type LoadReport = Awaited<ReturnType<typeof reportOf>>

const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim()

const machine = () => {
  const all = cpus()
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, memoryGiB: round(totalmem() / 2 ** 30) }
}

const round = (value: number): number => Number(value.toPrecision(6))

const statement = /^(?:Questions|Com_|Innodb_)/

const perRun = ({ grown, runs }: Entries, which: (name: string) => boolean): Record<string, number> =>
  Object.fromEntries(
    Object.entries(grown)
      .filter(([name]) => which(name))
      .map(([name, n]) => [name, round(n / runs)]),
  )

/** Everything that is known of a run of a load, ready for JSON. Times are milliseconds unless they say seconds. */
export const reportOf = async (stack: Stack, settings: Settings, measured: Measured) => {
  const { window, completed, usage, books, tallies, paid } = measured
  const { latencies, unexpected, expected, repeated } = tallies.measured
  const steps = latencies.all()
  const seconds = (window.to - window.from) / 1000
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, n) => total + n, 0)
  const since = performance.timeOrigin + window.from
  return {
    ...settings,
    commit: git('rev-parse', 'HEAD'),
    uncommittedChanges: git('status', '--porcelain') !== '',
    at: new Date(since).toISOString(),
    machine: machine(),
    seconds: round(seconds),
    completed,
    /** Runs that ended well within the measurement, a second. */
    perSecond: round(completed.ok / seconds),
    /** `run` from when it was to begin, a step from when it was sent. */
    steps,
    requestsPerRun: round(requestsOf(steps) / (steps.run?.count ?? 0)),
    paidToConfirmed: {
      /** From the answer to the payment until a poll said confirmed. */
      seenByClient: steps['paid to confirmed'] ?? null,
      ...(await byHistory(
        stack,
        [...paid].filter(([, at]) => at >= since),
      ).catch(() => null)),
    },
    unexpectedErrors: sum(unexpected) + sum(tallies.warmUp.unexpected),
    errors: {
      unexpected: Object.fromEntries(unexpected),
      unexpectedInWarmUp: Object.fromEntries(tallies.warmUp.unexpected),
      expected: Object.fromEntries(expected),
      /** Answers and failures upon which a persistent client asked again. */
      repeated: Object.fromEntries(repeated),
    },
    ...usage,
    synchronousInvocations: invocationsOf(books.grown),
    /** All that was counted from before the warm-up until the last run had ended, background work too, by the runs. */
    perRun: {
      statements: perRun(books, (name) => statement.test(name)),
      calls: perRun(books, (name) => !statement.test(name)),
      /** Of MySQL, by service. */
      bytes: Object.fromEntries(
        Object.entries(books.bytes).map(([service, n]) => [service, Math.round(n / books.runs)]),
      ),
    },
    tables: books.tables,
  }
}

/** What is no request of its own. */
const derived = /^run|^start delay$|^paid to confirmed$/

const requestsOf = (steps: Record<string, Percentiles>): number =>
  Object.entries(steps).reduce((total, [step, { count }]) => (derived.test(step) ? total : total + count), 0)

type Times = { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number }

const timesOf = (values: readonly number[]): Times => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/**
 * From the history that orders keeps, whose clock is this machine's. Its `paid` is when orders heard of the payment, its
 * `confirmed` when it heard that the stock is sold; each is a moment before the commit.
 */
const byHistory = async (stack: Stack, paid: readonly (readonly [string, number])[]) => {
  const fromAnswer: number[] = []
  const withinOrders: number[] = []
  for (let from = 0; from < paid.length; from += 1000) {
    const some = new Map(paid.slice(from, from + 1000))
    const rows = await inDatabase<{ id: string; history: unknown }>(
      ...[
        stack.mysqlAdminUrl,
        'orders',
        'SELECT id, history FROM orders WHERE id IN (?)',
        [[...some.keys()]],
      ],
    )
    for (const { id, history } of rows) {
      const all = (typeof history === 'string' ? JSON.parse(history) : history) as {
        what: string
        at: string
      }[]
      const when = (what: string) => Date.parse(all.find((entry) => entry.what === what)?.at ?? '')
      const [heard, confirmed] = [when('paid'), when('confirmed')]
      if (Number.isNaN(confirmed)) continue
      fromAnswer.push(confirmed - (some.get(id) as number))
      withinOrders.push(confirmed - heard)
    }
  }
  return {
    /** From the client's having the answer to the payment; less than zero where the events were faster. */
    answerToHistory: timesOf(fromAnswer),
    withinOrders: timesOf(withinOrders),
  }
}
