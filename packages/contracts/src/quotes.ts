import { z } from 'zod'
import { slug } from './catalog.ts'
import { code } from './codes.ts'
import { amount, currency, id, keptText, sku } from './common.ts'
import { items } from './inventory.ts'
import { optionalLine } from './line.ts'
import { operation } from './operation.ts'
import { country, ratePpm, workingDays } from './pricing.ts'

const sum = z.int().min(0)
const rate = z.object({ name: keptText, ratePpm })

/** What a promotion takes off something. */
const share = z.object({ promotionId: id, amount: sum })

/** What is paid for something: `gross` is `net` and `tax`. */
const paid = { net: sum, tax: sum, gross: sum, taxClass: z.string(), taxRate: rate.optional() }

/** A line costs its `subtotal` less both kinds of discounts: that is its `gross` or its `net`, as the market's prices are. */
const quoteLine = z.object({
  ...{ sku, productId: id, title: keptText, quantity: z.int(), unitPrice: amount },
  seller: id.optional(),
  category: z.string().optional(),
  subtotal: sum,
  /** Of the line itself. */
  lineDiscounts: z.array(share),
  /** Its shares of what is taken off the order. */
  orderDiscounts: z.array(share),
  ...paid,
})
export type QuoteLine = z.infer<typeof quoteLine>

const delivery = z.object({
  method: z.string(),
  name: keptText,
  price: sum,
  discounts: z.array(share),
  workingDays,
  ...paid,
})
export type QuotedDelivery = z.infer<typeof delivery>

/**
 * What an order costs, part by part: nothing of it is reckoned again once the order is placed. All in minor units, and multiples
 * of what a card can be charged with.
 */
export const quote = z.object({
  currency,
  prices: z.enum(['gross', 'net']),
  lines: z.array(quoteLine),
  /** What each promotion takes off, of lines and delivery together. */
  discounts: z.array(share.extend({ version: z.int(), name: keptText, code: z.string().optional() })),
  delivery: delivery.optional(),
  /** By rate, what of the total is taxed and how much tax that is. */
  taxes: z.array(rate.extend({ net: sum, tax: sum })),
  /** Of the goods, before discounts. */
  subtotal: sum,
  discount: sum,
  ...{ net: sum, tax: sum, total: sum },
})
export type Quote = z.infer<typeof quote>

/** How the shopper wants it: the same in a quote and in an order. */
export const wishes = {
  /** One of those on offer, where there are any. */
  deliveryMethod: slug.optional(),
  codes: z.array(code).max(5).optional(),
  /** Promotions to do without, such as one that was refused. */
  without: z.array(id).max(20).optional(),
}

/** Why a code does nothing. One that is wrong, paused or somebody else's is not found: nobody learns which. */
export const idle = z.enum([
  'not-found',
  'not-now',
  'other-currency',
  'other-goods',
  'too-little',
  'other-customers',
  'not-combinable',
  'nothing-left',
])
export type Idle = z.infer<typeof idle>

const deliveryOffer = delivery
  .pick({ name: true, price: true, workingDays: true })
  .extend({ id: z.string(), discount: sum })
export type DeliveryOffer = z.infer<typeof deliveryOffer>

export const offeredQuote = quote.extend({
  /** Those that carry these goods there, of which an order has to name one; absent where it needs none. */
  deliveryMethods: z.array(deliveryOffer).optional(),
  idleCodes: z.array(z.object({ code: z.string(), why: idle })),
})
export type OfferedQuote = z.infer<typeof offeredQuote>

export const createQuote = operation({
  app: 'orders',
  id: 'createQuote',
  method: 'POST',
  path: '/v1/quotes',
  summary: 'What an order would cost now, part by part: what placeOrder charges, as long as nothing changes',
  access: 'anyone',
  status: 200,
  body: z.strictObject({
    items,
    destination: z.strictObject({
      country,
      region: optionalLine(100).optional(),
      postalCode: optionalLine(20).optional(),
    }),
    ...wishes,
  }),
  response: offeredQuote,
  problems: {
    'orders/unknown-sku': 422,
    'orders/mixed-currencies': 422,
    'orders/not-sold-there': 422,
    'orders/too-many': 422,
    'orders/no-such-delivery': 422,
    'orders/too-many-codes': 429,
  },
  example: {
    body: { items: [{ sku: 'GAIWAN-WHITE', quantity: 2 }], destination: { country: 'CN' } },
  },
})
