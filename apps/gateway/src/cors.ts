import cors from '@koa/cors'
import type { Middleware } from 'koa'

/**
 * Lets the pages of these origins, and no other, call the API with credentials: a listed origin is repeated, never `*`. Every
 * answer has `Vary: Origin`, also one from a cache. A preflight ends here.
 */
export const allowOrigins = (origins: readonly string[]): Middleware => {
  const allowed = new Set(origins)
  return cors({
    origin: (ctx) => {
      const origin = ctx.get('origin')
      return allowed.has(origin) ? origin : ''
    },
    credentials: true,
    allowMethods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Traceparent',
      'X-Request-Id',
    ],
    exposeHeaders: [
      'ETag',
      'Location',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
      'Idempotent-Replayed',
    ],
    maxAge: 600,
    keepHeadersOnError: false,
  })
}
