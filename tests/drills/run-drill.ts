import { join } from 'node:path'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { audit, CouldNotRead, type Finding } from '../audit/audit.ts'
import { openRandom } from '../load/random.ts'
import { runLoad } from '../load/run-load.ts'
import { openClientLog } from '../support/client-log.ts'
import { type Drill, type DrillOutcome, type Field, openField } from './field.ts'
import { startProbe } from './probe.ts'
import { type DrillReport, reportOf } from './report.ts'

export interface DrillOptions {
  readonly seed: number
  readonly rounds?: number | undefined
  readonly seconds?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly log?: (line: string) => void
}

export const profile = 'drill'

/** Long enough for a checkout amid faults, short enough to see the ends of unpaid orders and of stock held for none. */
const ordersEnvironment = { PAYMENT_WINDOW_SECONDS: '30', RESERVATION_GRACE_SECONDS: '20' }
const clients = 8
const products = 60
const settleSeconds = 120

/**
 * Erases the stack of drills, starts it, and does a drill to it while clients check out; then lets it come to rest and has it
 * audited. Resolves with the report, whatever it says; throws when the shop did not start or the signal came.
 */
export const runDrill = async (drill: Drill, options: DrillOptions): Promise<DrillReport> => {
  const { log = () => {}, signal } = options
  const startedAt = Date.now()
  await eraseStack(profile)
  const prepared = await drill.prepare?.(log)
  try {
    const stack = await startStack({
      ...{ profile, ports: 'free', ...(signal ? { signal } : {}), ...prepared?.options },
      env: { ...prepared?.options.env, orders: ordersEnvironment },
    })
    try {
      return await drillAndAudit(drill, options, stack, startedAt)
    } finally {
      await stack.stop()
    }
  } finally {
    await prepared?.close?.()
  }
}

const drillAndAudit = async (drill: Drill, options: DrillOptions, stack: Stack, startedAt: number) => {
  const { seed, log = () => {} } = options
  const clientLog = openClientLog(join(stack.dir, 'clients.jsonl'))
  const rounds = options.rounds ?? drill.rounds
  const field: Field = {
    ...openField({ stack, random: openRandom(seed, 0xd1), clientLog, log }),
    ...{ rounds, holdMs: (options.seconds ?? drill.seconds ?? 4) * 1000 },
  }
  const underway = await underLoad(drill, options, field)
  const { failure, loaded } = underway
  let { outcome } = underway
  log('the load has ended; waiting for rest, then the audit')
  let findings: readonly Finding[] = []
  let unread: unknown
  try {
    findings = await audit({ stack, clientLog: clientLog.file, settleSeconds })
  } catch (error) {
    unread = error
    if (error instanceof CouldNotRead) findings = error.findings
  }
  const errors = [failure, unread].filter((error) => error !== undefined)
  if (errors.length === 0 && drill.afterwards) {
    const more = await drill.afterwards(field)
    outcome = {
      figures: { ...outcome?.figures, ...more.figures },
      failures: [...(outcome?.failures ?? []), ...(more.failures ?? [])],
    }
  }
  return reportOf(drill, { ...{ seed, rounds, startedAt, field, loaded, outcome, findings }, errors })
}

/** Does the drill amid checkouts and ends those. `failure` is what the drill threw. */
const underLoad = async (drill: Drill, { seed, signal }: DrillOptions, field: Field) => {
  const { stack, clientLog, onDone } = field
  const { persist = true } = drill
  const door = await drill.door?.(stack)
  const visited = door ? { ...stack, url: door.url, urls: [door.url] } : stack
  const probe = await startProbe(field, visited, seed, persist)
  const ended = new AbortController()
  const loading = runLoad({
    ...{ stack: visited, scenario: 'checkout', mode: { kind: 'closed', concurrency: clients } },
    ...{ seed, products, warmUp: 0, persist, clientLog, signal: ended.signal, onDone },
  })
  const interrupted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
    loading.then(() => ended.signal.aborted || reject(new Error('the load ended by itself')), reject)
  })
  const drilled = async () => {
    await eventually('the load runs', () => field.succeeded() > 0, 60_000)
    const outcome = await drill.run(field)
    await field.recovered()
    return outcome
  }
  let outcome: DrillOutcome | undefined
  let failure: unknown
  try {
    outcome = await Promise.race([drilled(), interrupted])
  } catch (error) {
    failure = error
  }
  ended.abort()
  signal?.throwIfAborted()
  const [loaded] = await Promise.all([loading, probe.stop()])
  door?.close()
  return { outcome, failure, loaded }
}
