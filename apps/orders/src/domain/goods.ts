import { maxQuantity } from '@caravan/contracts/inventory'
import { AppError } from '@caravan/service-kit/errors'
import type { Item } from './item.ts'

/** What is on the shelf at what price. */
export interface Offer extends Omit<Item, 'quantity'> {
  readonly currency: string
}

export interface Wanted {
  readonly sku: string
  readonly quantity: number
}

export interface Goods {
  /** One a SKU, in the order in which they were asked for first. */
  readonly items: readonly Item[]
  readonly currency: string
}

/** Throws 422 for SKUs that are not on the shelf, for more than one currency, and for more of a SKU than an order may have. */
export const goodsOf = (wanted: readonly Wanted[], offers: ReadonlyMap<string, Offer>): Goods => {
  const unknown = wanted.flatMap(({ sku }, index) =>
    offers.has(sku) ? [] : [{ pointer: `/items/${index}/sku`, detail: 'not on the shelf' }],
  )
  if (unknown.length > 0)
    throw new AppError('invalid', 'orders/unknown-sku', 'Some SKUs are not on the shelf', { errors: unknown })

  const items = new Map<string, Item>()
  const currencies = new Set<string>()
  for (const { sku, quantity } of wanted) {
    const { currency, ...offer } = offers.get(sku) as Offer
    currencies.add(currency)
    items.set(sku, { ...offer, quantity: quantity + (items.get(sku)?.quantity ?? 0) })
  }
  const [currency, another] = currencies
  if (another !== undefined)
    throw new AppError('invalid', 'orders/mixed-currencies', 'An order has one currency')
  const excessive = wanted.flatMap(({ sku }, index) =>
    (items.get(sku)?.quantity ?? 0) > maxQuantity
      ? [{ pointer: `/items/${index}/quantity`, detail: `at most ${maxQuantity} of a SKU in an order` }]
      : [],
  )
  if (excessive.length > 0)
    throw new AppError('invalid', 'orders/too-many', 'More of a SKU than an order may have', {
      errors: excessive,
    })
  return { items: [...items.values()], currency: currency as string }
}
