import { z } from 'zod'
import { id, instant, page, paging, sku } from './common.ts'
import { items as units } from './inventory.ts'
import { line } from './line.ts'
import { operation } from './operation.ts'

const app = 'orders'
const sum = z.int().min(0)

/**
 * requested → approved → received → refunded or exchanged. It is rejected by a person, cancelled by the shopper, or lapses when nobody
 * answers it, or sends the goods, in time.
 */
export const returnStatus = z.enum([
  'requested',
  'approved',
  'received',
  'refunded',
  'exchanged',
  'rejected',
  'cancelled',
  'lapsed',
])
export type ReturnStatus = z.infer<typeof returnStatus>

export const returnReason = z.enum(['unwanted', 'damaged', 'not-as-described', 'wrong-item', 'other'])
/** How goods are that came back: what is resellable is sold again, what is not is written off. */
export const condition = z.enum(['resellable', 'damaged'])

export const orderReturn = z.object({
  id,
  orderId: id,
  status: returnStatus,
  reason: returnReason,
  comment: z.string().optional(),
  lines: z.array(z.object({ sku, quantity: z.int() })),
  /** What is sent instead, at the price of when it was requested; where that cannot be, the money goes back. */
  exchange: z.object({ sku, quantity: z.int(), price: sum }).optional(),
  /** What was left to give back of the units when it was requested. */
  amount: sum,
  approvedBy: z.enum(['rule', 'staff']).optional(),
  condition: condition.optional(),
  requestedAt: instant,
  /** When it became what it is. */
  statusAt: instant,
  /** When it lapses, unless it is answered, or the goods come, before. */
  until: instant.optional(),
})
export type OrderReturn = z.infer<typeof orderReturn>

const ofReturn = z.strictObject({ orderId: id, returnId: id })
const problems = { 'orders/not-found': 404, 'orders/not-confirmed': 409 } as const
const found = { ...problems, 'orders/return-not-found': 404, 'orders/return-over': 409 } as const
const staff = { roles: ['support', 'operator'] } as const

export const requestReturn = operation({
  app,
  id: 'requestReturn',
  method: 'POST',
  path: '/v1/orders/{orderId}/returns',
  summary:
    'Ask to send units of one of one’s own orders back, for their money or as many of another SKU: units that were sent and are in no other return',
  access: 'member',
  status: 201,
  idempotent: true,
  params: z.strictObject({ orderId: id }),
  body: z.strictObject({
    ...{ lines: units, reason: returnReason, comment: line(500).optional() },
    /** As many units of another SKU, or of the same, that cost no more; what they cost less goes back. */
    exchangeFor: sku.optional(),
  }),
  response: orderReturn,
  problems: {
    ...{ ...problems, 'orders/more-than-sent': 409 },
    ...{ 'orders/unknown-sku': 422, 'orders/exchange-costs-more': 409 },
    ...{ 'orders/not-exchangeable': 409, 'orders/too-many-entries': 409 },
  },
  example: { body: { lines: [{ sku: 'GAIWAN-WHITE', quantity: 1 }], reason: 'unwanted' } },
})

export const cancelReturn = operation({
  app,
  id: 'cancelReturn',
  method: 'POST',
  path: '/v1/orders/{orderId}/returns/{returnId}/cancellation',
  summary: 'Keep the goods after all, before they have come back; again changes nothing',
  access: 'member',
  status: 200,
  params: ofReturn,
  response: orderReturn,
  problems: found,
})

export const decideReturn = operation({
  app,
  id: 'decideReturn',
  method: 'POST',
  path: '/v1/orders/{orderId}/returns/{returnId}/decision',
  summary: 'Approve or reject a return that is requested; the same again changes nothing',
  access: staff,
  status: 200,
  params: ofReturn,
  body: z.strictObject({ decision: z.enum(['approved', 'rejected']) }),
  response: orderReturn,
  problems: found,
  example: { body: { decision: 'approved' } },
})

export const receiveReturn = operation({
  app,
  id: 'receiveReturn',
  method: 'POST',
  path: '/v1/orders/{orderId}/returns/{returnId}/receipt',
  summary:
    'Note that the goods of an approved return are here, and how they are; the same again changes nothing',
  access: staff,
  status: 200,
  params: ofReturn,
  body: z.strictObject({ condition }),
  response: orderReturn,
  problems: found,
  example: { body: { condition: 'resellable' } },
})

export const listReturns = operation({
  app,
  id: 'listReturns',
  method: 'GET',
  path: '/v1/returns',
  summary: 'Returns of all orders that are in one state, newest first',
  access: staff,
  status: 200,
  query: paging.extend({ after: id.optional(), status: returnStatus.default('requested') }),
  response: page(orderReturn),
})

export const returnOperations = [
  requestReturn,
  cancelReturn,
  decideReturn,
  receiveReturn,
  listReturns,
] as const
