import type { DeliveryMethod } from '@caravan/contracts/pricing'
import type { Item } from './item.ts'
import { sumOf } from './proportion.ts'

export interface Priced {
  readonly method: DeliveryMethod
  readonly price: number
}

/** Those methods that carry these goods, with their prices. `total` is what the goods cost after discounts. */
export const carrying = (
  methods: readonly DeliveryMethod[],
  items: readonly Item[],
  total: number,
): Priced[] => {
  const grams = sumOf(items.map(({ weightGrams, quantity }) => weightGrams * quantity))
  const measured = { weight: grams, total, items: sumOf(items.map(({ quantity }) => quantity)) }
  return methods.flatMap((method) => {
    const { by, brackets, freeFrom, mostGrams, exceptCategories: except } = method
    if (grams > (mostGrams ?? Infinity)) return []
    if (except && items.some(({ category }) => except.includes(category ?? ''))) return []
    const [bracket] = brackets
      .filter(({ upTo }) => measured[by] <= (upTo ?? Infinity))
      .sort((a, b) => (a.upTo ?? Infinity) - (b.upTo ?? Infinity))
    if (!bracket) return []
    return [{ method, price: total >= (freeFrom ?? Infinity) ? 0 : bracket.price }]
  })
}
