import { z } from 'zod'
import { roleName } from './access.ts'
import { slug } from './catalog.ts'
import { amount, currency, id, instant, keptText, page, paging, sku, text } from './common.ts'
import { currencies } from './currencies.ts'
import { event } from './event.ts'
import { operation } from './operation.ts'
import { takingBack } from './taking-back.ts'
import { timeZones } from './time-zones.ts'

const app = 'promotions'
const aDay = z.regexes.date.source.slice(1, -1)
const some = <T extends z.ZodType>(of: T) => z.array(of).min(1).max(100)
const money = amount.min(1)
export const count = z.int().min(1).max(1_000_000_000)

/** A time of day on a calendar, in a zone that stands beside it. */
const localTime = z
  .string()
  .regex(new RegExp(`^${aDay}T(?:[01]\\d|2[0-3]):[0-5]\\d$`), 'a local time such as 2026-12-24T18:00')
  .meta({ examples: ['2026-12-24T18:00'] })

/** Lines of an order; each list that is there has to name a line's own. A category is the product's own, not one above it. */
const items = z.strictObject({
  skus: some(sku).optional(),
  products: some(id).optional(),
  categories: some(slug).optional(),
  sellers: some(id).optional(),
})

const conditions = z.strictObject({
  /** Of the lines that it is about, at their prices before any discount. */
  leastSpend: money.optional(),
  /** What it is about. Without it: all lines. */
  items: items.optional(),
  /** One of these. */
  roles: some(roleName).optional(),
  firstOrder: z.literal(true).optional(),
})

/** Of the lines that a promotion is about. None takes more than there is. */
const effect = z.discriminatedUnion('kind', [
  /** A share of each line, rounded by itself, or of all together. */
  z.strictObject({
    kind: z.literal('percent'),
    basisPoints: z.int().min(1).max(10_000),
    of: z.enum(['lines', 'order']),
    cap: money.optional(),
  }),
  /** Off each unit, or once. */
  z.strictObject({ kind: z.literal('amount'), amount: money, of: z.enum(['unit', 'order']) }),
  z.strictObject({ kind: z.literal('fixed-price'), unitPrice: amount }),
  /** The dearest units together in groups of both, of each of which the cheapest are free. */
  z.strictObject({
    kind: z.literal('buy-x-get-y'),
    buy: z.int().min(1).max(1000),
    get: z.int().min(1).max(1000),
  }),
  z.strictObject({ kind: z.literal('free-delivery'), cap: money.optional() }),
])
export type Effect = z.infer<typeof effect>

const contentAt = <N extends z.ZodType, C extends z.ZodType>(name: N, currency: C) =>
  z.strictObject({
    name,
    trigger: z.enum(['automatic', 'code']),
    status: z.enum(['active', 'paused']),
    /** As the operator writes it; `from` belongs to it, `until` does not. */
    window: z.strictObject({
      timeZone: z.enum(timeZones).meta({ description: 'Of the IANA time zone database' }),
      from: localTime.optional(),
      until: localTime.optional(),
    }),
    /** An order in another one never meets it. All its amounts are in this one's minor units. */
    currency,
    conditions,
    effect,
    /** The higher first. */
    priority: z.int().min(-1000).max(1000),
    /** What is exclusive is alone in an order, and the first that applies. */
    combination: z.enum(['stacked', 'exclusive']),
    limits: z.strictObject({
      uses: count.optional(),
      usesPerCustomer: count.optional(),
      /** Of all that it takes off. */
      budget: count.optional(),
    }),
  })

/** What an operator writes, by the rules of now. */
export const promotionContent = contentAt(
  text(120),
  z.enum(Object.keys(currencies) as [keyof typeof currencies, ...(keyof typeof currencies)[]]),
)

/** `from` and `until`: the window in UTC. `version` grows with each change. */
export const promotion = contentAt(keptText, currency).extend({
  id,
  version: z.int().min(1),
  from: instant.optional(),
  until: instant.optional(),
  createdAt: instant,
  updatedAt: instant,
})
export type Promotion = z.infer<typeof promotion>

const params = z.strictObject({ promotionId: id })
const staff = { roles: ['catalogue-manager'] } as const

export const putPromotion = operation({
  app,
  id: 'putPromotion',
  method: 'PUT',
  path: '/v1/promotions/{promotionId}',
  summary:
    'Create or replace a promotion under an id of the caller, all of it; takes back what getPromotion gave',
  access: staff,
  status: 200,
  tagged: true,
  params,
  body: takingBack(promotionContent, promotion, {
    named: { id: 'promotionId' },
    moved: ['version', 'from', 'until', 'updatedAt'],
  }),
  response: promotion,
  problems: {
    /** Between its two ends there is no time, as clocks are set forward, or they stand the wrong way round. */
    'promotions/empty-window': 422,
    /** Its codes and what it has given so far are by the currency and the trigger that it began with. */
    'promotions/fixed': 409,
    /** A limit would be less than what it gives by now: pause it instead. */
    'promotions/limit-passed': 409,
  },
})

export const getPromotion = operation({
  app,
  id: 'getPromotion',
  method: 'GET',
  path: '/v1/promotions/{promotionId}',
  summary: 'One promotion',
  access: { roles: ['catalogue-manager', 'finance', 'support'] },
  status: 200,
  tagged: true,
  params,
  response: promotion,
  problems: { 'promotions/not-found': 404 },
})

/** What it gave: to orders that are paid, and to those that may still be. */
const counted = promotion.extend({ used: z.int(), spent: z.int() })

export const listPromotions = operation({
  app,
  id: 'listPromotions',
  method: 'GET',
  path: '/v1/promotions',
  summary: 'All promotions in the order of their ids, with how many orders have each and what it took off',
  access: getPromotion.access,
  status: 200,
  query: paging.extend({ after: id.optional() }),
  response: page(counted),
})

export const listPromotionChanges = operation({
  app,
  id: 'listPromotionChanges',
  method: 'GET',
  path: '/v1/promotion-changes',
  summary: 'All promotions that changed since a moment, each as it is now, the longest unchanged first',
  access: { apps: ['orders'] },
  status: 200,
  query: paging.extend({ since: instant.optional() }),
  /** `until`: the moment of this answer by promotions' clock. What was under way then may be told as changed before it. */
  response: page(promotion.loose()).extend({ until: instant }),
})

export const promotionsOperations = [putPromotion, getPromotion, listPromotions] as const

export const promotionChanged = event({
  topic: 'promotion.changed',
  publisher: app,
  summary: 'A promotion was made or changed; the event holds all of it',
  data: promotion.loose(),
  key: (data) => data.id,
  example: {
    id: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
    version: 1,
    name: { en: 'A tenth off tea', zh: '茶叶九折' },
    trigger: 'automatic' as const,
    status: 'active' as const,
    window: { timeZone: 'Europe/Berlin' as const, from: '2026-12-24T18:00' },
    from: '2026-12-24T17:00:00.000Z',
    currency: 'EUR',
    conditions: { leastSpend: 2000, items: { categories: ['tea'] } },
    effect: { kind: 'percent' as const, basisPoints: 1000, of: 'lines' as const, cap: 5000 },
    priority: 0,
    combination: 'stacked' as const,
    limits: {},
    createdAt: '2026-11-01T08:00:00.000Z',
    updatedAt: '2026-11-01T08:00:00.000Z',
  },
})

export const promotionsEvents = [promotionChanged] as const
