import type { Items } from '@caravan/contracts/inventory'

/** One entry a SKU, quantities added up, sorted by SKU: the order in which rows are locked. */
export const sumBySku = (items: Items): Items => {
  const sums = new Map<string, number>()
  for (const { sku, quantity } of items) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  return [...sums].map(([sku, quantity]) => ({ sku, quantity })).sort((a, b) => (a.sku < b.sku ? -1 : 1))
}
