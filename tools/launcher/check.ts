import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type Run, run } from './run.ts'
import { repository } from './stack-file.ts'

const find = (...patterns: string[]) =>
  globSync(patterns, { cwd: repository, exclude: (path) => path.includes('node_modules') }).sort()

const needsDatabase = (file: string): boolean => file.endsWith('.db.test.ts')

const unitTestPatterns = [
  'packages/*/src/**/*.test.ts',
  'apps/*/src/**/*.test.ts',
  'tools/**/*.test.ts',
  'tests/checks/*.test.ts',
  'tests/bench/*.test.ts',
  'tests/load/*.test.ts',
  'tests/simulation/simulation.test.ts',
]

export const unitTests = (): string[] => find(...unitTestPatterns).filter((file) => !needsDatabase(file))

/** Those that start what they need by themselves, and may do anything to it. */
export const drillTests = (): string[] => find('tests/drills/**/*.test.ts', 'tests/tilt/*.test.ts')

/** Those that share a shop of two replicas, one file after another. */
export const replicaTests = (): string[] => find('tests/replicas/**/*.test.ts')

/** Those that want a database of a running server, each its own. */
export const databaseTests = (): string[] =>
  find(...unitTestPatterns, 'tests/**/*.db.test.ts').filter(needsDatabase)

/** Those that share a shop, one file after another. */
export const acceptanceTests = (): string[] => find('tests/acceptance/**/*.test.ts')

/** Format and lint, types, unit tests, in this order; resolves with the exit code of the first that fails. */
export const check = async (options: Run): Promise<number> => {
  const steps: [string, string[]][] = [
    ['biome', ['ci', '.', ...(process.stdout.isTTY ? [] : ['--colors=off'])]],
    ['tsc', ['--noEmit']],
    ['node', ['--test', `--test-concurrency=${availableParallelism()}`, ...unitTests()]],
  ]
  for (const [program, args] of steps) {
    const code = await run(program, args, options)
    if (code !== 0) return code
  }
  return 0
}

/**
 * Runs the tests of a folder, or some of them, which have what Caravan writes read by the programs that it is for; these are fetched or
 * built first, once per machine.
 */
export const verify =
  (folder: string) =>
  (files: string[], options: Run): Promise<number> =>
    run('node', ['--test', ...(files.length ? files : find(`${folder}/*.test.ts`))], options)
