import {
  adjustStock,
  getAvailability,
  getStock,
  reserve,
  sellReserved,
  sellUnits,
} from '@caravan/contracts/inventory'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import type { createAdjustStock } from './adjust-stock.ts'
import type { StockStore } from './stock-store.ts'

export const routes = (stock: StockStore, adjust: ReturnType<typeof createAdjustStock>): Route[] => [
  route(getAvailability, async ({ query }) => ({ data: await stock.availability(query.skus) })),

  route(getStock, async ({ params }) => {
    const found = await stock.find(params.sku)
    if (!found)
      throw new AppError('not-found', 'inventory/sku-not-found', 'No stock was ever received for this SKU')
    return found
  }),

  route(adjustStock, ({ params, body, caller }) =>
    adjust({ id: params.adjustmentId, sku: params.sku, ...body, adjustedBy: caller.id }),
  ),

  route(reserve, ({ body }) => stock.reserve(body.orderId, body.items, body.ttlSeconds)),

  route(sellUnits, ({ body: { saleId, orderId, items } }) => stock.sellUnits({ id: saleId, orderId, items })),

  route(sellReserved, async ({ body }) => ({ data: await stock.sellNow(body.orders) })),
]
