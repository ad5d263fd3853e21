import { z } from 'zod'
import { address, keptAddress } from './address.ts'
import {
  amount,
  currency,
  id,
  instant,
  keptText,
  money,
  page,
  paging,
  sku,
  total,
  wholeNumber,
} from './common.ts'
import { event } from './event.ts'
import { quantity } from './inventory.ts'
import { operation } from './operation.ts'
import { orderNumber } from './order-number.ts'
import { pricingOperations } from './pricing.ts'
import { createQuote, quote, wishes } from './quotes.ts'

const app = 'orders'

export const orderStatus = z.enum(['pending-payment', 'paid', 'confirmed', 'cancelled'])
export type OrderStatus = z.infer<typeof orderStatus>

export const cancelReason = z.enum(['shopper', 'unpaid', 'out-of-stock'])
export type CancelReason = z.infer<typeof cancelReason>

/** Frozen when the order is placed: later edits of the catalog do not touch it. */
const orderLine = z.object({
  sku,
  productId: id,
  title: keptText,
  quantity: z.int(),
  unitPrice: amount,
  /** Before discounts. */
  total: z.int(),
})
export type OrderLine = z.infer<typeof orderLine>

export const order = z.object({
  id,
  /** What people call it. An order from before there were numbers gets one soon. */
  number: orderNumber.optional(),
  status: orderStatus,
  currency,
  total: z.int(),
  lines: z.array(orderLine),
  /** What the total is made of; orders from before there were quotes have none. */
  quote: quote.optional(),
  shippingAddress: keptAddress,
  placedAt: instant,
  payBefore: instant,
  cancelReason: cancelReason.optional(),
  payment: z.object({ id, status: z.enum(['captured', 'refund-due', 'refunded']) }).optional(),
  history: z.array(z.object({ what: z.string(), at: instant })),
})
export type Order = z.infer<typeof order>

const orderParams = z.strictObject({ orderId: id })
const exampleId = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'

export const placeOrder = operation({
  app,
  id: 'placeOrder',
  method: 'POST',
  path: '/v1/orders',
  summary: 'Place an order at the prices that the caller saw; its stock is held until paid or expired',
  access: 'member',
  status: 201,
  idempotent: true,
  body: z.strictObject({
    items: z
      .array(z.strictObject({ sku, quantity, unitPrice: money }))
      .min(1)
      .max(100),
    shippingAddress: address,
    ...wishes,
    /** That the shopper saw in a quote; without it, the sum of the items' prices. */
    total: total.optional(),
  }),
  response: order,
  problems: {
    'orders/unknown-sku': 422,
    'orders/price-changed': 409,
    'orders/mixed-currencies': 422,
    'orders/not-sold-there': 422,
    'orders/no-delivery-method': 422,
    'orders/too-many-codes': 429,
    'orders/total-changed': 409,
    'orders/not-chargeable': 422,
    'orders/too-many': 422,
    'orders/too-many-unpaid': 409,
    'inventory/insufficient-stock': 409,
  },
  example: {
    body: {
      items: [{ sku: 'GAIWAN-WHITE', quantity: 2, unitPrice: { amount: 2400, currency: 'USD' } }],
      shippingAddress: {
        name: 'Mei',
        line1: '1 Long Road',
        city: 'Xi’an',
        region: 'Shaanxi',
        postalCode: '710000',
        country: 'CN',
      },
    },
  },
})

export const listOrders = operation({
  app,
  id: 'listOrders',
  method: 'GET',
  path: '/v1/orders',
  summary: 'One’s own orders, newest first',
  access: 'member',
  status: 200,
  query: paging.extend({ after: id.optional() }),
  response: page(order),
})

export const getOrder = operation({
  app,
  id: 'getOrder',
  method: 'GET',
  path: '/v1/orders/{orderId}',
  summary: 'One of one’s own orders, with its history; with `waitMs` as soon as it is confirmed or cancelled',
  access: 'member',
  status: 200,
  params: orderParams,
  query: z.strictObject({
    waitMs: wholeNumber(0, 1000).default(0).describe('At most so long; a busy shop answers at once'),
  }),
  response: order,
  problems: { 'orders/not-found': 404 },
})

export const cancelOrder = operation({
  app,
  id: 'cancelOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/cancellation',
  summary: 'Cancel an order that is not paid; cancelling a cancelled one changes nothing',
  access: 'member',
  status: 200,
  params: orderParams,
  response: order,
  problems: { 'orders/not-found': 404, 'orders/not-cancellable': 409 },
})

/** Not `getOrder` for its caller: that refuses with 404, by which anybody could open the breaker of all who pay. */
export const inquireOrder = operation({
  app,
  id: 'inquireOrder',
  method: 'POST',
  path: '/v1/order-inquiries',
  summary: 'What an account owes for an order; another’s order is not found',
  access: { apps: ['payments'] },
  status: 200,
  body: z.strictObject({ orderId: id, accountId: id }),
  response: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('found'),
      ...order.pick({ status: true, total: true, currency: true }).shape,
    }),
    z.object({ outcome: z.literal('not-found') }),
  ]),
})

export const inquireOrders = operation({
  app,
  id: 'inquireOrders',
  method: 'POST',
  path: '/v1/order-status-inquiries',
  summary: 'What became of orders whose events may be lost; one that never came to be is left out',
  access: { apps: ['promotions'] },
  status: 200,
  body: z.strictObject({ orderIds: z.array(id).min(1).max(100) }),
  response: z.object({ data: z.array(z.object({ orderId: id, status: orderStatus })) }),
})

export const recordCaptures = operation({
  app,
  id: 'recordCaptures',
  method: 'POST',
  path: '/v1/captured-payments',
  summary: 'Take note of captured payments whose events may be lost; tells of which ones an order knows now',
  access: { apps: ['payments'] },
  status: 200,
  body: z.strictObject({
    payments: z
      .array(z.strictObject({ paymentId: id, orderId: id }))
      .min(1)
      .max(100),
  }),
  response: z.object({ known: z.array(id) }),
})

export const ordersOperations = [
  placeOrder,
  listOrders,
  getOrder,
  cancelOrder,
  createQuote,
  ...pricingOperations,
  inquireOrder,
  inquireOrders,
  recordCaptures,
] as const

const orderItems = z.array(z.object({ sku, quantity: z.int() }))

export const orderPlaced = event({
  topic: 'order.placed',
  publisher: app,
  summary: 'An order was accepted and its stock is reserved',
  data: z.object({
    ...{ orderId: id, number: orderNumber.optional(), accountId: id, total, items: orderItems },
  }),
  key: (data) => data.orderId,
  example: {
    orderId: exampleId,
    number: 'CV-7K3M-94QF',
    accountId: exampleId,
    total: { amount: 4800, currency: 'USD' },
    items: [{ sku: 'GAIWAN-WHITE', quantity: 2 }],
  },
})

export const orderPaid = event({
  topic: 'order.paid',
  publisher: app,
  summary: 'The order’s money is captured, or there is none to pay',
  /** Without a payment, where there was nothing to pay. */
  data: z.object({ orderId: id, accountId: id, paymentId: id.optional(), items: orderItems }),
  key: (data) => data.orderId,
  example: {
    orderId: exampleId,
    accountId: exampleId,
    paymentId: exampleId,
    items: [{ sku: 'GAIWAN-WHITE', quantity: 2 }],
  },
})

export const orderConfirmed = event({
  topic: 'order.confirmed',
  publisher: app,
  summary: 'Paid, and the stock is sold: ready to ship',
  data: z.object({ orderId: id, accountId: id }),
  key: (data) => data.orderId,
  example: { orderId: exampleId, accountId: exampleId },
})

export const orderCancelled = event({
  topic: 'order.cancelled',
  publisher: app,
  summary: 'The order will not be fulfilled; its stock may go back',
  data: z.object({ orderId: id, accountId: id, reason: cancelReason }),
  key: (data) => data.orderId,
  example: { orderId: exampleId, accountId: exampleId, reason: 'unpaid' as const },
})

export const orderAbandoned = event({
  topic: 'order.abandoned',
  publisher: app,
  summary: 'Placing an order failed after its stock may have been reserved; there is no such order',
  data: z.object({ orderId: id }),
  key: (data) => data.orderId,
  example: { orderId: exampleId },
})

export const orderRefundDue = event({
  topic: 'order.refund-due',
  publisher: app,
  summary: 'Money was captured for an order that will not be fulfilled',
  data: z.object({ orderId: id, paymentId: id, reason: cancelReason }),
  key: (data) => data.orderId,
  example: { orderId: exampleId, paymentId: exampleId, reason: 'unpaid' as const },
})

export const orderRefundRequested = event({
  topic: 'order.refund-requested',
  publisher: app,
  summary: 'A part of an order’s captured payment is to go back',
  data: z.object({ orderId: id, paymentId: id, refundId: id, total }),
  key: (data) => data.orderId,
  example: {
    ...{ orderId: exampleId, paymentId: exampleId, refundId: exampleId },
    total: { amount: 1200, currency: 'USD' },
  },
})

export const ordersEvents = [
  orderPlaced,
  orderPaid,
  orderConfirmed,
  orderCancelled,
  orderAbandoned,
  orderRefundDue,
  orderRefundRequested,
] as const
