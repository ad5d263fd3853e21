import { findSkus, productChanged } from '@caravan/contracts/catalog'
import type { ServiceWithDatabase } from '@caravan/service-kit/run-service'
import type { CloudEvent } from '@caravan/service-kit/sidecar'
import { type Broker, createBroker } from './broker.ts'
import { type Clients, createClients } from './clients.ts'
import { createFaults, type Fault } from './faults.ts'
import { type App, apps } from './load-services.ts'
import {
  type CommittedChange,
  createMemoryDatabase,
  type Journal,
  type MemoryDatabase,
} from './memory-database.ts'
import { createNetwork } from './network.ts'
import { createProvider, type Provider } from './provider.ts'
import { type ServiceProcess, startProcess } from './service-process.ts'
import type { Objection, Surroundings } from './surroundings.ts'
import { createRandom, createTimeline } from './virtual-time.ts'

export interface WorldOptions {
  readonly services: ReadonlyMap<string, ServiceWithDatabase>
  /** The statements that make each app's tables. */
  readonly schemas: Readonly<Record<App, readonly string[]>>
  readonly seed: number
  /** Milliseconds that a step takes longer at most, at random. */
  readonly jitter: number
  readonly replicas: number
  readonly faults: readonly Fault[]
  readonly onCommit: (app: App, changes: readonly CommittedChange[], world: World) => void
  /** Called with a line for each thing that happens. */
  readonly trace?: ((line: string) => void) | undefined
  readonly journals?: Readonly<Record<App, Journal>> | undefined
}

export interface World extends Surroundings {
  readonly broker: Broker
  readonly provider: Provider
  readonly clients: Clients
  readonly databases: Readonly<Record<App, MemoryDatabase>>
  readonly objections: Objection[]
  /** A process that can answer; one of them at random. */
  readonly processOf: (app: App) => ServiceProcess | undefined
  readonly setPrice: (sku: string, amount: number) => void
  readonly allReady: () => boolean
}

const productId = (sku: string) => `0192f3a4-5b6c-7d8e-8f90-0000000000${sku.slice(-2)}`

/** A product with one variant. */
const productOf = (sku: string, { amount, version }: { amount: number; version: number }) => ({
  ...productChanged.example,
  ...{ id: productId(sku), version, status: 'on-shelf', updatedAt: new Date().toISOString() },
  variants: [{ ...productChanged.example.variants[0], sku, price: { amount, currency: 'USD' } }],
})

/** What catalog would publish of it. */
const productEvent = (data: ReturnType<typeof productOf>): CloudEvent => ({
  ...{ specversion: '1.0', id: `${data.id}-${data.version}`, source: '/catalog' },
  ...{ type: productChanged.topic, time: data.updatedAt, datacontenttype: 'application/json' },
  data,
})

/** The three services with everything around them, all of it driven by one timeline. */
export const createWorld = (options: WorldOptions): World => {
  const { services, schemas, seed, jitter, replicas, trace } = options
  const timeline = createTimeline(createRandom(seed))
  const faults = createFaults(options.faults)
  const begun = timeline.now()
  const note = trace
    ? (who: string, what: string) =>
        trace(
          `${((timeline.now() - begun) / 1000).toFixed(3).padStart(9)}  ${who.padEnd(10)} ${what.replace(/\s+/g, ' ')}`,
        )
    : () => {}
  const network = createNetwork({ timeline, faults, latency: 1, jitter, note })
  const objections: Objection[] = []
  const processes = Object.fromEntries(apps.map((app) => [app, []])) as unknown as Record<
    App,
    ServiceProcess[]
  >
  const held = new Map<string, { by: string; until: number }>()
  const products = new Map<string, ReturnType<typeof productOf>>()
  const handled = new Set<string>()
  const subscribersOf = new Map<string, readonly App[]>()

  const start = (app: App): void => {
    const service = services.get(app)
    if (!service) throw new Error(`${app} was not loaded`)
    processes[app].push(startProcess(app, service, world.databases[app], world))
  }

  const world: World = {
    ...{ timeline, network, faults, objections, note, webhookSecret: 'a-secret-of-the-webhook' },
    databases: Object.fromEntries(
      apps.map((app) => [
        app,
        createMemoryDatabase({
          schema: schemas[app],
          now: timeline.clock,
          journal: options.journals?.[app],
          onCommit: (changes) => options.onCommit(app, changes, world),
        }),
      ]),
    ) as Record<App, MemoryDatabase>,
    object: (invariant, what) => {
      note(invariant, what)
      objections.push({ invariant, what })
    },
    skewOf: (app) =>
      options.faults.find(({ on, kind }) => kind === 'skewed' && on === `${app} clock`)?.ms ?? 0,
    restart: (app, downMs) => {
      processes[app] = processes[app].filter(({ owner }) => owner.alive)
      timeline.after(downMs, timeline.world, () => start(app))
    },
    processOf: (app) => {
      const able = processes[app].filter((process) => process.ready())
      return able[able.length > 1 ? Math.floor(timeline.random() * able.length) : 0]
    },
    subscribe: (app, topic) =>
      void subscribersOf.set(topic, [...new Set([...(subscribersOf.get(topic) ?? []), app])]),
    subscribers: (topic) => subscribersOf.get(topic) ?? [],
    ask: (from, name, app, request, deadlineMs) =>
      network.exchange(from, `${name}→${app}`, deadlineMs, (reply, fail) => {
        // The other apps that are asked for anything: what products are now, and which SKUs they have; promotions, of which there are none.
        if (['catalog', 'promotions'].includes(app)) {
          if (request.operation === findSkus.id)
            return reply({ status: 200, problem: false, body: { data: [...products.keys()] } })
          const data = String(app) === 'catalog' ? [...products.values()] : []
          const body = { data, hasMore: false, until: new Date().toISOString() }
          return reply({ status: 200, problem: false, body })
        }
        const process = world.processOf(app)
        if (process) process.handle(request, reply, fail)
        else fail('no process')
      }),
    deliver: (app, topic, events, reply, fail) => {
      const process = world.processOf(app)
      if (process) process.deliver(topic, events, reply, fail)
      else fail('no process')
    },
    publish: (from, topic, events) => world.broker.publish(from, topic, events),
    askProvider: (from, name, raw) =>
      network.exchange(from, `${name}→psp`, raw.deadlineMs ?? 3000, (reply) =>
        reply(world.provider.handle(raw)),
      ),
    locks: {
      acquire: (owner, name, by, ttlSeconds) =>
        network.tell(owner, `${owner.name}→lock`, () => {
          const lock = held.get(name)
          const free = !lock || lock.until <= timeline.now()
          if (free) held.set(name, { by, until: timeline.now() + ttlSeconds * 1000 })
          return free
        }),
      release: (owner, name, by) =>
        network.tell(owner, `${owner.name}→lock`, () => {
          if (held.get(name)?.by === by) held.delete(name)
        }),
    },
    priceOf: (sku) => products.get(sku)?.variants[0]?.price.amount ?? 0,
    setPrice: (sku, amount) => {
      const product = productOf(sku, { amount, version: (products.get(sku)?.version ?? 0) + 1 })
      products.set(sku, product)
      world.broker.accept(productChanged.topic, [productEvent(product)])
    },
    allReady: () =>
      apps.every((app) => processes[app].filter((process) => process.ready()).length === replicas),
    handled: (app, eventId) => {
      const what = `${app} ${eventId}`
      if (handled.has(what)) world.object('I5', `${app} handled event ${eventId} again`)
      handled.add(what)
    },
    get broker() {
      return broker
    },
    get provider() {
      return provider
    },
    get clients() {
      return clients
    },
  }
  const broker = createBroker(world)
  const provider = createProvider(world)
  const clients = createClients(world)
  for (const app of apps) for (let n = 0; n < replicas; n += 1) start(app)
  return world
}
