import { createServer as createHttpServer, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { listAccessChanges } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import type Router from '@koa/router'
import type Koa from 'koa'
import { createAccessFeed } from './access-feed.ts'
import { type AccessState, createAccessState, type ReadAccessChanges } from './access-state.ts'
import { type Audit, createAudit } from './audit.ts'
import { type Authenticate, createAuthenticator, type KeySource, remoteKeys } from './authenticate.ts'
import type { Background } from './background.ts'
import type { BaseConfig } from './config.ts'
import type { Database } from './database.ts'
import { createDeadLetters } from './dead-letters.ts'
import { declare } from './delivery.ts'
import { createIdempotency } from './idempotency.ts'
import { createLog, type Log } from './log.ts'
import { openShards } from './open-shards.ts'
import type { Route } from './route.ts'
import { createServer } from './server.ts'
import { mapShards, type Shard, type Sharded } from './shards.ts'
import { createSidecar, type Sidecar } from './sidecar.ts'
import { createConsumer, type Subscription } from './subscription.ts'

export interface Tools {
  readonly sidecar: Sidecar
  readonly log: Log
}

export interface DatabaseTools extends Tools, Shard {
  /** All databases of a service that is `sharded`; `db` and `outbox` are the first's. */
  readonly shards: Sharded<Shard>
}

export interface Parts {
  readonly routes: readonly Route[]
  readonly subscriptions?: readonly Subscription[]
  readonly background?: readonly Background[]
  /** Serves what is no operation of the contract, such as pictures; it needs the sidecar's token like the rest. */
  readonly files?: (router: Router) => void
  /** Where token keys come from, if not from identity through the sidecar. */
  readonly keys?: KeySource
  /** Where administrative actions are written down, if not at identity by event. */
  readonly audit?: Audit
  /** The access state, where it does not come from identity through the sidecar. */
  readonly access?: { readonly state: AccessState; readonly read: ReadAccessChanges }
}

interface ServiceOptions<T extends Tools> {
  /** The Dapr app id. */
  readonly name: string
  readonly config: BaseConfig
  /** The contract: start fails unless every one of these operations has a route, and no other. */
  readonly operations: readonly unknown[]
  /** Paths that may be called without the sidecar's token. */
  readonly openPaths?: readonly string[]
  readonly build: (tools: T) => Promise<Parts> | Parts
}

export interface ServiceWithoutDatabase extends ServiceOptions<Tools> {
  readonly migrations?: undefined
}

export interface ServiceWithDatabase extends ServiceOptions<DatabaseTools> {
  /** Folder of `.sql` files. The connection string is the secret `<name>-mysql`. */
  readonly migrations: URL
  /** That secret may hold several, separated by spaces: what belongs together by `shardOf` is in one of them. */
  readonly sharded?: true
}

const version = '0.1.0'
const drainMs = 8000
/** How long a start waits for the access state; without it, only what is open to anyone is served. */
const firstAccessMs = 3000

const assertComplete = (name: string, routes: readonly Route[], operations: readonly unknown[]): void => {
  const built = routes.map((route) => route.operation.id).sort()
  const promised = (operations as readonly Operation[]).map((op) => op.id).sort()
  if (built.join() !== promised.join())
    throw new Error(`${name}: routes [${built}] are not the contract [${promised}]`)
}

/** Without a database there is nowhere to keep an outcome in, so the promise would be an empty one. */
const assertKeepsOutcomes = (routes: readonly Route[], hasDatabase: boolean): void => {
  const broken = hasDatabase ? undefined : routes.find((route) => route.operation.idempotent)
  if (broken) throw new Error(`${broken.operation.id} is idempotent, which needs a database`)
}

export interface ListenOptions {
  readonly port: number
  readonly host: string
  readonly log: Log
  /** How long requests are still taken after a signal, each the last of its connection: until whoever is in front sends them elsewhere. */
  readonly lingerMs?: number
  readonly onDrain: () => void
  readonly close: () => Promise<void>
}

/** Listens, and on SIGTERM or SIGINT: unready, lingers, no new connections, what runs is finished, then `close`, then exit 0. */
export const listen = async (
  app: Koa,
  { port, host, log, lingerMs = 0, onDrain, close }: ListenOptions,
): Promise<Server> => {
  const server = createHttpServer(
    // An idle connection is closed by whoever is in front, not under its next request: Go's clients, so the sidecar, keep one for
    // 90 s, proxies for 60.
    {
      ...{ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 120_000 },
      // How often the two timeouts are looked at.
      connectionsCheckingInterval: 2000,
    },
    app.callback(),
  )
  // Not Node's 2000, beyond which it drops headers without a word: the last may be the client's address that a proxy has added.
  server.maxHeadersCount = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  let draining = false
  // A connection is not closed under its next request, but with an answer that says so.
  server.prependListener('request', (_, response) => {
    if (draining) response.setHeader('Connection', 'close')
  })
  const drain = async (signal: string) => {
    if (draining) return
    draining = true
    log.info({ signal }, 'draining')
    onDrain()
    await pause(lingerMs)
    setTimeout(() => {
      log.error('drain took too long')
      process.exit(1)
    }, drainMs).unref()
    const closed = new Promise((resolve) => server.close(resolve))
    const idle = setInterval(() => server.closeIdleConnections(), 50)
    await closed
    clearInterval(idle)
    await close()
    log.info('stopped')
    process.exit(0)
  }
  process.once('SIGTERM', drain)
  process.once('SIGINT', drain)
  return server
}

/**
 * Runs a service beside its sidecar: waits for the sidecar, takes the database's address from the secret store, migrates,
 * starts the relay and the background work, serves, and drains on SIGTERM. Ends the process with 1 when it cannot start.
 */
export async function runService(options: ServiceWithDatabase): Promise<void>
export async function runService(options: ServiceWithoutDatabase): Promise<void>
export async function runService(options: ServiceWithDatabase | ServiceWithoutDatabase): Promise<void> {
  const { name, config } = options
  const log = createLog(name, config.LOG_LEVEL)
  try {
    await start(options, log)
  } catch (error) {
    log.fatal({ err: error }, 'could not start')
    process.exit(1)
  }
}

const start = async (options: ServiceWithDatabase | ServiceWithoutDatabase, log: Log): Promise<void> => {
  const { name, config } = options
  const sidecar = createSidecar({
    host: config.SIDECAR_HOST,
    port: config.DAPR_HTTP_PORT,
    token: config.DAPR_API_TOKEN,
  })
  await sidecar.ready(60_000)

  let shards: Sharded<Shard> | undefined
  let parts: Parts
  const background: Background[] = []
  if (options.migrations) {
    const opened = await openShards({ ...options, sidecar, log })
    shards = opened.shards
    background.push(...opened.background)
    parts = await options.build({ sidecar, log, ...shards[0], shards })
  } else {
    parts = await options.build({ sidecar, log })
  }
  background.push(...(parts.background ?? []))
  const databases = shards && mapShards(shards, ({ db }) => db)

  const subscriptions = parts.subscriptions ?? []
  const wake = (db: Database) => shards?.find((each) => each.db === db)?.outbox.wake()
  const consumer = createConsumer({ log, databases, afterCommit: wake })
  const deadLetters =
    subscriptions.length > 0 ? createDeadLetters({ name, sidecar, log, consumer, subscriptions }) : undefined
  assertComplete(name, parts.routes, options.operations)
  assertKeepsOutcomes(parts.routes, databases !== undefined)

  const access = parts.access ?? {
    state: createAccessState(),
    read: (since, mark) => sidecar.call(listAccessChanges, { query: { since, ...(mark ? { mark } : {}) } }),
  }
  const feed = createAccessFeed({ ...access, log })
  // Of a broadcast nothing is kept: neither which events were handled, which other replicas share, nor dead letters.
  const listener = createConsumer({ log, databases: undefined, afterCommit: () => undefined })
  const stops = [feed.start()]
  const keys = parts.keys ?? remoteKeys(sidecar)
  // Any id has them read: when the first token comes, identity may be away.
  await Promise.all([feed.ready(firstAccessMs), keys('').catch(() => undefined)])

  let draining = false
  const authenticate: Authenticate = createAuthenticator(keys, { issuer: config.TOKEN_ISSUER })
  const app = createServer({
    name,
    version,
    log,
    authenticate,
    access: access.state,
    idempotency: databases && createIdempotency(...databases),
    audit: parts.audit ?? createAudit({ name, db: databases?.[0], outbox: shards?.[0].outbox, sidecar }),
    appToken: config.APP_API_TOKEN,
    routes: [...parts.routes, ...(deadLetters?.routes ?? [])],
    ...(options.openPaths ? { openPaths: options.openPaths } : {}),
    healthy: () => !draining,
    ready: () =>
      Promise.all(databases?.map((db) => db.raw('SELECT 1')) ?? []).then(
        () => true,
        () => false,
      ),
    callbacks: (router) => {
      parts.files?.(router)
      router.get('/dapr/subscribe', (ctx) => {
        const deadLetterTopic = deadLetters?.topic
        const channels = subscriptions.map(({ definition: { topic }, pubsub }) =>
          declare({ pubsub, topic, route: `/events/${topic}`, deadLetterTopic }),
        )
        if (deadLetterTopic) {
          // Raw: what is no CloudEvent would be acknowledged by the sidecar, and never seen.
          channels.push(
            declare({ pubsub: 'pubsub', topic: deadLetterTopic, route: '/dead-letters', isRaw: true }),
          )
        }
        const { pubsub, definition } = feed.subscription
        channels.push(declare({ pubsub, topic: definition.topic, route: `/events/${definition.topic}` }))
        ctx.body = channels
      })
      for (const each of subscriptions)
        router.post(`/events/${each.definition.topic}`, consumer.endpoint(each))
      router.post(`/events/${feed.subscription.definition.topic}`, listener.endpoint(feed.subscription))
      if (deadLetters) router.post('/dead-letters', deadLetters.endpoint)
    },
  })

  await listen(app, {
    port: config.APP_PORT,
    host: config.APP_HOST,
    log,
    onDrain: () => {
      draining = true
    },
    close: async () => {
      await Promise.all(stops.map((stop) => stop()))
      await Promise.all(databases?.map((db) => db.destroy()) ?? [])
      await sidecar.close()
    },
  })
  for (const each of background) stops.push(each.start())
  log.info({ port: config.APP_PORT, node: process.version }, 'started')
}
