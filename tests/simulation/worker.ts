import { parentPort, workerData } from 'node:worker_threads'
import { apps, type Edit, edited, loadServices } from './load-services.ts'

export interface Task {
  readonly seed: number
  readonly runs: number
  /** Leads straight to one run, as fast-check printed it. */
  readonly path?: string | undefined
  readonly edits?: readonly Edit[] | undefined
  readonly unhealed?: boolean | undefined
  /** Tells of everything that happens in the run that failed. */
  readonly trace?: boolean | undefined
}

export interface Progress {
  runs: number
  steps: number
  /** Those that came to pass, by kind. */
  faults: Record<string, number>
  failure?: {
    readonly path: string
    readonly scenario: readonly string[]
    /** Commands and faults. */
    readonly length: number
    readonly objections: readonly string[]
    readonly trace: readonly string[]
  }
}

const { seed, runs, path, edits = [], unhealed, trace } = workerData as Task

const services = await loadServices(edits)
const { default: fc } = await import('fast-check')
const { readSchema } = await import('./memory-database.ts')
const { runScenario } = await import('./run-scenario.ts')
const { describe, scenarios } = await import('./scenario.ts')
const { takeOverTime } = await import('./virtual-time.ts')
takeOverTime()

const kit = new URL('../../packages/service-kit/migrations/', import.meta.url)
const schemaOf = (app: string) =>
  readSchema([kit, new URL(`../../apps/${app}/migrations/`, import.meta.url)], (file, sql) =>
    edited(edits, file, sql),
  )
const product = { services, schemas: Object.fromEntries(apps.map((app) => [app, schemaOf(app)])) as never }

const progress: Progress = { runs: 0, steps: 0, faults: {} }

const property = fc.asyncProperty(scenarios(unhealed), async (scenario) => {
  const { objections, steps, faults } = await runScenario(product, scenario)
  progress.runs += 1
  progress.steps += steps
  for (const [kind, count] of Object.entries(faults))
    progress.faults[kind] = (progress.faults[kind] ?? 0) + count
  if (progress.runs % 50 === 0) parentPort?.postMessage({ ...progress })
  return objections.length === 0
})

const details = await fc.check(property, { seed, numRuns: runs, ...(path ? { path } : {}) })
if (details.failed && details.counterexample) {
  const [scenario] = details.counterexample
  const lines: string[] = []
  const { objections } = await runScenario(
    product,
    scenario,
    trace ? { trace: (line) => lines.push(line) } : {},
  )
  progress.failure = {
    path: String(details.counterexamplePath),
    scenario: describe(scenario),
    length: scenario.commands.length + scenario.faults.length,
    objections: [
      ...new Set(
        objections.map(({ invariant, what }) => `${invariant}: ${trace ? what : what.split('\n')[0]}`),
      ),
    ],
    trace: lines,
  }
}
parentPort?.postMessage(progress)
