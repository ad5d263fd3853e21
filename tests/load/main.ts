import { parseArgs } from 'node:util'
import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { openClientLog } from '../support/client-log.ts'
import type { Mode } from './drive.ts'
import { runLoad, type ScenarioName, scenarios } from './run-load.ts'

// npm run load -- <scenario> [options]: one JSON on stdout; exit 1 when there was an error that nobody expects.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: 'string', default: process.env.STACK_PROFILE ?? 'shop' },
    concurrency: { type: 'string' },
    rate: { type: 'string' },
    arrivals: { type: 'string', default: 'poisson' },
    seconds: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    products: { type: 'string', default: '300' },
    zipf: { type: 'string', default: '0' },
    lists: { type: 'string', default: '0' },
    'wait-ms': { type: 'string', default: '1000' },
    'client-log': { type: 'string' },
    persist: { type: 'boolean', default: false },
  },
})

const fail = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const number = (name: string, value: string): number => {
  const parsed = Number(value)
  return value.trim() !== '' && Number.isFinite(parsed) && parsed >= 0
    ? parsed
    : fail(`--${name} takes a number, not "${value}"`)
}

const scenario = positionals[0] as ScenarioName
if (!Object.hasOwn(scenarios, scenario ?? ''))
  fail(`which scenario? One of ${Object.keys(scenarios).join(', ')}`)
if (values.rate && values.concurrency) fail('--rate is an open loop, --concurrency a closed one')
if (values.arrivals !== 'poisson' && values.arrivals !== 'fixed') fail('--arrivals is poisson or fixed')

const mode: Mode = values.rate
  ? { kind: 'open', perSecond: number('rate', values.rate), arrivals: values.arrivals as 'poisson' | 'fixed' }
  : { kind: 'closed', concurrency: number('concurrency', values.concurrency ?? '32') }

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort())

try {
  const report = await runLoad({
    ...{ stack: attachStack(values.profile), scenario, mode, persist: values.persist },
    signal: interruption.signal,
    seconds: number('seconds', values.seconds),
    warmUp: number('warm-up', values['warm-up']),
    seed: number('seed', values.seed),
    products: number('products', values.products),
    zipf: number('zipf', values.zipf),
    lists: number('lists', values.lists),
    waitMs: number('wait-ms', values['wait-ms']),
    clientLog: values['client-log'] ? openClientLog(values['client-log']) : undefined,
  })
  console.log(JSON.stringify(report, null, 2))
  process.exitCode = report.unexpectedErrors > 0 ? 1 : 0
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
