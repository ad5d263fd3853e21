import { setTimeout as pause } from 'node:timers/promises'
import { runLoad } from '../load/run-load.ts'
import type { Drill, Field } from './field.ts'

/** What is down at the same time. */
const outages: Record<string, readonly string[]> = {
  inventory: ['inventory', 'inventory.sidecar'],
  payments: ['payments', 'payments.sidecar'],
  identity: ['identity', 'identity.sidecar'],
  Redis: ['redis'],
  MySQL: ['mysql'],
}

/** The part of browse requests that must succeed. */
const bound = 0.999
const perSecond = 100

type Changes = Record<string, Record<string, number>>

/** How often each circuit breaker changed to each state, by the metrics of all sidecars. */
const readBreakers = async ({ stack }: Field): Promise<Changes> => {
  const changes: Changes = {}
  for (const name of stack.names.filter((each) => each.endsWith('.sidecar'))) {
    const text = await fetch(`http://127.0.0.1:${stack.process(name).ports.metrics}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    )
    for (const [, labels = '', count] of text.matchAll(
      /^dapr_resiliency_activations_total\{(.*)\} (\S+)$/gm,
    )) {
      const label = (key: string) => new RegExp(`${key}="([^"]*)"`).exec(labels)?.[1] ?? ''
      if (label('policy') !== 'circuitbreaker') continue
      const breaker = `${name.replace('.sidecar', '')} to ${label('target')}`
      const own = changes[breaker] ?? {}
      changes[breaker] = { ...own, [label('status')]: (own[label('status')] ?? 0) + Number(count) }
    }
  }
  return changes
}

const grown = (before: Changes, after: Changes): Changes => {
  const result: Changes = {}
  for (const [breaker, states] of Object.entries(after))
    for (const [state, count] of Object.entries(states)) {
      const more = count - (before[breaker]?.[state] ?? 0)
      if (more > 0) result[breaker] = { ...result[breaker], [state]: more }
    }
  return result
}

export const outage: Drill = {
  name: 'outage',
  what: 'inventory, payments, identity, Redis, MySQL killed and kept down for a minute each, while others browse',
  /** Of each. */
  rounds: 1,
  seconds: 60,
  // With a policy of ours on the call, daprd 1.18 keeps its connection to a sidecar that was away, and gRPC waits ever longer
  // between its tries: after a minute, 16 s.
  recoveryMs: 30_000,
  // A payment that was begun before payments went down, and which the provider does not know half a minute later, is given up.
  mayEnd: (what) => what === 'pay 402 payments/card-declined',
  run: async (field) => {
    const { stack, rounds, holdMs, hold, recovered } = field
    const ended = new AbortController()
    const pages: { startedAt: number; ok: boolean; what: string }[] = []
    const browsing = runLoad({
      ...{ stack, scenario: 'browse', mode: { kind: 'open', perSecond }, lists: 0.1 },
      ...{ seed: 1, products: 60, warmUp: 0, signal: ended.signal, onDone: (done) => void pages.push(done) },
    })
    const failures: string[] = []
    const served: Record<string, string> = {}
    const breakers: Record<string, Changes> = {}
    try {
      // Each page is read once and kept.
      while (pages.length < perSecond * 10) await pause(100)
      for (let round = 0; round < rounds; round++)
        for (const [what, names] of Object.entries(outages)) {
          const before = await readBreakers(field)
          let from = 0
          await hold(
            `${what} is down`,
            holdMs,
            async () => {
              from = field.now()
              await Promise.all(names.map((name) => stack.process(name).kill('SIGKILL')))
              await Promise.all(names.map((name) => stack.process(name).stop()))
            },
            () => Promise.all(names.map((name) => stack.process(name).start())),
          )
          const to = field.now()
          await recovered()
          breakers[what] = grown(before, await readBreakers(field))
          const asked = pages.filter(({ startedAt }) => startedAt >= from && startedAt < to)
          const ok = asked.filter((each) => each.ok).length
          served[what] = `${ok} of ${asked.length}`
          if (ok < asked.length * bound)
            failures.push(`with ${what} down, ${asked.length - ok} of ${asked.length} pages were not served`)
        }
    } finally {
      ended.abort()
      await browsing
    }
    for (const state of ['open', 'closed'])
      if (!breakers.inventory?.['orders to app_inventory']?.[state])
        failures.push(`with inventory down, the breaker of orders was not seen to be ${state}`)
    return { figures: { 'pages served': served, 'changes of breakers': breakers }, failures }
  },
}
