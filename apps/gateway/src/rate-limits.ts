import { AppError } from '@caravan/service-kit/errors'
import { registry } from '@caravan/service-kit/metrics'
import type { Context } from 'koa'
import { Counter } from 'prom-client'
import { z } from 'zod'
import { createTokenBuckets, type Taken, type TokenBuckets } from './token-buckets.ts'

const quota = z.strictObject({
  quota: z.int().min(1).max(1_000_000),
  windowSeconds: z.int().min(1).max(3600),
})

/**
 * What is counted, and for whom. `account`: a member's requests. `address`: those of a client address without a token that
 * is good. `cached`: reads from the gateway's memory, by address; beyond it they count as any other request. `webhook`: an
 * address's signed messages, such as the card provider's.
 */
const schema = z.strictObject({ account: quota, address: quota, cached: quota, webhook: quota })
export type RateLimits = z.output<typeof schema>
export type LimitName = keyof RateLimits

/** The same text in RATE_LIMITS and in the configuration store: JSON, all limits, nothing else. */
export const rateLimits = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue('must be JSON')
      return z.NEVER
    }
  })
  .pipe(schema)

/** Beside those below, `operation` is that of the sidecar. */
export const refusals = new Counter({
  name: 'rate_limit_refusals_total',
  help: 'Requests answered with 429, by limit',
  labelNames: ['limit'],
  registers: [registry],
})

interface Meter {
  readonly buckets: TokenBuckets
  /** `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10. */
  readonly policy: string
}

const meterOf = (name: string, limits: RateLimits[LimitName]): Meter => ({
  buckets: createTokenBuckets(limits),
  policy: `"${name}";q=${limits.quota};w=${limits.windowSeconds}`,
})

const metersOf = ({ account, address, cached, webhook }: RateLimits): Readonly<Record<LimitName, Meter>> => ({
  account: meterOf('account', account),
  address: meterOf('address', address),
  cached: meterOf('cached', cached),
  webhook: meterOf('webhook', webhook),
})

const seconds = (ms: number): number => Math.max(Math.ceil(ms / 1000), 1)

/** Counts requests and says so in their answers' headers. Each replica of the gateway counts for itself. */
export const createRateLimiter = (limits: RateLimits) => {
  let meters = metersOf(limits)

  const take = (ctx: Context, name: LimitName, key: string): Taken => {
    const { buckets, policy } = meters[name]
    const taken = buckets.take(key)
    ctx.set('RateLimit-Policy', policy)
    ctx.set('RateLimit', `"${name}";r=${taken.remaining};t=${seconds(taken.nextMs)}`)
    return taken
  }

  return {
    /** Whether there was a token. */
    admits: (ctx: Context, name: LimitName, key: string): boolean => take(ctx, name, key).allowed,
    /** Throws 429 when there is no token. */
    charge: (ctx: Context, name: LimitName, key: string): void => {
      const { allowed, nextMs } = take(ctx, name, key)
      if (allowed) return
      refusals.inc({ limit: name })
      throw new AppError('too-many', 'gateway/too-many-requests', 'Slow down', {
        retryAfterSeconds: seconds(nextMs),
      })
    },
    /** Takes over new limits; every bucket begins full. */
    change: (next: RateLimits): void => {
      meters = metersOf(next)
    },
  }
}

export type RateLimiter = ReturnType<typeof createRateLimiter>
