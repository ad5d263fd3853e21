import type { Finding } from '../audit/audit.ts'
import type { LoadReport } from '../load/report.ts'
import type { Drill, DrillOutcome, Fault, Field } from './field.ts'

export interface DrillReport {
  readonly name: string
  readonly what: string
  readonly commit: string
  readonly uncommittedChanges: boolean
  readonly at: string
  readonly machine: LoadReport['machine']
  readonly seed: number
  readonly rounds: number
  /** Of the whole drill, from erasing to the end of the audit. */
  readonly seconds: number
  /** How often each was done, and the longest recovery from it in milliseconds. */
  readonly faults: Record<string, { count: number; slowest: number | null }>
  readonly kills: Record<string, number>
  readonly hits: Record<string, number>
  /** Milliseconds from a fault, or its end, until a checkout that began after it had succeeded. */
  readonly recovery: { count: number; p50: number; p99: number; max: number; never: number }
  /** Milliseconds from a fault until all processes were ready; a part of recovery. */
  readonly ready: { p50: number; max: number }
  readonly slowest: readonly Fault[]
  readonly checkouts: {
    ok: number
    perSecond: number
    endedOtherwise: Record<string, number>
    repeated: Record<string, number>
  }
  readonly figures: Record<string, unknown>
  readonly audit: {
    checks: number
    looked: number
    violations: number
    /** Without those that the drill excuses. */
    found: readonly Pick<Finding, 'invariant' | 'check' | 'found' | 'violations'>[]
    excused: readonly string[]
  }
  /** Why the drill failed; empty when it did not. */
  readonly failures: readonly string[]
}

interface Results {
  readonly seed: number
  readonly rounds: number
  readonly startedAt: number
  readonly field: Field
  readonly loaded: LoadReport
  readonly outcome: DrillOutcome | undefined
  /** Of the drill itself, and of reading the books. */
  readonly errors: readonly unknown[]
  readonly findings: readonly Finding[]
}

/** First successful checkout after a kill, p99, in milliseconds. */
export const recoveryBound = 10_000

/**
 * What a shop rightly tells a client whom faults kept from its answers. Too slow to pay: its money, if any, goes back. Or
 * paid by an earlier attempt, whose answer was a 503: such a run of the key is forgotten (docs/adr/0006).
 */
const rightAnswers = new Set([
  ...['paid order cancelled', 'pay 409 payments/order-not-payable'],
  ...['pay 409 payments/in-progress', 'pay 409 payments/already-paid'],
])

const tally = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Of sorted values: the smallest that at least this part of them does not exceed. */
const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN

export const reportOf = (drill: Drill, results: Results): DrillReport => {
  const { seed, rounds, startedAt, field, loaded, outcome, errors, findings } = results
  const { faults } = field
  const times = faults.flatMap(({ recoveredMs }) => recoveredMs ?? []).toSorted((a, b) => a - b)
  const [p50, p99, max] = [at(times, 0.5), at(times, 0.99), at(times, 1)].map(Math.round) as [
    number,
    number,
    number,
  ]
  const recovery = { count: times.length, p50, p99, max, never: faults.length - times.length }
  const ready = faults.flatMap(({ readyMs }) => readyMs ?? []).toSorted((a, b) => a - b)
  const { excused = {}, mayEnd, recoveryMs = recoveryBound } = drill
  const wrong = findings.filter(({ found }) => found > 0)
  const violated = wrong.filter(({ check }) => !(check in excused))
  const violations = violated.reduce((sum, { found }) => sum + found, 0)
  const ended = tally(field.failed.map(({ what }) => what))
  const refused = Object.entries(ended).filter(([what]) => !rightAnswers.has(what) && !mayEnd?.(what))
  return {
    ...{ name: drill.name, what: drill.what, seed, rounds },
    ...{ commit: loaded.commit, uncommittedChanges: loaded.uncommittedChanges, machine: loaded.machine },
    at: new Date(startedAt).toISOString(),
    seconds: Math.round((Date.now() - startedAt) / 1000),
    faults: faultsOf(field),
    kills: tally(faults.flatMap(({ killed }) => killed)),
    hits: tally(faults.flatMap(({ point }) => point ?? [])),
    recovery,
    ready: { p50: Math.round(at(ready, 0.5)), max: Math.round(at(ready, 1)) },
    slowest: faults.toSorted((a, b) => (b.recoveredMs ?? Infinity) - (a.recoveredMs ?? Infinity)).slice(0, 5),
    checkouts: {
      ok: field.succeeded(),
      perSecond: loaded.perSecond,
      endedOtherwise: ended,
      repeated: loaded.errors.repeated,
    },
    figures: outcome?.figures ?? {},
    audit: {
      checks: findings.length,
      looked: findings.reduce((sum, { checked }) => sum + checked, 0),
      violations,
      found: violated,
      excused: wrong.flatMap(({ check, found }) =>
        check in excused ? `${check}: ${found}; ${excused[check]}` : [],
      ),
    },
    failures: [
      ...errors.map((error) => (error instanceof Error ? error.message : String(error))),
      ...(faults.length === 0 ? ['nothing was done to the shop'] : []),
      ...(findings.length === 0 ? ['nothing was audited'] : []),
      ...violated.map(({ invariant, check, found }) => `${invariant} ${check}: ${found} violations`),
      ...(recovery.never > 0 ? [`no checkout succeeded after ${recovery.never} of the faults`] : []),
      ...(p99 > recoveryMs ? [`recovery p99 is ${p99} ms, more than ${recoveryMs}`] : []),
      ...refused.map(([what, count]) => `${count} checkouts ended with: ${what}`),
      ...(outcome?.failures ?? []),
    ],
  }
}

const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'

const faultsOf = ({ faults }: Field): DrillReport['faults'] =>
  Object.fromEntries(
    [...Map.groupBy(faults, ({ what }) => what)].map(([what, all]) => {
      const times = all.map(({ recoveredMs }) => recoveredMs ?? Number.POSITIVE_INFINITY)
      const slowest = Math.round(Math.max(...times))
      return [what, { count: all.length, slowest: Number.isFinite(slowest) ? slowest : null }]
    }),
  )

/** A report as rows of [what, figure]. */
export const rowsOf = (report: DrillReport): [string, string][] => {
  const { recovery, checkouts, audit } = report
  return [
    ['what', report.what],
    [
      'begun',
      `${report.at} at ${report.commit.slice(0, 12)}${report.uncommittedChanges ? ' with changes' : ''}`,
    ],
    ['took', `${report.seconds} s, seed ${report.seed}, ${report.rounds} rounds`],
    [
      'faults, times, slowest recovery',
      Object.entries(report.faults)
        .map(([what, { count, slowest }]) => `${what}: ${count}, ${slowest ?? 'never'} ms`)
        .join('; '),
    ],
    ...(Object.keys(report.kills).length > 0 ? [['kills', listed(report.kills)] as [string, string]] : []),
    [
      'recovery',
      `p50 ${recovery.p50} ms, p99 ${recovery.p99} ms, max ${recovery.max} ms, of ${recovery.count}`,
    ],
    ['of it until all processes were ready', `p50 ${report.ready.p50} ms, max ${report.ready.max} ms`],
    ['checkouts', `${checkouts.ok} confirmed, ended otherwise: ${listed(checkouts.endedOtherwise)}`],
    ['answers that were asked again', listed(checkouts.repeated)],
    ...Object.entries(report.figures).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
    ['audit', `${audit.checks} checks of ${audit.looked} things: ${audit.violations} violations`],
    ...audit.excused.map((what): [string, string] => ['excused', what]),
    ['result', report.failures.length === 0 ? 'passed' : report.failures.join('; ')],
  ]
}
