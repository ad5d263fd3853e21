import type { Operation } from '@caravan/contracts/operation'
import type { BaseConfig } from '@caravan/service-kit/config'
import { AppError } from '@caravan/service-kit/errors'
import type { Log } from '@caravan/service-kit/log'
import { registry } from '@caravan/service-kit/metrics'
import { readBody } from '@caravan/service-kit/route'
import { fromSidecarOnly, observe } from '@caravan/service-kit/server'
import { createConsumer } from '@caravan/service-kit/subscription'
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import type { AnonymousToken } from './anonymous-token.ts'
import { type Answer, reply, securityHeaders } from './answer.ts'
import { cachedReads, cacheKey, readThrough, serveCached } from './cached-reads.ts'
import { trustedProxies } from './client-address.ts'
import { type Forward, unavailable } from './forward.ts'
import type { ReadCache } from './read-cache.ts'
import { addressOf, assertPlainPath, bearerOf, headersOf, isSecure } from './request.ts'
import { subscriptions } from './subscriptions.ts'

export interface GatewayOptions {
  readonly config: Pick<BaseConfig, 'APP_API_TOKEN'> & { readonly TRUSTED_PROXIES: readonly string[] }
  readonly log: Log
  /** What the world may call. Everything else is 404. */
  readonly operations: readonly Operation[]
  readonly documents: ReadonlyMap<string, Answer>
  readonly cache: ReadCache
  readonly forward: Forward
  readonly token: Pick<AnonymousToken, 'current' | 'renew'>
  readonly healthy: () => boolean
}

const maxBodyBytes = 262_144
/** Milliseconds, where an operation waits for someone outside the shop. */
const deadlines: Readonly<Record<string, number>> = { payOrder: 12_000 }
const loopback = trustedProxies(['127.0.0.0/8', '::1'])

/** The only public door: what it does not list does not exist. */
export const createGateway = (options: GatewayOptions): Koa => {
  const { config, log, operations, documents, cache, forward, token, healthy } = options
  const isTrusted = trustedProxies(config.TRUSTED_PROXIES)
  const router = new Router({ sensitive: true, strict: true })
  const sidecarOnly = fromSidecarOnly(config.APP_API_TOKEN, new Set())

  const anonymously = async (ctx: Context, app: string, request: Parameters<Forward>[1]): Promise<Answer> => {
    const current = token.current()
    if (!current) throw unavailable('gateway')
    const headers = {
      ...request.headers,
      authorization: `Bearer ${current}`,
      'x-forwarded-for': addressOf(ctx, isTrusted),
    }
    return forward(app, { ...request, headers }).catch((error) => {
      if (!(error instanceof AppError) || error.code !== 'auth/invalid-token') throw error
      // The client brought no token, so it was ours that is not good (identity has new keys).
      token.renew()
      throw unavailable('gateway', error)
    })
  }

  for (const each of cachedReads) {
    const load = (ctx: Context, path: string) => {
      assertPlainPath(ctx.path)
      return anonymously(ctx, each.app, {
        method: 'GET',
        path,
        headers: { accept: ctx.get('accept') || '*/*' },
      })
    }
    router.get(each.path, readThrough(cache, each, load))
  }

  const pass =
    ({ app, id, method }: Operation): Middleware =>
    async (ctx) => {
      assertPlainPath(ctx.path)
      const authorization = bearerOf(ctx)
      const request = {
        method,
        path: ctx.path + ctx.search,
        headers: headersOf(ctx),
        ...(method === 'GET' ? {} : { body: await readBody(ctx.req, maxBodyBytes) }),
        ...(deadlines[id] ? { deadlineMs: deadlines[id] } : {}),
      }
      const answer = await (authorization
        ? forward(app, {
            ...request,
            headers: { ...request.headers, authorization, 'x-forwarded-for': addressOf(ctx, isTrusted) },
          })
        : anonymously(ctx, app, request))
      if (method !== 'GET' && app === 'catalog' && answer.status < 300) {
        // Whoever edits here sees the edit here at once; other replicas hear of it by event.
        cache.outdate(cacheKey(ctx.url))
        cache.outdateLists()
      }
      reply(ctx, answer)
    }

  const cached = new Set(cachedReads.map(({ path }) => path))
  for (const operation of operations) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1')
    if (operation.method !== 'GET' || !cached.has(path)) {
      router.register(path, [operation.method], pass(operation))
    }
  }

  for (const [path, answer] of documents) router.get(path, (ctx) => reply(ctx, answer))

  router.get('/healthz', (ctx) => {
    ctx.status = healthy() ? 204 : 503
  })
  router.get('/readyz', (ctx) => {
    ctx.status = healthy() && token.current() ? 200 : 503
    ctx.body = { ready: ctx.status === 200 }
  })
  router.get('/metrics', async (ctx, next) => {
    // For a scraper beside us, not for the world: a proxy of ours always says for whom it asks.
    if (!loopback(ctx.req.socket.remoteAddress ?? '') || ctx.get('x-forwarded-for'))
      await sidecarOnly(ctx, next)
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })

  const consumer = createConsumer({ log, db: undefined, afterCommit: () => undefined })
  const events = subscriptions(cache)
  router.get('/dapr/subscribe', sidecarOnly, (ctx) => {
    ctx.body = events.map(({ definition, pubsub }) => ({
      pubsubname: pubsub,
      topic: definition.topic,
      route: `/events/${definition.topic}`,
      deadLetterTopic: 'gateway.dead-letter',
    }))
  })
  for (const each of events)
    router.post(`/events/${each.definition.topic}`, sidecarOnly, consumer.endpoint(each))

  const app = new Koa()
  app.use((ctx, next) => {
    ctx.set({ ...securityHeaders, 'Cache-Control': 'no-store' })
    if (isSecure(ctx, isTrusted)) ctx.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains')
    return next()
  })
  app.use(serveCached(cache))
  app.use(observe(log))
  app.use(router.routes())
  app.use(refuseOtherMethods)
  app.on('error', (error) => log.warn({ err: error }, 'the answer could not be sent'))
  return app
}

/** RFC 9110, 15.5.6: a path that exists, with a method that it does not have. */
const refuseOtherMethods: Middleware = (ctx) => {
  const layers = (ctx.matched ?? []) as { methods: string[] }[]
  const methods = new Set(layers.flatMap((layer) => layer.methods))
  if (methods.size === 0 || methods.has(ctx.method)) return
  ctx.set('Allow', [...methods].join(', '))
  throw new AppError('invalid', 'request/method-not-allowed', 'Not this method', { status: 405 })
}
