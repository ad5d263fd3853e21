import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

export const config = readConfig(
  baseConfig.extend({
    /** Seconds that a shopper has to pay, until the configuration store says otherwise. */
    PAYMENT_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(1800),
    /** Seconds that stock is held beyond that. */
    RESERVATION_GRACE_SECONDS: z.coerce.number().int().min(1).max(86_400).default(300),
  }),
)
