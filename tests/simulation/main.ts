import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { mutants } from './mutants.ts'
import { type Result, simulate, tellFailure } from './simulate.ts'

// npm run simulate -- [--runs N] [--seed N] [--path P] [--trace] [--unhealed] [--mutants [--only <name>]]
// Exit 1 when an invariant was broken, or with --mutants when one was not found.

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    path: { type: 'string' },
    trace: { type: 'boolean', default: false },
    unhealed: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})
const { path, trace, unhealed } = values
const seed = Number(values.seed)
const threads = Number(values.threads)

const sumOf = (results: readonly Result[], of: (result: Result) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0)

const simulateAll = async (runs: number): Promise<boolean> => {
  const startedAt = performance.now()
  const failed = new AbortController()
  const shares = path ? [runs] : Array.from({ length: threads }, (_, n) => Math.floor((runs + n) / threads))
  const results = await Promise.all(
    shares.map(async (share, n) => {
      const result = await simulate({ seed: seed + n, runs: share, path, trace, unhealed }, failed.signal)
      if (result.failure) failed.abort()
      return result
    }),
  )
  const faults = new Map<string, number>()
  for (const result of results)
    for (const [kind, count] of Object.entries(result.faults))
      faults.set(kind, (faults.get(kind) ?? 0) + count)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`seed      ${seed}`)
  const { user, system } = process.cpuUsage()
  const cpu = ((user + system) / 1e6).toFixed(1)
  console.log(`runs      ${sumOf(results, ({ runs: n }) => n)}`)
  console.log(`seconds   ${seconds} on ${shares.length} threads, ${cpu} of processor time`)
  console.log(`steps     ${sumOf(results, ({ steps }) => steps)}`)
  for (const [kind, count] of [...faults].sort()) console.log(`  ${kind.padEnd(14)} ${count}`)
  const failures = results.filter(({ failure }) => failure)
  for (const failure of failures) console.log(`\n${tellFailure(failure).join('\n')}`)
  const unfinished = results.filter(
    ({ failure, runs: n }, index) => !failure && n < (shares[index] as number),
  )
  return failures.length === 0 && (path !== undefined || unfinished.length === 0)
}

/** Each mutant of the product must be found within so many runs. */
const findMutants = async (runs: number): Promise<boolean> => {
  const waiting = mutants.filter(({ name }) => name.includes(values.only)).values()
  let missed = 0
  const work = async () => {
    for (const { name, edits, unhealed } of waiting) {
      const result = await simulate({ seed, runs, edits, unhealed, trace })
      const { failure, seconds } = result
      if (!failure) missed += 1
      const found = failure ? `found, smallest of length ${failure.length}` : 'NOT FOUND'
      console.log(`${name}: ${found}, ${result.runs} runs, ${seconds.toFixed(1)} s`)
      for (const line of tellFailure(result)) console.log(`    ${line}`)
    }
  }
  await Promise.all(Array.from({ length: threads }, work))
  return missed === 0
}

const passed = values.mutants
  ? await findMutants(Number(values.runs ?? 6000))
  : await simulateAll(Number(values.runs ?? 30_000))
process.exit(passed ? 0 : 1)
