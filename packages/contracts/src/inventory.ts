import { z } from 'zod'
import { id, sku, skus } from './common.ts'
import { event } from './event.ts'
import { line } from './line.ts'
import { operation } from './operation.ts'

const app = 'inventory'

/** Of one SKU, in a line or in all lines of an order. */
export const maxQuantity = 1000
export const quantity = z.int().min(1).max(maxQuantity)
export const items = z.array(z.strictObject({ sku, quantity })).min(1).max(100)
export type Items = z.infer<typeof items>

export const shortage = z.object({ sku, requested: z.int(), available: z.int() })
export type Shortage = z.infer<typeof shortage>

/** received = available + reserved + sold, always. */
export const stock = z.object({
  sku,
  received: z.int(),
  available: z.int(),
  reserved: z.int(),
  sold: z.int(),
})
export type Stock = z.infer<typeof stock>

export const getAvailability = operation({
  app,
  id: 'getAvailability',
  method: 'GET',
  path: '/v1/availability',
  summary: 'How many of each SKU can be ordered now; unknown SKUs are left out',
  access: 'anyone',
  status: 200,
  query: z.strictObject({ skus }),
  response: z.object({ data: z.array(z.object({ sku, available: z.int() })) }),
})

export const getStock = operation({
  app,
  id: 'getStock',
  method: 'GET',
  path: '/v1/stock/{sku}',
  summary: 'The whole stock record of a SKU',
  access: { roles: ['support', 'seller', 'catalogue-manager'] },
  status: 200,
  params: z.strictObject({ sku }),
  response: stock,
  problems: { 'inventory/sku-not-found': 404 },
})

export const adjustStock = operation({
  app,
  id: 'adjustStock',
  method: 'PUT',
  path: '/v1/stock/{sku}/adjustments/{adjustmentId}',
  summary: 'Receive or write off stock of a product’s SKU; the same adjustment id counts once, for ever',
  access: { roles: ['operator'] },
  status: 200,
  params: z.strictObject({ sku, adjustmentId: id }),
  body: z.strictObject({
    delta: z
      .int()
      .min(-1_000_000)
      .max(1_000_000)
      .refine((n) => n !== 0, 'must not be 0')
      .meta({ not: { const: 0 } }),
    reason: line(200),
  }),
  response: stock,
  problems: {
    'inventory/sku-not-found': 404,
    'inventory/adjustment-reused': 409,
    'inventory/insufficient-stock': 409,
  },
})

/**
 * Refusals are outcomes, not 4xx: a sidecar's circuit breaker counts a 4xx as a failure, and a sold-out SKU must
 * not open the breaker for the others.
 */
export const reserve = operation({
  app,
  id: 'reserve',
  method: 'POST',
  path: '/v1/reservations',
  summary: 'Reserve all items of an order, or none; repeating it for the same order changes nothing',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ orderId: id, items, ttlSeconds: z.int().min(1).max(604_800) }),
  response: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('reserved') }),
    z.object({ outcome: z.literal('insufficient-stock'), shortages: z.array(shortage) }),
    // The order was abandoned or cancelled before this call came: nothing is reserved for it any more.
    z.object({ outcome: z.literal('closed') }),
  ]),
})

export const sellReserved = operation({
  app,
  id: 'sellReserved',
  method: 'POST',
  path: '/v1/sales',
  summary:
    'Sell the stock of paid orders whose events may be lost; what came of an order is the same for ever',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ orders: z.array(z.strictObject({ orderId: id, items })).max(10) }),
  response: z.object({
    data: z.array(
      z.discriminatedUnion('outcome', [
        z.object({ orderId: id, outcome: z.literal('fulfilled') }),
        z.object({ orderId: id, outcome: z.literal('failed'), shortages: z.array(shortage) }),
      ]),
    ),
  }),
})

export const sellUnits = operation({
  app,
  id: 'sellUnits',
  method: 'POST',
  path: '/v1/unit-sales',
  summary:
    'Sell further units of an order from what is available, all or none; a sale that was made is made once',
  access: { apps: ['orders'] },
  status: 200,
  body: z.strictObject({ saleId: id, orderId: id, items }),
  response: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('sold') }),
    z.object({ outcome: z.literal('insufficient-stock'), shortages: z.array(shortage) }),
  ]),
})

export const inventoryOperations = [
  getAvailability,
  getStock,
  adjustStock,
  reserve,
  sellReserved,
  sellUnits,
] as const

export const reservationFulfilled = event({
  topic: 'reservation.fulfilled',
  publisher: app,
  summary: 'The reserved stock of a paid order is sold',
  data: z.object({ orderId: id }),
  key: (data) => data.orderId,
  example: { orderId: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6' },
})

export const reservationFailed = event({
  topic: 'reservation.failed',
  publisher: app,
  summary: 'A paid order’s reservation had lapsed and the stock is gone; the money must go back',
  data: z.object({ orderId: id, shortages: z.array(shortage) }),
  key: (data) => data.orderId,
  example: {
    orderId: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
    shortages: [{ sku: 'GAIWAN-WHITE', requested: 2, available: 1 }],
  },
})

export const inventoryEvents = [reservationFulfilled, reservationFailed] as const
