import { timingSafeEqual } from 'node:crypto'
import { invokedPath, type Operation } from '@caravan/contracts/operation'
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { tellDigest } from './content-digest.ts'
import { AppError, asAppError, toProblem } from './errors.ts'
import type { Log } from './log.ts'
import { registry, requestSeconds } from './metrics.ts'
import { openApi } from './openapi.ts'
import { type Route, type RouteContext, serve } from './route.ts'
import { currentTrace, runInTrace } from './trace.ts'

/** A guest's id in a path is the key to what is the guest's. */
const withoutSecrets = (path: string): string => path.replace(/guest-[\w-]{32}/, 'guest-[redacted]')

const quiet = new Set(['/healthz', '/readyz', '/metrics'])

/** Trace, access log, RED metrics and the one place where an error becomes an answer. */
export const observe =
  (log: Log): Middleware =>
  (ctx, next) => {
    if (quiet.has(ctx.path)) return next()
    return runInTrace(ctx.get('traceparent') || undefined, async () => {
      const start = performance.now()
      try {
        await next()
        if (ctx.status === 404 && !ctx.body)
          throw new AppError('not-found', 'request/no-such-route', 'No such route')
      } catch (error) {
        present(ctx, error, log)
      }
      const seconds = (performance.now() - start) / 1000
      const route = ctx._matchedRoute ? `${ctx.method} ${ctx._matchedRoute}` : 'none'
      requestSeconds.observe({ route, status: ctx.status }, seconds)
      log.info(
        {
          method: ctx.method,
          route,
          path: withoutSecrets(ctx.state.path ?? ctx.path),
          status: ctx.status,
          ms: Math.round(seconds * 1e5) / 100,
        },
        'request',
      )
    })
  }

const present = (ctx: Parameters<Middleware>[0], error: unknown, log: Log): void => {
  const known = asAppError(error)
  if (!known) log.error({ err: error, path: ctx.state.path ?? ctx.path }, 'unexpected error')
  else if (known.status >= 500) log.warn({ err: known, code: known.code }, 'answered with unavailable')
  const problem = toProblem(known, currentTrace()?.traceId)
  ctx.status = problem.status
  ctx.type = 'application/problem+json'
  ctx.body = JSON.stringify(problem)
  if (known?.details.retryAfterSeconds) ctx.set('Retry-After', String(known.details.retryAfterSeconds))
  if (problem.status === 401) ctx.set('WWW-Authenticate', 'Bearer')
}

/** Refuses what did not come through the own sidecar. */
export const fromSidecarOnly = (token: string, exempt: ReadonlySet<string>): Middleware => {
  const expected = Buffer.from(token)
  return (ctx, next) => {
    if (exempt.has(ctx.path)) return next()
    const given = Buffer.from(ctx.get('dapr-api-token'))
    if (given.length === expected.length && timingSafeEqual(given, expected)) return next()
    throw new AppError('unauthenticated', 'auth/not-through-sidecar', 'Call this app through its sidecar')
  }
}

/** RFC 9110, 15.5.6: a path that exists, with a method that it does not have. */
export const refuseOtherMethods: Middleware = (ctx) => {
  const layers = (ctx.matched ?? []) as { methods: string[] }[]
  const methods = new Set(layers.flatMap((layer) => layer.methods))
  if (methods.size === 0 || methods.has(ctx.method)) return
  ctx.set('Allow', [...methods].join(', '))
  throw new AppError('invalid', 'request/method-not-allowed', 'Not this method', { status: 405 })
}

export interface ServerOptions extends RouteContext {
  readonly version: string
  readonly log: Log
  readonly appToken: string
  readonly routes: readonly Route[]
  /** Paths that need no API token beside health and metrics. */
  readonly openPaths?: readonly string[]
  readonly healthy: () => boolean
  readonly ready: () => Promise<boolean>
  /** What Dapr calls: subscriptions, jobs. */
  readonly callbacks?: (router: Router) => void
}

/** The Koa app of a service: health, metrics, its OpenAPI document, Dapr's callbacks and its routes. */
export const createServer = (options: ServerOptions): Koa => {
  const { name, version, log, routes, healthy, ready } = options
  const app = new Koa()
  const router = new Router()
  const operations: Operation[] = routes.map((route) => route.operation)
  const document = JSON.stringify(openApi(`Caravan ${name}`, version, operations, 'sidecar'))

  router.get('/healthz', (ctx) => {
    ctx.status = healthy() ? 204 : 503
  })
  router.get('/readyz', async (ctx) => {
    ctx.status = healthy() && (await ready()) ? 200 : 503
    ctx.body = { ready: ctx.status === 200 }
  })
  router.get('/metrics', async (ctx) => {
    ctx.type = registry.contentType
    ctx.body = await registry.metrics()
  })
  router.get('/openapi.json', (ctx) => {
    ctx.type = 'json'
    ctx.body = document
  })
  options.callbacks?.(router)
  for (const route of routes) {
    router.register(invokedPath(route.operation), [route.operation.method], serve(route, options))
  }

  app.use(tellDigest)
  app.use(observe(log))
  app.use(fromSidecarOnly(options.appToken, new Set([...quiet, ...(options.openPaths ?? [])])))
  app.use(router.routes())
  app.use(refuseOtherMethods)
  app.on('error', (error) => log.warn({ err: error }, 'the answer could not be sent'))
  return app
}
