import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  buildOwnDapr,
  type DaprBinaries,
  daprVersion,
  firstDapr,
  releaseFolder,
} from '../../tools/launcher/dapr-binaries.ts'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Memory, readMemory } from '../../tools/launcher/process-memory.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { concurrency, loadCheckouts } from './checkouts.ts'
import { describeCommit, describeMachine, mysqlVersionOf } from './machine.ts'
import { describeRun, figure, renderTables, row } from './measurements.ts'
import { alternate, type Leg } from './rounds.ts'

/**
 * npm run sidecar-builds -- [--full FOLDER] [--checkouts N] [--rounds N]: two shops side by side, one on a Dapr with all components, one on
 * the Dapr that is built here. The memory of each sidecar after the start and after N checkouts at each shop, and the checkouts a second, in
 * turns. FOLDER has daprd, placement and scheduler of an official release, or of a build of all. Tables on stderr, all samples as JSON on
 * stdout. Exit 1 when a checkout failed, or when after the start the sidecars of the second have more than 70 % of the private memory of
 * those of the first.
 */

const allowedShare = 0.7
/** After a start or a load, for what is still under way. */
const settleMs = 10_000
const log = (line: string) => console.error(line)

const { values } = parseArgs({
  options: {
    full: { type: 'string', default: releaseFolder(daprVersion(repository)) },
    checkouts: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
  },
})
const [checkouts, rounds] = [Number(values.checkouts), Number(values.rounds)]
if (![checkouts, rounds].every((number) => Number.isInteger(number) && number > 0)) {
  log('npm run sidecar-builds -- [--full FOLDER] [--checkouts N] [--rounds N]')
  process.exit(2)
}
const full = firstDapr(repository, [values.full])
if (!full || full.components) {
  log(
    `no Dapr ${daprVersion(repository)} with all components in ${values.full}: --full names the folder of one`,
  )
  process.exit(2)
}

interface Shop {
  readonly name: string
  readonly stack: Stack
  /** Checkouts that it has seen. */
  count: number
}

const openShop = async (name: string, profile: string, dapr: DaprBinaries): Promise<Shop> => {
  log(`${name}: ${dapr.daprd}, ${figure(statSync(dapr.daprd).size / 1e6)} MB`)
  await eraseStack(profile)
  const stack = await startStack({ profile, ports: 'free', restart: false, dapr, log })
  return { name, stack, count: 0 }
}

/** The first turn of each is to warm it up and is not shown: V8 compiles, stores and caches fill. */
const checkoutsOfATurn = Math.ceil(checkouts / (rounds + 1))

const legOf = (shop: Shop): Leg => ({
  name: shop.name,
  run: () => {
    const enough = new AbortController()
    const last = shop.count + checkoutsOfATurn
    const onDone = () => {
      shop.count += 1
      if (shop.count >= last) enough.abort()
    }
    return loadCheckouts(shop.stack, { signal: enough.signal, onDone })
  },
})

/** Of each sidecar of a shop, by its app. */
type Memories = Readonly<Record<string, Memory>>

const memoriesOf = ({ stack }: Shop): Memories =>
  Object.fromEntries(
    stack.names
      .filter((name) => name.endsWith('.sidecar'))
      .map((name) => [name.replace('.sidecar', ''), readMemory(Number(stack.process(name).pid))]),
  )

/** By what the tables call them. */
const kinds = { private: 'own', resident: 'rss', anonymous: 'anonymous' } as const satisfies Record<
  string,
  keyof Memory
>
const sum = (memories: readonly Memory[], kind: keyof Memory): number =>
  memories.reduce((total, memory) => total + memory[kind], 0)

/** MiB by shop, and what the last are of the first. */
const memoryTable = (byShop: ReadonlyMap<string, Memories>): string[] => {
  const rowOf = (title: string, choose: (all: Memories) => readonly Memory[]) =>
    row([
      title,
      ...Object.values(kinds).flatMap((kind) => {
        const sums = [...byShop.values()].map((all) => sum(choose(all), kind) / 1024)
        return [...sums, Number(sums.at(-1)) / Number(sums[0])].map(figure)
      }),
    ])
  const [first = {}] = byShop.values()
  return [
    row([
      'MiB',
      ...Object.keys(kinds).flatMap((kind) => [...byShop.keys(), 'ratio'].map((name) => `${kind}, ${name}`)),
    ]),
    row(['---', ...Object.keys(kinds).flatMap(() => [...byShop.keys(), 'ratio'].map(() => '---:'))]),
    ...Object.keys(first).map((app) => rowOf(app, (all) => (all[app] ? [all[app]] : []))),
    rowOf('all', Object.values),
  ]
}

const begun = Date.now()
const shops: Shop[] = []
try {
  const own = await buildOwnDapr(repository, log)
  shops.push(await openShop('all components', 'bench-full', full))
  shops.push(await openShop('ours alone', 'bench-own', own))
  const readMemories = async () => {
    await pause(settleMs)
    return new Map(shops.map((shop) => [shop.name, memoriesOf(shop)]))
  }
  const afterStart = await readMemories()
  const legs = shops.map(legOf)
  for (const { run } of legs) await run(0)
  const samples = await alternate({ legs, legMs: 0, warmUpMs: 0 }, rounds, (round, leg, { rate, p50 }) =>
    log(`  ${round}/${rounds}  ${leg.padEnd(16)} ${rate.toFixed(1).padStart(9)}/s  p50 ${p50.toFixed(2)} ms`),
  )
  const afterCheckouts = await readMemories()

  const [{ name: base, stack }] = shops as [Shop, Shop]
  const run = {
    ...{ at: new Date(begun).toISOString(), commit: describeCommit(), rounds },
    machine: describeMachine(await mysqlVersionOf(stack)),
    minutes: (Date.now() - begun) / 60_000,
  }
  const counts = shops.map(({ count }) => count.toLocaleString('en')).join(' and ')
  log(
    [
      '',
      ...describeRun(run),
      ...['', '## Memory of the sidecars after the start', '', ...memoryTable(afterStart)],
      ...['', `## After ${counts} checkouts`, '', ...memoryTable(afterCheckouts)],
      ...['', `## Checkouts of two products, ${concurrency} at a time`, ''],
      ...[...renderTables({ base, samples }), ''],
    ].join('\n'),
  )
  const shown = (all: ReadonlyMap<string, unknown>) => Object.fromEntries(all)
  console.log(
    JSON.stringify({
      ...run,
      ...{ afterStart: shown(afterStart), afterCheckouts: shown(afterCheckouts), samples: shown(samples) },
    }),
  )
  const [large = 0, small = 0] = [...afterStart.values()].map((all) => sum(Object.values(all), 'own'))
  const isSmall = small <= allowedShare * large
  log(
    `${isSmall ? 'small' : 'NOT SMALL'}: ${figure(small / large)} of the private memory, ${allowedShare} allowed`,
  )
  process.exitCode = isSmall ? 0 : 1
} catch (error) {
  log(`the run is void: ${error instanceof Error ? error.stack : error}`)
  process.exitCode = 1
} finally {
  for (const { stack } of shops) await stack.stop()
}
process.exit()
