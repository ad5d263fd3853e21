import fc from 'fast-check'
import type { Line } from './clients.ts'
import type { Fault, FaultKind } from './faults.ts'
import { apps } from './load-services.ts'

/** What people and time do, each so many milliseconds after the one before. */
export type Command = { readonly after: number } & (
  | {
      readonly do: 'place'
      readonly slot: number
      readonly lines: readonly Line[]
      readonly patience: number
      readonly requests: number
    }
  | {
      readonly do: 'pay'
      readonly slot: number
      readonly card: string
      readonly key: number
      readonly patience: number
      readonly requests: number
    }
  | { readonly do: 'cancel'; readonly slot: number; readonly patience: number }
  | { readonly do: 'adjust'; readonly sku: string; readonly delta: number }
  | { readonly do: 'price'; readonly sku: string; readonly amount: number }
  | { readonly do: 'jump'; readonly seconds: number }
)

export interface Scenario {
  readonly seed: number
  readonly jitter: number
  readonly replicas: number
  /** Units of each SKU. */
  readonly stock: readonly number[]
  readonly commands: readonly Command[]
  readonly faults: readonly Fault[]
}

export const skus = ['SKU-10', 'SKU-11'] as const

/** Milliseconds: within a step, a call's deadline, a lease, the payment window, a reservation's time to live. */
const delays = [5, 50, 700, 1500, 4000, 7000, 13_000, 17_000, 32_000, 65_000, 400_000]
const downTimes = [200, 1500, 6000, 20_000]

const slow: FaultKind[] = ['slow', 'slow', 'slow']
const breaking: FaultKind[] = ['crash-before', 'crash-after', 'broken-before', 'broken-after', ...slow]
const calls = ['client→orders', 'client→payments', 'orders→inventory', 'payments→orders', 'orders→payments']
const publishing = apps.map((app) => `${app}→broker`)
const delivering = apps.map((app) => `broker→${app}`)

type Place = readonly [on: string, kinds: readonly FaultKind[], within: number, weight?: number]

/** Every place where something can go wrong: what, and within how many occurrences. */
const places: readonly Place[] = [
  ...apps.map((app) => [`${app} commit`, breaking, 24, 4] as const),
  ...apps.map((app) => [`${app} statement`, breaking, 160, 2] as const),
  ...calls.flatMap((call) => [
    [`${call} request`, ['lost', 'reset', ...slow], 6] as const,
    [`${call} answer`, ['lost', 'reset', ...slow], 6] as const,
  ]),
  ...calls
    .filter((call) => call !== 'orders→inventory')
    .map((call) => [`${call} request`, ['twice'], 6, 2] as const),
  ['payments→psp request', ['lost', 'reset', 'twice', ...slow], 3, 4],
  ['payments→psp answer', ['lost', 'reset', ...slow], 3, 4],
  ...[...publishing, ...delivering, 'psp→payments'].flatMap((call) => [
    [`${call} request`, ['lost', 'reset', 'twice', ...slow], 8] as const,
    [`${call} answer`, ['lost', 'reset', ...slow], 8] as const,
  ]),
  ...apps.map((app) => [`broker to ${app}`, ['twice', 'twice', ...slow], 8, 3] as const),
  ...apps.map((app) => [`${app} publish`, ['refused'], 8, 3] as const),
  ...apps.map((app) => [`${app}→lock`, ['lost', ...slow], 20] as const),
  ['psp webhook', ['never', 'twice', 'slow'], 4, 4],
  ['psp effect', ['refused'], 4, 4],
]

/** Faults that the shop does not heal, or not in time. They are left out unless asked for. */
const unhealed: readonly Place[] = [
  // A reservation that was refused for want of stock leaves no trace: a second copy of the request, late, holds stock
  // for an order that was never placed, until its time to live is over.
  ['orders→inventory request', ['twice'], 6, 4],
  // The broker forgets all that it has.
  ...apps.map((app) => [`broker to ${app}`, ['flushed'], 8, 6] as const),
]

const instantly: readonly FaultKind[] = ['lost', 'reset', 'never', 'refused', 'flushed']

const faultAmong = (some: readonly Place[]): fc.Arbitrary<Fault> => {
  const choices = some.flatMap(([on, kinds, within, weight = 1]) =>
    Array.from({ length: weight }, () => kinds.map((kind) => ({ on, kind, within }))).flat(),
  )
  return fc
    .tuple(fc.nat(choices.length - 1), fc.nat(9999), fc.nat(delays.length - 1))
    .map(([choice, nth, delay]) => {
      const { on, kind, within } = choices[choice] as (typeof choices)[number]
      const times = kind.startsWith('crash') ? downTimes : delays
      return {
        on,
        kind,
        nth: Math.floor((nth / 10_000) ** 2 * within),
        ms: instantly.includes(kind) ? 0 : (times[delay % times.length] as number),
      }
    })
}

const skew: fc.Arbitrary<Fault> = fc
  .tuple(fc.constantFrom(...apps), fc.constantFrom(2000, -2000, 3_600_000, -3_600_000))
  .map(([app, ms]) => ({ on: `${app} clock`, kind: 'skewed', nth: 0, ms }))

const slot = fc.constantFrom(0, 1, 1, 2)
const patience = fc.constantFrom(7, 7, 2, 1)
const requests = fc.constantFrom(1, 1, 1, 2)
const line = fc.record({
  sku: fc.constantFrom(skus[0], skus[0], skus[0], skus[1]),
  quantity: fc.constantFrom(1, 1, 1, 2),
})
const after = fc.constantFrom(0, 0, 3, 10, 30, 100, 300, 2000)

const place = fc.record({
  ...{ after, do: fc.constant('place' as const), slot, patience, requests },
  lines: fc.oneof({ weight: 3, arbitrary: fc.tuple(line) }, { weight: 1, arbitrary: fc.tuple(line, line) }),
})
const placed = fc.constantFrom(0, 0, 1)
const pay = fc.record({
  ...{ after, do: fc.constant('pay' as const), slot: placed, patience, requests },
  ...{ key: fc.nat(1), card: fc.constantFrom('pm_good', 'pm_good', 'pm_good', 'pm_good', 'pm_empty') },
})
const cancel = fc.record({ after, do: fc.constant('cancel' as const), slot: placed, patience })
const adjust = fc.record({
  ...{ after, do: fc.constant('adjust' as const), sku: fc.constantFrom(...skus) },
  delta: fc.constantFrom(1, -1),
})
const price = fc.record({
  ...{
    after,
    do: fc.constant('price' as const),
    sku: fc.constantFrom(...skus),
    amount: fc.constantFrom(900, 1100),
  },
})
const jump = fc.record({
  ...{ after, do: fc.constant('jump' as const), seconds: fc.constantFrom(1, 7, 16, 35, 70, 400) },
})

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: place },
  { weight: 7, arbitrary: pay },
  { weight: 2, arbitrary: cancel },
  { weight: 1, arbitrary: adjust },
  { weight: 1, arbitrary: price },
  { weight: 2, arbitrary: jump },
)

const units = fc.constantFrom(1, 2, 1, 4)

/** Runs of a small shop: few units, few orders, and what may go wrong with them. */
export const scenarios = (alsoUnhealed = false): fc.Arbitrary<Scenario> =>
  fc.record({
    seed: fc.nat(0x7fffffff),
    jitter: fc.constantFrom(0, 4, 4, 60, 60, 900),
    replicas: fc.constantFrom(1, 1, 1, 2),
    stock: fc.tuple(units, units),
    // Nothing can happen before a first order.
    commands: fc
      .tuple(place, fc.array(command, { minLength: 1, maxLength: 9, size: 'max' }))
      .map(([first, others]) => [{ ...first, slot: 0 }, ...others]),
    faults: fc
      .tuple(
        fc.array(faultAmong(alsoUnhealed ? [...places, ...unhealed] : places), { maxLength: 8, size: 'max' }),
        fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(skew) }),
      )
      .map(([some, clock]) => [...some, ...clock]),
  })

const text = (command: Command): string => {
  const { after: wait, do: what, ...rest } = command
  const lines =
    'lines' in command ? { lines: command.lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join() } : {}
  const about = Object.entries({ ...rest, ...lines })
    .filter(([name, value]) => !(name === 'requests' && value === 1))
    .map(([name, value]) => `${name} ${value}`)
  return `after ${wait} ms ${what}, ${about.join(', ')}`
}

/** A scenario in words, a line for each thing. */
export const describe = ({ seed, jitter, replicas, stock, commands, faults }: Scenario): string[] => [
  `stock ${stock.map((units, index) => `${units} ${skus[index]}`).join(', ')}; ${replicas} of each service; jitter ${jitter} ms, order of events ${seed}`,
  ...commands.map(text),
  ...faults.map(({ on, nth, kind, ms }) => `${kind} at ${on} ${nth}${ms ? `, ${ms} ms` : ''}`),
]
