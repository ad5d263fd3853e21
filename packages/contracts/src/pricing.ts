import { z } from 'zod'
import { addressForms } from './address-forms.ts'
import { slug, taxClass } from './catalog.ts'
import { amount, instant, text } from './common.ts'
import { currencies } from './currencies.ts'
import { line } from './line.ts'
import { operation } from './operation.ts'
import { takingBack } from './taking-back.ts'

const app = 'orders'
const namesOf = <T extends object>(of: T) => Object.keys(of) as [keyof T & string, ...(keyof T & string)[]]
export const country = z.enum(namesOf(addressForms)).meta({ description: 'ISO 3166-1 alpha-2' })

/** A part of a country, or all of it. Of regions and postal codes that are both there, both have to hold. */
const place = z.strictObject({
  country,
  /** Each spelling of its own, such as `CA` and `California`; the case does not matter. */
  regions: z.array(line(100)).min(1).max(100).optional(),
  /** In capitals, without blanks and hyphens, which do not matter in an address either. `*`: whatever follows. */
  postalCodes: z
    .array(z.string().regex(/^[A-Z0-9]{0,12}(?:[A-Z0-9]|\*)$/))
    .min(1)
    .max(500)
    .optional()
    .meta({ examples: [['27498', '35*']] }),
})
export type Place = z.infer<typeof place>
const places = z.array(place).min(1).max(300)

/** In millionths: 190000 is 19 %, 88750 is 8.875 %. */
export const ratePpm = z.int().min(0).max(1_000_000).meta({ description: 'In millionths: 190000 is 19 %' })

const taxZone = z.strictObject({
  places,
  /** A class without a rate of its own has that of `standard`, which is always there. */
  rates: z
    .array(z.strictObject({ taxClass, name: text(80), ratePpm }))
    .min(1)
    .max(50),
})
export type TaxZone = z.infer<typeof taxZone>

export const workingDays = z.object({ least: z.int().min(0).max(365), most: z.int().min(0).max(365) })

const deliveryMethod = z.strictObject({
  /** What an order names. */
  id: slug,
  name: text(120),
  taxClass,
  /**
   * By the grams, the units or the total of the goods after discounts. The price is that of the smallest bracket that holds it;
   * without `upTo` it holds anything. What no bracket holds is not carried.
   */
  by: z.enum(['weight', 'items', 'total']),
  brackets: z
    .array(z.strictObject({ upTo: z.int().min(0).max(10_000_000_000).optional(), price: amount }))
    .min(1)
    .max(50),
  /** It costs nothing from this total of the goods after discounts on. */
  freeFrom: amount.optional(),
  mostGrams: z.int().min(0).max(100_000_000).optional(),
  /** Whose products it does not carry. */
  exceptCategories: z.array(slug).max(100).optional(),
  workingDays: z.strictObject(workingDays.shape),
})
export type DeliveryMethod = z.infer<typeof deliveryMethod>

const market = z.strictObject({
  currency: z.enum(namesOf(currencies)),
  /** Where orders in its currency go. Without it: anywhere. */
  countries: z.array(country).min(1).max(300).optional(),
  /** Whether its prices, of goods and of delivery, hold the tax or come without it. */
  prices: z.enum(['gross', 'net']),
  /** Whether tax is rounded in each line, or once a rate in the order and then shared out. */
  rounding: z.enum(['line', 'order']),
  /** Nothing is delivered beyond them. Without any, delivery is no matter of orders. */
  deliveryZones: z
    .array(z.strictObject({ places, methods: z.array(deliveryMethod).min(1).max(50) }))
    .max(100),
})
export type Market = z.infer<typeof market>

/**
 * Of markets, zones and places the first counts that fits, so what is particular stands before what is general. Without any
 * market everything costs what its price says.
 */
export const pricingContent = z.strictObject({
  markets: z.array(market).max(100),
  /** Beyond them there is no tax. */
  taxZones: z.array(taxZone).max(500),
})
export type PricingContent = z.infer<typeof pricingContent>

/** `version` grows with each change; 0 is that of a shop that has none yet. */
export const pricing = z.object({
  ...pricingContent.shape,
  version: z.int().min(0),
  updatedAt: instant.optional(),
})
export type Pricing = z.infer<typeof pricing>

const access = { roles: ['finance', 'operator'] } as const

export const getPricing = operation({
  app,
  id: 'getPricing',
  method: 'GET',
  path: '/v1/pricing',
  summary: 'Markets, taxes and delivery: what orders cost beyond the prices of their goods',
  access,
  status: 200,
  tagged: true,
  response: pricing,
})

export const putPricing = operation({
  app,
  id: 'putPricing',
  method: 'PUT',
  path: '/v1/pricing',
  summary: 'Replace markets, taxes and delivery, all of them at once; takes back what getPricing gave',
  access,
  status: 200,
  tagged: true,
  body: takingBack(pricingContent, pricing, { moved: ['version', 'updatedAt'] }),
  response: pricing,
  problems: { 'orders/unsound-pricing': 422 },
})

export const pricingOperations = [getPricing, putPricing] as const
