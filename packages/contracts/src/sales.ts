import { z } from 'zod'
import { slug } from './catalog.ts'
import { currency, id, page, paging, sku } from './common.ts'
import { operation } from './operation.ts'
import { country } from './pricing.ts'

const app = 'orders'
const access = { roles: ['finance', 'operator'] } as const
const sums = z.object({ units: z.int(), discount: z.int(), net: z.int(), tax: z.int(), gross: z.int() })

/** Of orders that were confirmed on these days, both included, in UTC. */
const days = { from: z.iso.date(), until: z.iso.date() }

export const salesBy = z.enum(['day', 'sku', 'category', 'seller', 'country'])
export type SalesBy = z.infer<typeof salesBy>

export const listSales = operation({
  app,
  id: 'listSales',
  method: 'GET',
  path: '/v1/sales',
  summary: 'What was sold on some days, by day, SKU, category, seller or country, and what of that went back',
  access,
  status: 200,
  query: paging.extend({
    by: salesBy,
    ...days,
    currency: currency.optional(),
    sku: sku.optional(),
    category: slug.optional(),
    seller: id.optional(),
    country: country.optional(),
  }),
  response: page(
    z.object({
      /** Empty where there is none: a delivery has no SKU, category or seller. */
      key: z.string(),
      currency,
      sold: sums,
      /** Of the same orders, whenever it was paid back. */
      back: sums,
    }),
  ),
})

export const listPromotionSales = operation({
  app,
  id: 'listPromotionSales',
  method: 'GET',
  path: '/v1/promotion-sales',
  summary: 'How many orders of some days a promotion was in, and what it took off them',
  access,
  status: 200,
  query: paging.extend({ ...days, currency: currency.optional(), country: country.optional() }),
  response: page(z.object({ promotionId: id, currency, orders: z.int(), discount: z.int() })),
})

export const salesOperations = [listSales, listPromotionSales] as const
