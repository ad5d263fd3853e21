import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Arguments } from './arguments.ts'
import { acceptanceTests, check, databaseTests, drillTests, replicaTests } from './check.ts'
import { log, seconds, seed } from './commands.ts'
import type { Environment } from './environment.ts'
import { eraseStack } from './erase-stack.ts'
import { run } from './run.ts'
import { type Stack, type StackOptions, startStack } from './stack.ts'
import { repository, stackFolder } from './stack-file.ts'

/** Milliseconds that `check` takes on a machine that has no room for several shops at once: 75 to 90 s are usual for two cores. */
const slowMs = 120_000

/**
 * `check`, then side by side: the tests that share an empty shop, those that want a database, of a server that nobody stops, those that share
 * a shop with two of some services, and those that start what they need. Of each one file runs after another. With names of test files it runs
 * only these; with `--in-turn`, or on a slow machine, one file at a time. Resolves with the exit code of a part that failed,
 * after the last.
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

  const groups = [acceptanceTests(), databaseTests(), replicaTests(), drillTests()]
  const chosen = files.length ? files.map((file) => relative(repository, resolve(file))) : groups.flat()
  const [, databases = [], replicas = [], drills = []] = groups.map((group) =>
    group.filter((file) => chosen.includes(file)),
  )
  const acceptance = chosen.filter((file) => ![...databases, ...replicas, ...drills].includes(file))

  const shown = [acceptance, databases, replicas, drills].find((group) => group.length > 0)
  /** What the others print is shown when they have ended. */
  const part = async (name: string, group: string[], env: Environment = {}): Promise<number> => {
    if (group.length === 0) return 0
    const tests = (output?: number) =>
      run('node', ['--test', '--test-concurrency=1', ...group], { env, signal, output })
    return timed(name, () => (inTurn || group === shown ? tests() : shownLater(name, tests)))
  }
  const onShop = async () =>
    withShop({ profile: 'test', signal }, async (stack, env) => {
      const seeded = await seed(stack, signal)
      return seeded === 0 ? part('acceptance', acceptance, env) : seeded
    })
  const onServer = () =>
    withShop({ profile: 'databases', backingOnly: true, signal }, (_, env) =>
      part('databases', databases, env),
    )
  const onReplicas = () => withShop({ ...twoOfSome, signal }, (_, env) => part('replicas', replicas, env))

  return end(
    await together(inTurn, [
      ...(acceptance.length > 0 ? [onShop] : []),
      ...(databases.length > 0 ? [onServer] : []),
      ...(replicas.length > 0 ? [onReplicas] : []),
      () => part('drills', drills),
    ]),
  )
}

const twoOfSome = {
  profile: 'replicas',
  replicas: { gateway: 2, orders: 2, inventory: 2, payments: 2 },
  // Longer than all of a file takes on a slow machine.
  env: { identity: { ACCESS_TOKEN_SECONDS: '3600' } },
}

/** An empty shop for as long as the work takes. Its tests come from addresses of their own, as from behind a proxy. */
const withShop = async (
  { profile, env, ...options }: Omit<StackOptions, 'ports'>,
  work: (stack: Stack, env: Environment) => Promise<number>,
): Promise<number> => {
  await eraseStack(profile)
  const stack = await startStack({
    ...{ ...options, profile, ports: 'free', log },
    env: { ...env, gateway: { TRUSTED_PROXIES: '127.0.0.0/8' } },
  })
  try {
    return await work(stack, { STACK_PROFILE: profile, TEST_MYSQL_URL: stack.mysqlAdminUrl })
  } finally {
    await stack.stop()
  }
}

/** The highest exit code of parts that run at the same time or, `inTurn`, after one another. Throws what a part threw, when all have ended. */
const together = async (inTurn: boolean, parts: (() => Promise<number>)[]): Promise<number> => {
  const begun: Promise<number>[] = []
  for (const part of parts) {
    begun.push(part())
    if (inTurn) await Promise.allSettled(begun)
  }
  await Promise.allSettled(begun)
  return Math.max(...(await Promise.all(begun)))
}

/** Shows what a part printed when it has ended, so that it reads as if nothing had run beside it. */
const shownLater = async (part: string, work: (output: number) => Promise<number>): Promise<number> => {
  const file = join(stackFolder('drills'), `${part}.log`)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  log(`${part} beside it, shown when they have ended: ${relative(repository, file)}`)
  const output = openSync(file, 'w', 0o600)
  try {
    return await work(output)
  } finally {
    closeSync(output)
    process.stdout.write(readFileSync(file))
  }
}
