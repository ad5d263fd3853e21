import { z } from 'zod'
import { line } from './line.ts'

/**
 * UUID of any version; the ones that Caravan makes are version 7. Taken in either case and told in lower case (RFC 9562, 4): one
 * spelling an id, wherever ids are compared.
 */
export const id = z.uuid().toLowerCase().meta({ description: 'UUID' })

/**
 * What an `input type=email` takes (HTML standard), as far as a mail server does too: dots only between other characters, 64
 * characters before the `@` and 254 in all (RFC 5321, 4.1.2 and 4.5.3.1). A domain in another script is written in ASCII, as browsers
 * do it. Blanks around it are no part of it.
 */
const mailbox =
  /^ *(?=[^@]{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)* *$/

/** Trimmed and in lower case: one spelling an account. The JSON Schema, which can do neither, is about what comes. */
export const email = z
  .string()
  .max(254)
  .regex(mailbox, 'not an address such as mei@example.com; a domain in another script is written as xn--…')
  .meta({ examples: ['mei@example.com'] })
  .trim()
  .toLowerCase()

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
  .regex(
    /^[A-Z0-9][A-Z0-9-]{2,39}(?:,[A-Z0-9][A-Z0-9-]{2,39}){0,99}$/,
    'at most a hundred SKUs with commas between them',
  )
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
export const text = (max: number, written = line) => {
  const some = written(max).optional()
  return z
    .strictObject({ en: some, zh: some })
    .refine(({ en, zh }) => en !== undefined || zh !== undefined, 'in one language at least')
    .meta({ description: 'In English, Chinese or both', minProperties: 1 })
}

/** As it is kept and shown: it may be older than a rule. */
export const keptText = z.strictObject({ en: z.string().optional(), zh: z.string().optional() })
export type Text = z.infer<typeof keptText>

/** A text in a reader's language, or else in the other one. */
export const inLanguage = ({ en, zh }: Text, language: keyof Text): string =>
  (language === 'zh' ? (zh ?? en) : (en ?? zh)) ?? ''

/** What machines make for machines: printable ASCII. A column of ASCII cannot be compared with any other text. */
export const printable = (max: number) => z.string().regex(new RegExp(`^[\\x20-\\x7e]{0,${max}}$`))
export const visible = z.string().regex(/^[\x20-\x7e]{1,200}$/)

/** A whole number in a query, in its one spelling: no `1e1`, no `0x10`, no text without a digit. */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^(?:0|-?[1-9]\d{0,15})$/.test(given) ? Number(given) : given),
    z.int().min(min).max(max),
  )

export const limit = wholeNumber(1, 100).default(20)

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
