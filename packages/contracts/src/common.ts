import { z } from 'zod'

/** UUID of any version; the ones that Caravan makes are version 7 (RFC 9562). */
export const id = z.uuid().meta({ description: 'UUID' })

/**
 * What an `input type=email` takes (HTML standard), as far as a mail server does too: dots only between other characters, 64
 * characters before the `@` and 254 in all (RFC 5321, 4.1.2 and 4.5.3.1). A domain in another script is written in ASCII, as browsers
 * do it.
 */
const mailbox =
  /^(?=[^@]{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Trimmed and in lower case: one spelling an account. */
export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(mailbox, 'not an address such as mei@example.com; a domain in another script is written as xn--…')
  .meta({ format: 'email', examples: ['mei@example.com'] })

/** ISO 8601 in UTC with milliseconds. */
export const instant = z.iso.datetime({ precision: 3 })

/** A moment as a caller may write it (RFC 3339): in any offset, with any fraction or none. It becomes an `instant`. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

export const sku = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{2,39}$/)
  .meta({ description: 'Stock keeping unit', examples: ['GAIWAN-WHITE'] })

/** In a query, where there are no lists. */
export const skus = z
  .string()
  .max(4000)
  .transform((list) => list.split(','))
  .pipe(z.array(sku).min(1).max(100))
  .meta({ description: 'Comma-separated SKUs' })

/** As it is kept and shown: ISO may have withdrawn it since. What something may cost now is a `price`. */
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

/** A text in one or more of the shop's languages; who reads another one gets what there is (`inLanguage`). */
export const text = (max: number) => {
  const written = z.string().trim().min(1).max(max).optional()
  return z
    .strictObject({ en: written, zh: written })
    .refine((some) => some.en !== undefined || some.zh !== undefined, 'in one language at least')
    .meta({ description: 'In English, Chinese or both', minProperties: 1 })
}
export type Text = z.infer<ReturnType<typeof text>>

/** A text in a reader's language, or else in the other one. */
export const inLanguage = ({ en, zh }: Text, language: keyof Text): string =>
  (language === 'zh' ? (zh ?? en) : (en ?? zh)) ?? ''

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
