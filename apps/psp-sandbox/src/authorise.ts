import { createHash, timingSafeEqual } from 'node:crypto'
import type { Middleware } from 'koa'
import { Problem } from './problem.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Lets only the bearer of the secret key pass, else 401. Equal-length digests are compared in constant time. */
export function requireKey(secretKey: string): Middleware {
  const expected = digest(`Bearer ${secretKey}`)
  return async (ctx, next) => {
    if (!timingSafeEqual(digest(ctx.get('authorization')), expected)) {
      ctx.set('www-authenticate', 'Bearer')
      throw new Problem(401, 'unauthenticated', 'Send the secret key as a bearer token')
    }
    await next()
  }
}

/** Opens a route to browsers of any origin; it carries no cookie and no key. */
export const anyOrigin: Middleware = async (ctx, next) => {
  ctx.set('access-control-allow-origin', '*')
  await next()
}

export const preflight: Middleware = (ctx) => {
  ctx.set({ 'access-control-allow-methods': 'POST', 'access-control-allow-headers': 'content-type' })
  ctx.set('access-control-max-age', '600')
  ctx.status = 204
}
