import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { stackFolder } from '../../tools/launcher/stack-file.ts'
import { drills } from './drills.ts'
import type { Drill } from './field.ts'
import { main as checkMutants } from './mutants/main.ts'
import { type DrillReport, rowsOf } from './report.ts'
import { runDrill } from './run-drill.ts'
import { markdown, shortfalls } from './summary.ts'

// npm run drill -- <name>...|all|--list [options]: a table for each on stderr, then one JSON on stdout; exit 1 when one failed, 2
// when it could not be done. `mutants` has options of its own: see there.

if (process.argv[2] === 'mutants') process.exit(await checkMutants(process.argv.slice(3)))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    /** What a round is, each drill says in its file. */
    rounds: { type: 'string' },
    /** How long a fault lasts. */
    seconds: { type: 'string' },
    /** A Markdown file for the whole set. */
    report: { type: 'string' },
    /** Takes the results of drills that passed before with this seed, at any commit: the report names it. */
    resume: { type: 'boolean', default: false },
  },
})

const fail = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const number = (name: 'seed' | 'rounds' | 'seconds'): number | undefined => {
  const text = values[name]
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text)
  return fail(`--${name} takes a number, not "${text}"`)
}

if (values.list) {
  const width = Math.max(...drills.map(({ name }) => name.length))
  for (const { name, what } of drills) console.log(`${name.padEnd(width)}  ${what}`)
  process.exit()
}

const all = positionals[0] === 'all'
const names = all ? drills.map(({ name }) => name) : positionals
const unknown = names.find((name) => !drills.some((drill) => drill.name === name))
if (unknown || names.length === 0)
  fail(`which drill? all, or of ${drills.map(({ name }) => name).join(', ')}`)

const seed = number('seed') ?? 1
const options = { rounds: number('rounds'), seconds: number('seconds') }
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort())

const folder = stackFolder('drills')
mkdirSync(folder, { recursive: true })
const resultOf = (name: string) => join(folder, `${name}.json`)

/** What an earlier run found, if it passed. */
const earlier = (name: string): DrillReport | undefined => {
  try {
    const report: DrillReport = JSON.parse(readFileSync(resultOf(name), 'utf8'))
    const same = report.seed === seed && !report.uncommittedChanges
    return same && report.failures.length === 0 ? report : undefined
  } catch {
    return undefined
  }
}

const print = (report: DrillReport): void => {
  console.error(`\n${report.name}`)
  for (const [what, figure] of rowsOf(report)) console.error(`  ${what.padEnd(32)} ${figure}`)
  for (const { check, violations } of report.audit.found)
    for (const violation of violations.slice(0, 5)) console.error(`  ${check}: ${violation}`)
}

const perform = async (drill: Drill): Promise<DrillReport> => {
  const known = values.resume ? earlier(drill.name) : undefined
  if (known) return known
  const log = (line: string) => console.error(`${drill.name}: ${line}`)
  const { signal } = interruption
  const report = await runDrill(drill, { ...options, seed, log, signal }).catch((error) => {
    if (!signal.aborted) throw error
    return fail('interrupted')
  })
  writeFileSync(resultOf(drill.name), `${JSON.stringify(report, null, 2)}\n`)
  return report
}

const reports: DrillReport[] = []
for (const drill of drills.filter(({ name }) => names.includes(name))) {
  const report = await perform(drill)
  print(report)
  reports.push(report)
}
const missing = all ? shortfalls(reports) : []
for (const what of missing) console.error(what)
if (values.report) {
  // The section on mutants is another command's.
  const [, others = ''] =
    /\n(## Mutants\n[\s\S]*)$/.exec(existsSync(values.report) ? readFileSync(values.report, 'utf8') : '') ??
    []
  writeFileSync(values.report, [markdown(reports, missing), others].filter(Boolean).join('\n'))
}
console.log(JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2))
// The streams of processes that were killed may still be open.
process.exit(missing.length > 0 || reports.some(({ failures }) => failures.length > 0) ? 1 : 0)
