import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Arguments } from './arguments.ts'
import { check, drillTests, stackTests } from './check.ts'
import { seed } from './commands.ts'
import { eraseStack } from './erase-stack.ts'
import { type Run, run } from './run.ts'
import { startStack } from './stack.ts'
import { repository, stackFolder } from './stack-file.ts'

const log = (line: string) => console.error(line)
const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`

/**
 * `check`, then everything else: the tests that share an empty shop, one file after another, and beside them those that start
 * what they need, two files at a time, for they wait more than they work. With names of test files it runs only these; with
 * `--in-turn`, one file at a time. Resolves with the exit code of a part that failed, after the last.
 */
export const test = async ({ files, inTurn }: Arguments, signal: AbortSignal): Promise<number> => {
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

  const known = drillTests()
  const isDrill = (file: string) => known.includes(relative(repository, resolve(file)))
  const chosen = files.length ? files : [...stackTests(), ...known]
  const [shared, drills] = [chosen.filter((file) => !isDrill(file)), chosen.filter(isDrill)]
  const onOneShop = async () =>
    shared.length ? timed('tests of one shop', () => testOnOneShop(shared, signal)) : 0
  const drill = async (concurrency: number, output?: number) =>
    drills.length ? timed('drills', () => runTests(drills, concurrency, { signal, output })) : 0

  if (inTurn || shared.length === 0 || drills.length === 0)
    return end((await onOneShop()) || (await drill(inTurn ? 1 : atOnce)))
  const parts = await Promise.allSettled([
    onOneShop(),
    shownLater('drills', (output) => drill(atOnce, output)),
  ])
  return end(Math.max(...parts.map(codeOf)))
}

/** How many drills run at once, each with a shop of its own. */
const atOnce = 2

/** Throws what a part threw, when all have ended. */
const codeOf = (part: PromiseSettledResult<number>): number => {
  if (part.status === 'rejected') throw part.reason
  return part.value
}

const runTests = (files: string[], concurrency: number, options: Run): Promise<number> =>
  run('node', ['--test', `--test-concurrency=${concurrency}`, ...files], options)

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

const testOnOneShop = async (files: string[], signal: AbortSignal): Promise<number> => {
  await eraseStack('test')
  const stack = await startStack({
    ...{ profile: 'test', ports: 'free', signal, log },
    // Tests come from addresses of their own, as from behind a proxy.
    env: { gateway: { TRUSTED_PROXIES: '127.0.0.0/8' } },
  })
  const env = { STACK_PROFILE: stack.profile, TEST_MYSQL_URL: stack.mysqlAdminUrl }
  try {
    return (await seed(stack, signal)) || (await runTests(files, 1, { env, signal }))
  } finally {
    await stack.stop()
  }
}
