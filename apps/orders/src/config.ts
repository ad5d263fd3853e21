import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

export const config = readConfig(
  baseConfig.extend({
    /** Seconds that a shopper has to pay, until the configuration store says otherwise. */
    PAYMENT_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(1800),
    /** Seconds that stock is held beyond that. */
    RESERVATION_GRACE_SECONDS: z.coerce.number().int().min(1).max(86_400).default(300),
    /** Unpaid orders of an account at a time. */
    MAX_UNPAID_ORDERS: z.coerce.number().int().min(1).max(10_000).default(50),
    /** Units of stock that they may hold together, where there are two or more. */
    MAX_HELD_UNITS: z.coerce.number().int().min(1).default(10_000),
    /** Days for which a confirmed order of a closed account keeps its address: it is being delivered, or comes back. */
    ADDRESS_RETENTION_DAYS: z.coerce.number().int().min(0).max(3650).default(30),
  }),
)
