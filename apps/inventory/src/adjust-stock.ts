import { findSkus } from '@caravan/contracts/catalog'
import type { Stock } from '@caravan/contracts/inventory'
import { AppError } from '@caravan/service-kit/errors'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { Adjustment, StockStore } from './stock-store.ts'

/**
 * Adjusts the stock of a SKU. The first time that something is received of one, catalog is asked whether a product has it: it knows
 * the moment it is written, where an event would still be under way. Throws 404. What was received once may be adjusted for ever.
 */
export const createAdjustStock =
  (stock: Pick<StockStore, 'find' | 'adjust'>, sidecar: Pick<Sidecar, 'call'>) =>
  async (adjustment: Adjustment): Promise<Stock> => {
    const { sku } = adjustment
    if (!(await stock.find(sku))) {
      const { data } = await sidecar.call(findSkus, { query: { skus: sku } })
      if (!data.includes(sku))
        throw new AppError('not-found', 'inventory/sku-not-found', 'No product has this SKU')
    }
    return stock.adjust(adjustment)
  }
