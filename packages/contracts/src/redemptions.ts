import { z } from 'zod'
import { code, customer, inquireCodes } from './codes.ts'
import { id } from './common.ts'
import { operation } from './operation.ts'
import { listPromotionChanges } from './promotions.ts'

const app = 'promotions'

/** What an order takes of one promotion. */
const redemptionUse = z.strictObject({
  promotionId: id,
  /** Of the promotion that the discount was reckoned by. */
  version: z.int().min(1),
  /** That brought the promotion; none for an automatic one. */
  code: code.optional(),
  /** What it takes off, in minor units of the promotion's currency. */
  amount: z.int().min(0),
})
export type RedemptionUse = z.infer<typeof redemptionUse>

export const refusalReason = z.enum([
  /** It is not the promotion's any more, or paused, used up, another customer's. */
  'code',
  'limit',
  'customer-limit',
  'budget',
  /** The promotion has another version by now. */
  'changed',
])
export type RefusalReason = z.infer<typeof refusalReason>

/**
 * The try of an order's try, confirm and cancel: `order.paid` confirms, `order.cancelled` and `order.abandoned` cancel, and
 * what no event told is asked of orders when the time to live is over.
 */
export const redeem = operation({
  app,
  id: 'redeem',
  method: 'POST',
  path: '/v1/redemptions',
  summary: 'Count what an order takes of promotions, all or nothing; the same order again changes nothing',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({
    orderId: id,
    customer,
    ttlSeconds: z.int().min(1).max(604_800),
    /** Each promotion once. */
    uses: z.array(redemptionUse).min(1).max(20),
  }),
  response: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('redeemed') }),
    z.object({ outcome: z.literal('refused'), promotionId: id, reason: refusalReason }),
    // The order was abandoned or cancelled before this call came: nothing is redeemed for it any more.
    z.object({ outcome: z.literal('closed') }),
  ]),
})

/** What orders asks for. */
export const redemptionsOperations = [listPromotionChanges, inquireCodes, redeem] as const
