import { z } from 'zod'
import { addressForms } from './address-forms.ts'
import { aLine, line, optionalLine } from './line.ts'

type Country = keyof typeof addressForms
interface Form {
  readonly demands: string
  readonly postalCode?: string
  readonly example?: string
}

const forms: Readonly<Record<string, Form>> = addressForms
const codes = Object.keys(addressForms) as [Country, ...Country[]]

const fieldsOf = (words: typeof line, optionalWords: typeof line) => ({
  name: words(100),
  company: optionalWords(100).optional(),
  line1: words(200),
  line2: optionalWords(200).optional(),
  city: optionalWords(100).optional(),
  region: optionalWords(100).optional(),
  postalCode: optionalWords(20).optional(),
  country: z.string().meta({ description: 'ISO 3166-1 alpha-2' }),
  phone: z.string().optional(),
})
const asItIs = () => z.string()

/** As an address is kept and shown: it may be older than a rule, or taken out of an order with the person. */
export const keptAddress = z.object(fieldsOf(asItIs, asItIs))
export type Address = z.infer<typeof keptAddress>

/** As people write one: 5 to 15 digits (ITU-T E.164), with what they put between them, and an extension. */
const phone = z
  .string()
  .max(40)
  .regex(
    /^\s*\(?\+?(?:[ ()./-]*\d){5,15}[ ()./-]*(?:(?:[xX]|[eE][xX][tT]\.?|#) *\d{1,6})?\s*$/,
    'not a phone number',
  )
  .meta({ examples: ['+852 2345 6789'] })
  .trim()

/**
 * What is missing of an address by its country's own form. A postal code names the region too, and so does a city where the form
 * has none of its own.
 */
const missing = ({ country, city, region, postalCode }: Address): string[] => {
  const { demands } = forms[country] as Form
  const placed = region || postalCode || (demands === 'S' && city)
  return [
    ...(demands.includes('C') && !city ? ['city'] : []),
    ...(/S$/.test(demands) && !placed ? ['region'] : []),
    ...(demands.includes('Z') && !postalCode ? ['postalCode'] : []),
  ]
}

const withPattern = Object.entries(forms).flatMap(([country, { postalCode, example }]) =>
  postalCode ? [{ country, pattern: `^\\s*(?:${postalCode})\\s*$`, example }] : [],
)
const patterns = new Map(withPattern.map(({ country, pattern }) => [country, new RegExp(pattern)]))

const filled = (...fields: string[]) =>
  fields.map((field) => ({ required: [field], properties: { [field]: { pattern: aLine.source } } }))
/** In JSON Schema: one of `some` holds for the countries for which `concerned` does. */
const rule = (concerned: (form: Form) => boolean, some: object[]) => {
  const countries = codes.filter((code) => concerned(forms[code] as Form))
  return { anyOf: [{ properties: { country: { not: { enum: countries } } } }, ...some] }
}
const rules = [
  rule(({ demands }) => demands.includes('C'), filled('city')),
  rule(({ demands }) => demands === 'S', filled('region', 'city', 'postalCode')),
  rule(({ demands }) => demands === 'CS', filled('region', 'postalCode')),
  ...withPattern.map(({ country, pattern }) =>
    rule(
      (form) => form === forms[country],
      [{ required: ['postalCode'], properties: { postalCode: { pattern } } }],
    ),
  ),
]

/** Where to send something, by the country's own form. */
export const address = z
  .strictObject({
    ...fieldsOf(line, optionalLine),
    country: z
      .enum(codes, { error: 'not a code of ISO 3166-1 alpha-2, such as GB' })
      .meta({ description: 'ISO 3166-1 alpha-2' }),
    phone: phone.optional(),
  })
  .superRefine((value, context) => {
    for (const field of missing(value))
      context.addIssue({ code: 'custom', path: [field], message: `addresses in ${value.country} have one` })
    const { country, postalCode } = value
    if (postalCode && !(patterns.get(country)?.test(postalCode) ?? true))
      context.addIssue({
        code: 'custom',
        path: ['postalCode'],
        message: `not a postal code of ${country}, such as ${forms[country]?.example}`,
      })
  })
  .meta({
    description: 'City, region and postal code as far as the country’s own form demands them',
    allOf: rules,
  })
