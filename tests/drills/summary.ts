import { pointsOfAll } from './failpoints.ts'
import { apps } from './field.ts'
import { type DrillReport, rowsOf } from './report.ts'

const leastKills = 100
const leastHits = 10

const summed = (counts: readonly Record<string, number>[]): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const each of counts)
    for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count
  return sums
}

const killsOf = (reports: readonly DrillReport[]) => summed(reports.map(({ kills }) => kills))
const hitsOf = (reports: readonly DrillReport[]) => summed(reports.map(({ hits }) => hits))

/** What the whole set has to do and did not. */
export const shortfalls = (reports: readonly DrillReport[]): string[] => {
  const [kills, hits] = [killsOf(reports), hitsOf(reports)]
  return [
    ...apps
      .flatMap((app) => [app, `${app}.sidecar`])
      .filter((name) => (kills[name] ?? 0) < leastKills)
      .map((name) => `${name} was killed ${kills[name] ?? 0} times, not ${leastKills}`),
    ...pointsOfAll
      .filter((point) => (hits[point] ?? 0) < leastHits)
      .map((point) => `${point} was hit ${hits[point] ?? 0} times, not ${leastHits}`),
  ]
}

const row = (...cells: readonly unknown[]): string =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`

const table = (head: readonly string[], rows: readonly (readonly unknown[])[]): string[] => [
  row(...head),
  row(...head.map(() => '---')),
  ...rows.map((cells) => row(...cells)),
]

/** The report of a set of drills, for docs/. */
export const markdown = (reports: readonly DrillReport[], missing: readonly string[]): string => {
  const [first] = reports
  if (!first) return ''
  const { machine } = first
  const commits = new Set(
    reports.map(
      ({ commit, uncommittedChanges }) => commit.slice(0, 12) + (uncommittedChanges ? ' with changes' : ''),
    ),
  )
  const minutes = Math.round(reports.reduce((sum, { seconds }) => sum + seconds, 0) / 60)
  const failed = reports.filter(({ failures }) => failures.length > 0).length + missing.length
  const [kills, hits] = [killsOf(reports), hitsOf(reports)]
  const points = [...new Set(pointsOfAll.map((point) => point.slice(point.indexOf('.') + 1)))]
  return [
    '# Drills',
    'Written by `npm run drill -- all --report docs/drills.md`. Each drill breaks a shop of its own while eight clients check out ' +
      'without a pause, repeating what failed; then the auditor reads all books.',
    '',
    ...table(
      ['', ''],
      [
        ['begun', first.at],
        ['commit', [...commits].join(', ')],
        ['machine', `${machine.cores} cores, ${machine.cpu}, ${Math.round(machine.memoryGiB)} GiB`],
        ['seed', first.seed],
        ['took', `${minutes} minutes`],
        ['result', failed === 0 ? 'all passed' : `${failed} failed`],
        ...missing.map((what) => ['missing', what]),
      ],
    ),
    '',
    '**Recovery** is the time from a fault, or from the end of one that lasted, until a checkout that began after it was ' +
      'confirmed.',
    '',
    ...table(
      ['drill', 'faults', 'recovery p50', 'p99', 'max', 'checkouts', 'audit', 'result'],
      reports.map(({ name, recovery, checkouts, audit, failures }) => [
        ...[`[${name}](#${name})`, recovery.count + recovery.never],
        ...[recovery.p50, recovery.p99, recovery.max].map((ms) => `${(ms / 1000).toFixed(1)} s`),
        ...[
          checkouts.ok,
          `${audit.violations} of ${audit.looked}`,
          failures.length === 0 ? 'passed' : 'failed',
        ],
      ]),
    ),
    '',
    '## Kills',
    ...table(
      ['process', 'app', 'sidecar'],
      apps.map((app) => [app, kills[app] ?? 0, kills[`${app}.sidecar`] ?? 0]),
    ),
    '',
    '## Hits of failpoints',
    ...table(
      ['', ...points],
      apps.map((app) => [
        app,
        ...points.map((point) =>
          pointsOfAll.includes(`${app}.${point}`) ? (hits[`${app}.${point}`] ?? 0) : '',
        ),
      ]),
    ),
    ...reports.flatMap((report) => ['', `## ${report.name}`, ...table(['', ''], rowsOf(report))]),
    '',
  ].join('\n')
}
