import { z } from 'zod'
import { amount, currency, id, keptText, sku } from './common.ts'
import { ratePpm, workingDays } from './pricing.ts'

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
