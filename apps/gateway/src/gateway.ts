import type { AccessFeed } from '@caravan/service-kit/access-feed'
import { callerAt } from '@caravan/service-kit/address'
import type { Authenticate, Caller } from '@caravan/service-kit/authenticate'
import type { BaseConfig } from '@caravan/service-kit/config'
import { declare } from '@caravan/service-kit/delivery'
import { AppError } from '@caravan/service-kit/errors'
import type { Log } from '@caravan/service-kit/log'
import { registry } from '@caravan/service-kit/metrics'
import { fromSidecarOnly, observe, refuseOtherMethods } from '@caravan/service-kit/server'
import { createConsumer } from '@caravan/service-kit/subscription'
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { type Answer, reply } from './answer.ts'
import { cachedReads, isOperation, serveCached } from './cached-reads.ts'
import { trustedProxies } from './client-address.ts'
import { allowOrigins } from './cors.ts'
import { limitRequests } from './limit-requests.ts'
import { isOwnPage } from './own-page.ts'
import { addPublicApi, type PublicApi } from './public-api.ts'
import type { RateLimiter } from './rate-limits.ts'
import { addressOf, isSecure, refuseOversizedHead } from './request.ts'
import { acceptRequestId, tellRequestId } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'
import { subscriptions } from './subscriptions.ts'

export interface GatewayOptions
  extends Omit<PublicApi, 'addressOf' | 'isOwnPage' | 'callerOf' | 'caughtUp' | 'limit'> {
  readonly authenticate: Authenticate
  readonly feed: Pick<AccessFeed, 'subscription' | 'caughtUp'>
  readonly config: Pick<BaseConfig, 'APP_API_TOKEN'> & {
    readonly TRUSTED_PROXIES: readonly string[]
    readonly CORS_ORIGINS: readonly string[]
  }
  readonly limiter: RateLimiter
  readonly log: Log
  readonly documents: ReadonlyMap<string, Answer>
  readonly healthy: () => boolean
}

/** The only public door: what it does not list does not exist. */
export const createGateway = (options: GatewayOptions): Koa => {
  const { config, log, documents, access, limiter, authenticate } = options
  const isTrusted = trustedProxies(config.TRUSTED_PROXIES)
  const clientOf = (ctx: Context) => addressOf(ctx, isTrusted)
  const network = (ctx: Context) => callerAt(clientOf(ctx))
  // Once a request, whoever asks: its quota, and its permission.
  const callerOf = (ctx: Context): Promise<Caller> => {
    ctx.state.caller ??= authenticate(ctx.req.headers.authorization)
    return ctx.state.caller
  }
  const limit = limitRequests({ limiter, callerOf, networkOf: network })
  const router = new Router({ sensitive: true, strict: true })
  addPublicApi(router, {
    ...{ ...options, limit, callerOf, caughtUp: options.feed.caughtUp },
    addressOf: clientOf,
    isOwnPage: (ctx) => config.CORS_ORIGINS.includes(ctx.get('origin')) || isOwnPage(ctx, isTrusted),
  })
  for (const [path, answer] of documents) router.get(path, limit('call'), (ctx) => reply(ctx, answer))
  addProbes(router, options)
  addCallbacks(router, options)

  let allCachedPublic = true
  access.watch(() => {
    allCachedPublic = cachedReads.every(({ asked }) => !isOperation(asked) || access.isPublic(asked))
  })

  const app = new Koa()
  // For every answer.
  app.use((ctx, next) => {
    ctx.set(isSecure(ctx, isTrusted) ? securityHeaders.overHttps : securityHeaders.overHttp)
    return next()
  })
  if (config.CORS_ORIGINS.length > 0) app.use(allowOrigins(config.CORS_ORIGINS))
  const isBanned = (ctx: Context) => access.bansAddresses() && access.isBannedAddress(clientOf(ctx))
  // Whom this does not admit falls through to where errors become problems.
  app.use(
    serveCached(
      options.cache,
      (ctx) => allCachedPublic && !isBanned(ctx) && limiter.admits(ctx, 'cached', network(ctx)),
    ),
  )
  app.use(acceptRequestId)
  app.use(observe(log))
  // From here on an error becomes a problem. A refusal of an address or network is the first to be.
  app.use(tellRequestId)
  app.use(refuseOversizedHead)
  app.use((ctx, next) => {
    if (isBanned(ctx) && !isOurs(ctx))
      throw new AppError('forbidden', 'auth/banned', 'This address is banned')
    return next()
  })
  app.use(router.routes())
  app.use(refuseOtherMethods)
  app.on('error', (error) => log.warn({ err: error }, 'the answer could not be sent'))
  return app
}

const isLoopback = trustedProxies(['127.0.0.0/8', '::1'])

/** What our own sidecar and orchestrator ask for: it has a token, or tells nothing. */
const isOurs = ({ path }: Context): boolean => /^\/(?:healthz|readyz|dapr\/|events\/)/.test(path)

const addProbes = (router: Router, { config, token, access, healthy }: GatewayOptions): void => {
  const withToken = fromSidecarOnly(config.APP_API_TOKEN, new Set())
  router.get('/healthz', (ctx) => {
    ctx.status = healthy() ? 204 : 503
  })
  router.get('/readyz', (ctx) => {
    ctx.status = healthy() && token.current() && access.loaded() ? 200 : 503
    ctx.body = { ready: ctx.status === 200 }
  })
  // For a scraper beside us, not for the world: a proxy in front always says for whom it asks.
  const besideUs: Middleware = (ctx, next) =>
    isLoopback(ctx.req.socket.remoteAddress ?? '') && !ctx.get('x-forwarded-for')
      ? next()
      : withToken(ctx, next)
  router.get('/metrics', besideUs, async (ctx) => {
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })
}

/** What the own sidecar calls, and nobody else. */
const addCallbacks = (router: Router, { config, log, cache, feed }: GatewayOptions): void => {
  const withToken = fromSidecarOnly(config.APP_API_TOKEN, new Set())
  const consumer = createConsumer({ log, databases: undefined, afterCommit: () => undefined })
  const events = [...subscriptions(cache), feed.subscription]
  router.get('/dapr/subscribe', withToken, (ctx) => {
    ctx.body = events.map(({ definition: { topic }, pubsub }) =>
      declare({ pubsub, topic, route: `/events/${topic}`, deadLetterTopic: 'gateway.dead-letter' }),
    )
  })
  for (const each of events) {
    router.post(`/events/${each.definition.topic}`, withToken, consumer.endpoint(each))
  }
}
