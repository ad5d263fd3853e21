import { z } from 'zod'
import { code } from './codes.ts'
import { currency, email, id, instant, moment, page, paging, sku } from './common.ts'
import { fulfilment } from './fulfilment.ts'
import { prose } from './line.ts'
import { operation } from './operation.ts'
import { heardNumber } from './order-number.ts'
import { cancelReason, order, orderStatus } from './orders.ts'

const app = 'orders'
const access = { roles: ['support', 'finance', 'operator'] } as const
const params = z.strictObject({ orderId: id })
const problems = { 'orders/not-found': 404 } as const

/** In one row: what a person looks for an order by, and sees at a glance. Amounts are minor units. */
const listedOrder = z.object({
  number: z.string().optional(),
  id,
  placedAt: instant,
  status: orderStatus,
  cancelReason: cancelReason.optional(),
  currency,
  total: z.int(),
  units: z.int(),
  /** With blanks between them. */
  skus: z.string(),
  country: z.string(),
  accountId: id,
  paymentId: id.optional(),
  paymentStatus: z.string().optional(),
})
export type ListedOrder = z.infer<typeof listedOrder>

const search = {
  number: heardNumber.optional(),
  /** Of an account. */
  email: email.optional(),
  accountId: id.optional(),
  sku: sku.optional(),
  sellerId: id.optional(),
  /** Of a coupon. */
  code: code.optional(),
  status: orderStatus.optional(),
  currency: currency.optional(),
  /** Placed then or later. */
  from: moment.optional(),
  /** Placed before. */
  until: moment.optional(),
}
/** Each way to look for orders has an index, and no two have one together. */
const several = { 'orders/one-filter': 422 } as const

export const listStaffOrders = operation({
  app,
  id: 'listStaffOrders',
  method: 'GET',
  path: '/v1/staff-orders',
  summary:
    'Everyone’s orders, newest first: all, or those of one filter, beside which `from` and `until` may stand',
  access,
  status: 200,
  query: paging.extend(search),
  response: page(listedOrder),
  problems: several,
})

export const exportStaffOrders = operation({
  app,
  id: 'exportStaffOrders',
  method: 'GET',
  path: '/v1/staff-orders.csv',
  summary: 'The same list as a file, all of it',
  access,
  status: 200,
  file: 'text/csv',
  query: z.strictObject({ after: paging.shape.after, ...search }),
  response: page(listedOrder),
  problems: several,
})

export const getStaffOrder = operation({
  app,
  id: 'getStaffOrder',
  method: 'GET',
  path: '/v1/staff-orders/{orderId}',
  summary: 'Anyone’s order, with what became of it since it was confirmed',
  access,
  status: 200,
  params,
  response: z.object({ ...order.shape, accountId: id, fulfilment: fulfilment.optional() }),
  problems,
})

const step = z.object({
  at: instant,
  /** A state of the order, `note`, `lines-cancelled`, or `parcel-`, `refund-` or `return-` with a state of that. */
  what: z.string(),
  /** The parcel, refund, return, second payment or note that it is about. */
  about: id.optional(),
  /** For logs and traces of the request or event that did it. */
  traceId: z.string().optional(),
})
export type Step = z.infer<typeof step>

export const getOrderTimeline = operation({
  app,
  id: 'getOrderTimeline',
  method: 'GET',
  path: '/v1/staff-orders/{orderId}/timeline',
  summary: 'Each step of an order, its parcels, refunds and notes, the first one first',
  access,
  status: 200,
  params,
  response: z.object({ data: z.array(step) }),
  problems,
})

const note = z.object({
  id,
  author: id,
  text: z.string(),
  at: instant,
})
export type Note = z.infer<typeof note>

export const addOrderNote = operation({
  app,
  id: 'addOrderNote',
  method: 'POST',
  path: '/v1/staff-orders/{orderId}/notes',
  summary: 'Write something about an order for other staff; nobody else sees it, nobody changes it',
  access,
  status: 201,
  idempotent: true,
  params,
  body: z.strictObject({ text: prose(2000) }),
  response: note,
  problems: { ...problems, 'orders/too-many-notes': 409 },
  example: { body: { text: 'Mei called: the parcel goes to her neighbour.' } },
})

export const listOrderNotes = operation({
  app,
  id: 'listOrderNotes',
  method: 'GET',
  path: '/v1/staff-orders/{orderId}/notes',
  summary: 'What staff wrote about an order, newest first',
  access,
  status: 200,
  params,
  query: paging.extend({ after: id.optional() }),
  response: page(note),
  problems,
})

export const staffOrdersOperations = [
  listStaffOrders,
  exportStaffOrders,
  getStaffOrder,
  getOrderTimeline,
  addOrderNote,
  listOrderNotes,
] as const
