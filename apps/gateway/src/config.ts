import { readNetwork } from '@caravan/service-kit/address'
import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'
import { rateLimits } from './rate-limits.ts'

const isNetwork = (text: string): boolean => readNetwork(text) !== undefined

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:[^*]+$/.test(text) && new URL(text).origin === text

const listed = (list: string): string[] => list.split(',').flatMap((each) => each.trim() || [])

export const config = readConfig(
  baseConfig.extend({
    /** Addresses and CIDR ranges of the proxies in front, comma-separated; only their X-Forwarded-* headers count. */
    TRUSTED_PROXIES: z
      .string()
      .default('')
      .transform(listed)
      .pipe(z.array(z.string().refine(isNetwork, 'must be addresses or CIDR ranges'))),
    /** Also serves the metrics at a port of their own, for a scraper that is not beside us. */
    METRICS_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
    /** How long an ending gateway still takes requests, for proxies and balancers to learn of its end. */
    LINGER_SECONDS: z.coerce.number().int().min(0).max(300).default(0),
    /** Origins whose pages may call the API with credentials, comma-separated: exact, such as `https://shop.example`. */
    CORS_ORIGINS: z
      .string()
      .default('')
      .transform(listed)
      .pipe(z.array(z.string().refine(isOrigin, 'must be origins, such as https://shop.example'))),
    /** Until the configuration store says otherwise. */
    RATE_LIMITS: rateLimits.prefault(
      JSON.stringify({
        account: { quota: 200, windowSeconds: 10 },
        address: { quota: 300, windowSeconds: 10 },
        cached: { quota: 2000, windowSeconds: 10 },
        webhook: { quota: 2000, windowSeconds: 10 },
      }),
    ),
  }),
)
