import { newId } from '@caravan/service-kit/ids'
import type { ServiceWithDatabase } from '@caravan/service-kit/run-service'
import { createHistories } from './histories.ts'
import { compensated, settled, undelivered, unfinished } from './invariants.ts'
import type { App } from './load-services.ts'
import type { Journal } from './memory-database.ts'
import { type Scenario, skus } from './scenario.ts'
import type { Objection } from './surroundings.ts'
import { activate } from './virtual-time.ts'
import { createWorld, type World } from './world.ts'

export interface Outcome {
  readonly objections: readonly Objection[]
  readonly databases: World['databases']
  readonly steps: number
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>
}

/** What is simulated. */
export interface Product {
  readonly services: ReadonlyMap<string, ServiceWithDatabase>
  readonly schemas: Readonly<Record<App, readonly string[]>>
}

export interface Watch {
  /** Called with a line for each thing that happens. */
  readonly trace?: ((line: string) => void) | undefined
  /** Get what happens on each database. */
  readonly journals?: Readonly<Record<App, Journal>> | undefined
}

const secondMs = 1000

const prepare = async (world: World, stock: readonly number[]): Promise<void> => {
  const { timeline } = world
  while (!world.allReady()) await timeline.runUntil(timeline.now() + 50)
  const received = skus.map((sku, index) => {
    world.setPrice(sku, 1000)
    const id = `0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e50${index}`
    return world.clients.adjust(id, sku, stock[index] as number, 1)
  })
  while (timeline.busyIn() !== undefined) await timeline.runUntil(timeline.now() + 50)
  await Promise.all(received)
}

const play = async (world: World, { commands }: Scenario): Promise<void> => {
  const { timeline, clients } = world
  for (const [index, command] of commands.entries()) {
    await timeline.runUntil(timeline.now() + command.after)
    world.note('script', JSON.stringify(command))
    if (command.do === 'place') clients.place(command.slot, command.lines, command.patience, command.requests)
    if (command.do === 'pay')
      clients.pay(command.slot, command.card, command.key, command.patience, command.requests)
    if (command.do === 'cancel') clients.cancel(command.slot, command.patience)
    if (command.do === 'price') world.setPrice(command.sku, command.amount)
    if (command.do === 'jump') timeline.jump(command.seconds * secondMs)
    if (command.do === 'adjust')
      void clients.adjust(`0192f3a4-5b6c-7d8e-8f90-b1b2c3d4e5${10 + index}`, command.sku, command.delta, 2)
  }
  // As long as anyone is at it, but not for ever.
  await rest(world, 30 * secondMs)
}

/**
 * Lets what is under way go on until nobody waits for anything, for so long at most. While all wait for something that
 * takes long, the clock jumps, so that what comes again and again comes less often.
 */
const rest = async ({ timeline }: World, atMostMs: number): Promise<void> => {
  const end = timeline.now() + atMostMs
  for (;;) {
    await timeline.runUntil(timeline.now() + 250)
    const wait = timeline.busyIn()
    if (wait === undefined || timeline.now() > end) return
    if (wait > secondMs) timeline.jump(Math.min(wait - 1, 5 * secondMs))
  }
}

/** The clock jumps, and all that waited for its time comes at once. */
const later = async (world: World, seconds: number): Promise<void> => {
  world.timeline.jump(seconds * secondMs)
  await rest(world, 10 * secondMs)
}

/** Nothing fails any more: whatever waits for its time gets it, until all is finished or a time is over in which it should be. */
const drain = async (world: World): Promise<void> => {
  const { timeline, faults, network } = world
  faults.arm(false)
  network.calm()
  const quiet = () =>
    timeline.busyIn() === undefined &&
    world.allReady() &&
    world.clients.under() === 0 &&
    undelivered(world).length === 0
  await rest(world, 120 * secondMs)
  // Past the leases of rows and claims.
  await later(world, 16)
  for (let round = 0; round < 30 && !quiet(); round += 1) await later(world, 10)
  if (quiet()) compensated(world)
  // Past the payment window, past a reservation's time to live.
  for (const seconds of [65, 310]) await later(world, seconds)
  for (let round = 0; round < 30 && unfinished(world).length > 0; round += 1) await later(world, 10)
  // A clock that is off by an hour, an answer that is asked for ever more seldom.
  for (let round = 0; round < 8 && unfinished(world).length > 0; round += 1) await later(world, 600)
}

/** Plays a scenario from an empty shop to the end and tells what is wrong then, or was on the way. */
export const runScenario = async (
  { services, schemas }: Product,
  scenario: Scenario,
  { trace, journals }: Watch = {},
): Promise<Outcome> => {
  const { seed, jitter, replicas, faults } = scenario
  const histories = createHistories()
  const world = createWorld({
    ...{ services, schemas, seed, jitter, replicas, faults, trace, journals },
    onCommit: histories.follow,
  })
  activate(world.timeline, newId)
  try {
    await prepare(world, scenario.stock)
    world.faults.arm(true)
    await play(world, scenario)
    if (world.objections.length === 0) await drain(world)
    if (world.objections.length === 0) settled(world, scenario, histories)
  } catch (error) {
    world.object('simulation', String((error as Error).stack))
  } finally {
    activate(undefined, newId)
  }
  const kinds: Record<string, number> = {}
  for (const { kind } of world.faults.met()) kinds[kind] = (kinds[kind] ?? 0) + 1
  const { objections, databases } = world
  return { objections, databases, steps: world.timeline.steps(), faults: kinds }
}
