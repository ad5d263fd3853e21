import type { Stack } from '../../tools/launcher/stack.ts'
import { type LoadOptions, runLoad } from '../load/run-load.ts'
import { readStatements } from '../load/sql-meter.ts'
import { openBareCheckout } from './bare-checkout.ts'
import { measure, type Watched } from './measure.ts'
import type { Leg, Part, Sample } from './rounds.ts'

export const concurrency = 32
const warmUpSeconds = 1.5
const heatSeconds = 20
let seed = 1

/** For each checkout, by the server's own counters; what the shop does on its own meanwhile is in them. */
const sqlFigures = (counted: Record<string, number>) => ({
  'SQL statements': Number(counted.Questions),
  'disk syncs': Number(counted.Innodb_data_fsyncs),
})

/**
 * The load scenario `checkout` at a running shop: for `seconds` after a warm-up, or until the signal. Throws when there was an error that
 * nobody expects.
 */
export const loadCheckouts = async (
  stack: Stack,
  bounds: Pick<LoadOptions, 'seconds' | 'signal' | 'onDone'>,
): Promise<Sample> => {
  const report = await runLoad({
    ...{ stack, scenario: 'checkout', mode: { kind: 'closed', concurrency } },
    ...{ ...bounds, warmUp: warmUpSeconds, seed: seed++, products: 100 },
  })
  const { completed, perSecond, steps, processes, perRun } = report
  if (report.unexpectedErrors > 0) throw new Error(`errors: ${JSON.stringify(report.errors)}`)
  const { p50, p99 } = steps.run ?? { p50: Number.NaN, p99: Number.NaN }
  return {
    ...{ rate: perSecond, p50, p99 },
    cpu: Object.fromEntries(
      Object.entries(processes).map(([name, { cpuSeconds }]) => [name, (cpuSeconds * 1000) / completed.ok]),
    ),
    more: sqlFigures(perRun.statements),
  }
}

/** Checkouts of a shop that has done enough of them for V8 to have compiled what they run. */
export const realCheckouts = async (stack: Stack): Promise<Leg['run']> => {
  await loadCheckouts(stack, { seconds: heatSeconds })
  return (milliseconds) => loadCheckouts(stack, { seconds: milliseconds / 1000 })
}

/** How far the whole shop is from the SQL that it cannot do without. */
export const checkouts = async (stack: Stack): Promise<Part> => {
  const bare = await openBareCheckout(stack, concurrency)
  const real = await realCheckouts(stack)
  const replay = async (milliseconds: number): Promise<Sample> => {
    await bare.run(warmUpSeconds * 1000)
    const watched: Watched = [
      ['bare process', 0],
      ['mysql', Number(stack.process('mysql').pid)],
    ]
    return measure(watched, async () => {
      const before = await readStatements(stack.mysqlAdminUrl)
      const done = await bare.run(milliseconds)
      const after = await readStatements(stack.mysqlAdminUrl)
      const each = Object.entries(after).map(([name, n]): [string, number] => [
        name,
        (n - Number(before[name])) / done.operations,
      ])
      return { ...done, more: sqlFigures(Object.fromEntries(each)) }
    })
  }

  return {
    letter: 'b',
    title: 'A checkout’s SQL in one bare process against the real checkout',
    about:
      `Checkouts of two products, ${concurrency} at a time. Real: search, two additions to the cart, order, payment, confirmed, by the load scenario \`checkout\`. ` +
      'Bare: the statements of one real checkout, as the server’s general log has them, done again with new ids as prepared statements of mysql2 by one process; ' +
      'no HTTP, no events, no checks. Statements are what the server counted for each checkout; when many run, relays and consumers do several events in one.',
    base: 'bare SQL',
    legs: [
      { name: 'bare SQL', run: replay },
      { name: 'real checkout', run: real },
    ],
    legMs: 10_000,
    warmUpMs: 0,
    close: async () => {
      await bare.close()
    },
  }
}
