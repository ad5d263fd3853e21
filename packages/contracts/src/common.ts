import { z } from 'zod'

/** UUID of any version; the ones that Caravan makes are version 7 (RFC 9562). */
export const id = z.uuid().meta({ description: 'UUID' })

/** Trimmed and in lower case: one spelling an account. */
export const email = z.string().trim().toLowerCase().pipe(z.email().max(254))

/** ISO 8601 in UTC with milliseconds. */
export const instant = z.iso.datetime({ precision: 3 })

export const sku = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{2,39}$/)
  .meta({ description: 'Stock keeping unit', examples: ['GAIWAN-WHITE'] })

export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .meta({ description: 'ISO 4217 code' })

/** Integer minor units (cents for USD). The bound keeps every sum of an order inside 2^53. */
export const amount = z.int().min(0).max(1_000_000_000)

export const money = z.strictObject({ amount, currency })
export type Money = z.infer<typeof money>

/** Money that many prices add up to: it may be more than one price may be. */
export const total = z.strictObject({ amount: z.int().min(0), currency })

export const address = z.strictObject({
  name: z.string().trim().min(1).max(100),
  line1: z.string().trim().min(1).max(200),
  line2: z.string().trim().max(200).optional(),
  city: z.string().trim().min(1).max(100),
  region: z.string().trim().max(100).optional(),
  postalCode: z.string().trim().min(1).max(20),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .meta({ description: 'ISO 3166-1 alpha-2' }),
})
export type Address = z.infer<typeof address>

/** A text in the shop's languages. */
export const text = (max: number) =>
  z.strictObject({ en: z.string().trim().min(1).max(max), zh: z.string().trim().min(1).max(max) })

export const limit = z.coerce.number().int().min(1).max(100).default(20)

/** ASCII that can be seen. A column of such text cannot be compared with any other. */
export const visible = z.string().regex(/^[\x20-\x7e]{1,200}$/)

/** Keyset paging: `after` is the `next` of the page before. */
export const paging = z.strictObject({ limit, after: visible.optional() })

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), hasMore: z.boolean(), next: z.string().optional() })

/** RFC 9457 problem details, as every error of every service answers; some have members of their own beside these. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  traceId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
})
export type Problem = z.infer<typeof problem>
