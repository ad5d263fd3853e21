import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Arguments } from './arguments.ts'
import { check, drillTests, needsDatabase, stackTests } from './check.ts'
import { log, seconds, seed } from './commands.ts'
import { eraseStack } from './erase-stack.ts'
import { type Run, run } from './run.ts'
import { startStack } from './stack.ts'
import { repository, stackFolder } from './stack-file.ts'

/** Milliseconds that `check` takes on a machine that has no room for several shops at once: 90 s are usual for two cores. */
const slowMs = 150_000

/**
 * `check`, then everything else: the tests that share an empty shop, one file after another, after those that want a database
 * of its server, each its own; and beside them those that start what they need. Of the latter two kinds two files run at a time, for
 * they wait more than they work. With names of test files it runs only these; with `--in-turn`, or on a slow machine, one file at
 * a time. Resolves with the exit code of a part that failed, after the last.
 */
export const test = async (args: Arguments, signal: AbortSignal): Promise<number> => {
  const { files } = args
  const startedAt = Date.now()
  const times: string[] = []
  const timed = async (part: string, work: () => Promise<number>): Promise<number> => {
    const since = Date.now()
    const code = await work()
    times.push(`${part}: ${code === 0 ? 'passed' : 'failed'} after ${seconds(since)}`)
    return code
  }
  const end = (code: number): number => {
    for (const line of times) log(line)
    log(`${code === 0 ? 'all tests passed' : 'the tests failed'} after ${seconds(startedAt)}`)
    return code
  }
  const checked = files.length ? 0 : await timed('check', () => check({ signal }))
  if (checked !== 0) return end(checked)
  const inTurn = args.inTurn || Date.now() - startedAt > slowMs
  if (inTurn && !args.inTurn) log('this machine is slow: one test file at a time')

  const known = drillTests()
  const isDrill = (file: string) => known.includes(relative(repository, resolve(file)))
  const chosen = files.length ? files : [...stackTests(), ...known]
  const [shared, drills] = [chosen.filter((file) => !isDrill(file)), chosen.filter(isDrill)]
  const atOnce = inTurn ? 1 : 2
  const onOneShop = async () =>
    shared.length ? timed('tests of one shop', () => testOnOneShop(shared, atOnce, signal)) : 0
  const drill = async (output?: number) =>
    drills.length ? timed('drills', () => runTests(drills, atOnce, { signal, output })) : 0

  if (inTurn || shared.length === 0 || drills.length === 0)
    return end(Math.max(await onOneShop(), await drill()))
  const parts = await Promise.allSettled([onOneShop(), shownLater('drills', drill)])
  return end(Math.max(...parts.map(codeOf)))
}

/** Throws what a part threw, when all have ended. */
const codeOf = (part: PromiseSettledResult<number>): number => {
  if (part.status === 'rejected') throw part.reason
  return part.value
}

const runTests = async (files: string[], atOnce: number, options: Run): Promise<number> =>
  files.length ? run('node', ['--test', `--test-concurrency=${atOnce}`, ...files], options) : 0

/** Shows what a part printed when it has ended, so that it reads as if nothing had run beside it. */
const shownLater = async (part: string, work: (output: number) => Promise<number>): Promise<number> => {
  const file = join(stackFolder(part), 'output.log')
  mkdirSync(stackFolder(part), { recursive: true, mode: 0o700 })
  log(`the ${part} run beside, and are shown when they have ended: ${relative(repository, file)}`)
  const output = openSync(file, 'w', 0o600)
  try {
    return await work(output)
  } finally {
    closeSync(output)
    process.stdout.write(readFileSync(file))
  }
}

const testOnOneShop = async (files: string[], atOnce: number, signal: AbortSignal): Promise<number> => {
  await eraseStack('test')
  const stack = await startStack({
    ...{ profile: 'test', ports: 'free', signal, log },
    // Tests come from addresses of their own, as from behind a proxy.
    env: { gateway: { TRUSTED_PROXIES: '127.0.0.0/8' } },
  })
  const env = { STACK_PROFILE: stack.profile, TEST_MYSQL_URL: stack.mysqlAdminUrl }
  try {
    const seeded = await seed(stack, signal)
    if (seeded !== 0) return seeded
    const ofDatabases = await runTests(files.filter(needsDatabase), atOnce, { env, signal })
    const ofShop = await runTests(
      files.filter((file) => !needsDatabase(file)),
      1,
      { env, signal },
    )
    return Math.max(ofDatabases, ofShop)
  } finally {
    await stack.stop()
  }
}
