import { currency } from '@caravan/contracts/common'
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
    /** By currency, minor units up to which a return is approved without asking anybody: {"USD":5000}. */
    RETURNS_APPROVED_UP_TO: z
      .string()
      .default('{}')
      .transform((text, context) => {
        try {
          return JSON.parse(text)
        } catch {
          context.addIssue('not JSON')
          return z.NEVER
        }
      })
      .pipe(z.record(currency, z.int().min(0))),
    /** Seconds for which a return waits for an answer, and then for the goods, before it lapses. */
    RETURN_ANSWER_SECONDS: z.coerce.number().int().min(1).max(31_536_000).default(1_209_600),
    RETURN_GOODS_SECONDS: z.coerce.number().int().min(1).max(31_536_000).default(1_209_600),
  }),
)
