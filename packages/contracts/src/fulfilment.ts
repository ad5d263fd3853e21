import { z } from 'zod'
import { keptAddress } from './address.ts'
import { id, instant, page, paging, sku } from './common.ts'
import { event } from './event.ts'
import { items as units } from './inventory.ts'
import { operation } from './operation.ts'
import { orderNumber } from './order-number.ts'
import { orderReturn } from './returns.ts'

const app = 'orders'
const sum = z.int().min(0)
const orderParams = z.strictObject({ orderId: id })
/** What a carrier has said of a parcel last; a carrier's word is only ever overtaken by a later one. */
export const parcelStatus = z.enum([
  'shipped',
  'in-transit',
  'out-for-delivery',
  'failed',
  'returned',
  'delivered',
])
export type ParcelStatus = z.infer<typeof parcelStatus>

const carrier = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(40)
  .meta({ examples: ['dhl'] })
const trackingNumber = z
  .string()
  .regex(/^[A-Z0-9]{4,40}$/)
  .meta({ description: 'As the carrier has it, without blanks' })

const shipment = z.object({
  id,
  lines: z.array(z.object({ sku, quantity: z.int() })),
  carrier: z.string(),
  trackingNumber: z.string(),
  status: parcelStatus,
  shippedAt: instant,
  /** When the status was true, by the carrier. */
  statusAt: instant,
})
export type Shipment = z.infer<typeof shipment>

export const refundReason = z.enum(['lines-cancelled', 'goods-returned', 'goodwill'])
export type RefundReason = z.infer<typeof refundReason>

/** Money of an order that goes back; `lines` and `delivery` are what of each it is, gross. */
const refund = z.object({
  id,
  reason: refundReason,
  status: z.enum(['due', 'done', 'refused']),
  amount: sum,
  lines: z.array(z.object({ sku, quantity: z.int(), amount: sum })),
  delivery: sum,
  at: instant,
})
export type Refund = z.infer<typeof refund>

/** ordered = shipped + cancelled + open, of each line and always; what came in exchange is ordered, too. */
const fulfilmentLine = z.object({
  sku,
  ordered: z.int(),
  shipped: z.int(),
  cancelled: z.int(),
  open: z.int(),
})

export const fulfilmentStatus = z.enum(['open', 'partly-shipped', 'shipped', 'delivered', 'cancelled'])
export type FulfilmentStatus = z.infer<typeof fulfilmentStatus>

export const fulfilment = z.object({
  orderId: id,
  number: orderNumber.optional(),
  status: fulfilmentStatus,
  lines: z.array(fulfilmentLine),
  shipments: z.array(shipment),
  refunds: z.array(refund),
  returns: z.array(orderReturn),
  /** What could still be given back. */
  refundable: sum,
})

/** A seller's part of an order: its own lines and parcels, and where they go. */
const sellerOrder = z.object({
  ...fulfilment.omit({ refunds: true, returns: true, refundable: true }).shape,
  placedAt: instant,
  shippingAddress: keptAddress,
})

const problems = { 'orders/not-found': 404, 'orders/not-confirmed': 409 } as const
const tooMany = { ...problems, 'orders/more-than-open': 409, 'orders/too-many-entries': 409 } as const
const parcel = z.strictObject({ lines: units, carrier, trackingNumber })
const parcelExample = {
  body: { lines: [{ sku: 'GAIWAN-WHITE', quantity: 1 }], carrier: 'dhl', trackingNumber: 'JJD000390007882' },
}
const staff = { roles: ['support', 'operator'] } as const

export const getFulfilment = operation({
  app,
  id: 'getFulfilment',
  method: 'GET',
  path: '/v1/orders/{orderId}/fulfilment',
  summary: 'What of one of one’s own orders is sent, cancelled and given back',
  access: 'member',
  status: 200,
  params: orderParams,
  response: fulfilment,
  problems,
})

export const shipOrder = operation({
  app,
  id: 'shipOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/shipments',
  summary: 'Note that a parcel with some of an order’s open units is on its way, of whatever seller',
  access: staff,
  status: 201,
  idempotent: true,
  params: orderParams,
  body: parcel,
  response: fulfilment,
  problems: tooMany,
  example: parcelExample,
})

export const cancelLines = operation({
  app,
  id: 'cancelLines',
  method: 'POST',
  path: '/v1/orders/{orderId}/line-cancellations',
  summary:
    'Cancel units of a paid order that are not sent yet: their money and their share of the delivery go back',
  access: 'member',
  status: 201,
  idempotent: true,
  params: orderParams,
  body: z.strictObject({ lines: units }),
  response: fulfilment,
  problems: tooMany,
  example: { body: { lines: [{ sku: 'GAIWAN-WHITE', quantity: 1 }] } },
})

export const refundOrder = operation({
  app,
  id: 'refundOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/refunds',
  summary: 'Give money of an order back: of units, of the delivery, or any amount; never more than is left',
  access: { roles: ['finance', 'support'] },
  status: 201,
  idempotent: true,
  params: orderParams,
  body: z
    .strictObject({
      lines: units.optional(),
      /** All that is left of it. */
      delivery: z.literal(true).optional(),
      /** Minor units of the order's currency, beside the two. */
      amount: z.int().min(1).optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'of something')
    .meta({ minProperties: 1 }),
  response: fulfilment,
  problems: {
    ...problems,
    'orders/more-than-left': 409,
    'orders/nothing-paid': 409,
    'orders/too-many-entries': 409,
  },
  example: { body: { amount: 500 } },
})

const administration = { roles: ['administrator', 'operator'] } as const

export const addSellerAccount = operation({
  app,
  id: 'addSellerAccount',
  method: 'POST',
  path: '/v1/sellers/{sellerId}/accounts',
  summary:
    'Let an account with the role of a seller see and send what is ordered of this one; again changes nothing',
  access: administration,
  status: 204,
  params: z.strictObject({ sellerId: id }),
  body: z.strictObject({ accountId: id }),
})

export const removeSellerAccount = operation({
  app,
  id: 'removeSellerAccount',
  method: 'DELETE',
  path: '/v1/sellers/{sellerId}/accounts/{accountId}',
  summary: 'Let an account no longer act for a seller',
  access: administration,
  status: 204,
  params: z.strictObject({ sellerId: id, accountId: id }),
})

export const listSellerOrders = operation({
  app,
  id: 'listSellerOrders',
  method: 'GET',
  path: '/v1/seller-orders',
  summary:
    'Confirmed orders with lines of the sellers that the caller acts for, newest first: these lines alone',
  access: { roles: ['seller'] },
  status: 200,
  query: paging.extend({ after: id.optional(), state: z.enum(['open', 'any']).default('open') }),
  response: page(sellerOrder),
})

export const shipSellerOrder = operation({
  app,
  id: 'shipSellerOrder',
  method: 'POST',
  path: '/v1/seller-orders/{orderId}/shipments',
  summary: 'Note that a parcel with some of one’s own open units of an order is on its way',
  access: { roles: ['seller'] },
  status: 201,
  idempotent: true,
  params: orderParams,
  body: parcel,
  response: sellerOrder,
  problems: tooMany,
  example: parcelExample,
})

/** What carriers send: signed by https://www.standardwebhooks.com, with `orders`' secret for that. */
export const parcelNews = z.object({
  trackingNumber,
  status: parcelStatus,
  at: z.iso.datetime({ offset: true }),
})

export const receiveCarrierWebhook = operation({
  app,
  id: 'receiveCarrierWebhook',
  method: 'POST',
  path: '/v1/webhooks/carriers/{carrier}',
  summary:
    'What a carrier tells of a parcel; signed, believed within five minutes; may repeat and come in any order',
  access: 'anyone',
  status: 204,
  raw: true,
  params: z.strictObject({ carrier }),
  problems: { 'orders/bad-signature': 401, 'orders/unreadable-webhook': 422 },
})

export const fulfilmentOperations = [
  getFulfilment,
  shipOrder,
  cancelLines,
  refundOrder,
  addSellerAccount,
  removeSellerAccount,
  listSellerOrders,
  shipSellerOrder,
  receiveCarrierWebhook,
] as const

const exampleId = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
const exampleItems = [{ sku: 'GAIWAN-WHITE', quantity: 1 }]
const items = z.array(z.object({ sku, quantity: z.int() }))
const ofOrder = { orderId: id, accountId: id }
const exampleOrder = { orderId: exampleId, accountId: exampleId }

export const orderShipped = event({
  topic: 'order.shipped',
  publisher: app,
  summary: 'A parcel with some of an order is on its way',
  data: z.object({ ...ofOrder, shipmentId: id, items, carrier: z.string(), trackingNumber: z.string() }),
  key: (data) => data.orderId,
  example: {
    ...{ ...exampleOrder, shipmentId: exampleId, items: exampleItems },
    ...{ carrier: 'dhl', trackingNumber: 'JJD000390007882' },
  },
})

export const orderDelivered = event({
  topic: 'order.delivered',
  publisher: app,
  summary: 'All that was sent of an order has arrived, and nothing is left to send',
  data: z.object(ofOrder),
  key: (data) => data.orderId,
  example: exampleOrder,
})

export const orderItemsReleased = event({
  topic: 'order.items-released',
  publisher: app,
  summary: 'Sold units of an order that can be sold again: never sent, or back in good order',
  data: z.object({ orderId: id, releaseId: id, items }),
  key: (data) => data.orderId,
  example: { orderId: exampleId, releaseId: exampleId, items: exampleItems },
})

export const fulfilmentEvents = [orderShipped, orderDelivered, orderItemsReleased] as const
