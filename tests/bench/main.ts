import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { repository, stackFolder } from '../../tools/launcher/stack-file.ts'
import { catalogReads } from './catalog-reads.ts'
import { checkouts } from './checkouts.ts'
import { eventJourney } from './event-journey.ts'
import { hops } from './hops.ts'
import { describeCommit, describeMachine, mysqlVersionOf } from './machine.ts'
import { putBetweenMarkers, type Result, renderRun } from './measurements.ts'
import { alternate, type Part } from './rounds.ts'
import { scheduling } from './scheduling.ts'
import { searches } from './searches.ts'
import { staffOrders } from './staff-orders.ts'
import { withAndWithout } from './with-and-without.ts'

/**
 * npm run bench -- [a b c d e f g h] [--rounds N]: sets alternatives side by side. Tables on stderr, all samples as JSON on stdout;
 * a run of all parts in five rounds or more also writes docs/measurements.md. Exit 1, and nothing is written, when anything
 * failed in any leg.
 */

const fewestRounds = 5
const log = (line: string) => console.error(line)

let stack: Stack | undefined
const running = async (): Promise<Stack> => {
  stack ??= await startStack({ profile: 'bench', ports: 'free', log })
  return stack
}

/** The first is measured before the shop is there. */
const parts: Record<string, () => Promise<Part>> = {
  a: () => hops(stackFolder('bench')),
  b: async () => checkouts(await running()),
  c: async () => withAndWithout(await running()),
  d: async () => catalogReads(await running()),
  e: async () => eventJourney(await running()),
  f: async () => scheduling(await running()),
  g: async () => searches(await running()),
  h: async () => staffOrders(await running()),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: String(fewestRounds) } },
})
const letters = positionals.length > 0 ? [...new Set(positionals)].sort() : Object.keys(parts)
const unknown = letters.find((letter) => !Object.hasOwn(parts, letter))
const rounds = Number(values.rounds)
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  log(`npm run bench -- [${Object.keys(parts).join(' ')}] [--rounds N]`)
  process.exit(2)
}

const compare = async (letter: string): Promise<Result> => {
  const part = await (parts[letter] as () => Promise<Part>)()
  try {
    log(`(${letter}) ${part.title}`)
    const samples = await alternate(part, rounds, (round, leg, { rate, p50 }) =>
      log(
        `  ${round}/${rounds}  ${leg.padEnd(32)} ${rate.toFixed(1).padStart(9)}/s  p50 ${p50.toFixed(2)} ms`,
      ),
    )
    return { ...part, samples }
  } finally {
    await part.close()
  }
}

const begun = Date.now()
await eraseStack('bench')
try {
  const results: Result[] = []
  for (const letter of letters) results.push(await compare(letter))
  const run = {
    ...{ at: new Date(begun).toISOString(), commit: describeCommit(), rounds },
    ...{
      machine: describeMachine(stack && (await mysqlVersionOf(stack))),
      minutes: (Date.now() - begun) / 60_000,
    },
  }
  const tables = renderRun(run, results)
  log(`\n${tables}\n`)
  const samples = results.map((result) => [result.letter, Object.fromEntries(result.samples)])
  console.log(JSON.stringify({ ...run, samples: Object.fromEntries(samples) }))
  if (positionals.length === 0 && rounds >= fewestRounds) {
    const file = join(repository, 'docs/measurements.md')
    writeFileSync(file, putBetweenMarkers(readFileSync(file, 'utf8'), tables))
  } else log('docs/measurements.md stays: only all parts, in five rounds or more, are written there')
} catch (error) {
  log(`the run is void: ${error instanceof Error ? error.stack : error}`)
  process.exitCode = 1
} finally {
  await stack?.stop()
}
process.exit()
