import type { Caller } from '@caravan/service-kit/authenticate'
import type { Context, Middleware } from 'koa'
import type { RateLimiter } from './rate-limits.ts'

export interface LimitOptions {
  readonly limiter: RateLimiter
  /** Throws for a token that is not good. */
  readonly callerOf: (ctx: Context) => Promise<Caller>
  /** What is counted for whoever has no account: an address or a network. */
  readonly networkOf: (ctx: Context) => string
}

/**
 * Counts a request for the account of its token, or for its client's address where there is none that is good: a forged
 * token buys no new bucket. Throws 429. Whether the token lets the request in is for the sidecar and the service to say.
 */
export const limitRequests = ({ limiter, callerOf, networkOf }: LimitOptions) => {
  const accountOf = async (ctx: Context): Promise<string | undefined> => {
    // Not good, or identity's keys are out of reach: a stranger either way.
    const caller = await callerOf(ctx).catch(() => undefined)
    return caller?.kind === 'member' ? caller.id : undefined
  }

  return (kind: 'call' | 'webhook'): Middleware =>
    async (ctx, next) => {
      const account = kind === 'call' ? await accountOf(ctx) : undefined
      if (account !== undefined) limiter.charge(ctx, 'account', account)
      else limiter.charge(ctx, kind === 'webhook' ? 'webhook' : 'address', networkOf(ctx))
      return next()
    }
}
