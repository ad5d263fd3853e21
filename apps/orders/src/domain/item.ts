import type { QuoteLine } from '@caravan/contracts/quotes'

/** What an offer sells, and how many units of it are wanted: one SKU, one item. */
export interface Item
  extends Pick<
    QuoteLine,
    'sku' | 'productId' | 'title' | 'seller' | 'category' | 'taxClass' | 'unitPrice' | 'quantity'
  > {
  /** Of one unit. */
  readonly weightGrams: number
}
