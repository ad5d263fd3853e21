import { type Background, every } from '@caravan/service-kit/background'
import type { Log } from '@caravan/service-kit/log'
import { registry } from '@caravan/service-kit/metrics'
import { Gauge } from 'prom-client'
import { type RateLimiter, type RateLimits, rateLimits } from './rate-limits.ts'

export const key = 'gateway.rate-limits'

const accepted = new Gauge({
  name: 'rate_limit_settings_accepted',
  help: '0 while the configuration store holds rate limits that are not valid; those before them count',
  registers: [registry],
})
accepted.set(1)

/**
 * Takes over the configuration store's rate limits, looked up every five seconds; without any, the given ones count. What is
 * not valid changes nothing, and is told once at level error.
 */
export const createRateLimitSettings = (
  fallback: RateLimits,
  read: (key: string) => Promise<string | undefined>,
  limiter: Pick<RateLimiter, 'change'>,
  log: Log,
) => {
  let seen: string | undefined

  const look = async (): Promise<void> => {
    const value = await read(key)
    if (value === seen) return
    seen = value
    const parsed =
      value === undefined ? { success: true as const, data: fallback } : rateLimits.safeParse(value)
    accepted.set(parsed.success ? 1 : 0)
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      return log.error({ key, faults }, 'not valid rate limits; those before them stay')
    }
    limiter.change(parsed.data)
    log.info({ key, limits: parsed.data }, 'configuration changed')
  }

  return { look, refresh: every(5000, 'rate-limits', log, look) satisfies Background }
}
