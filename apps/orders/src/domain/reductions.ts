import type { Quote } from '@caravan/contracts/quotes'
import type { Chosen } from './choice.ts'
import type { Priced } from './delivery.ts'
import { cut, cutDelivery, isOfOrder } from './discounts.ts'
import type { Item } from './item.ts'
import { sumOf } from './proportion.ts'

/** What a promotion takes off something. */
export type Share = Pick<Quote['discounts'][number], 'promotionId' | 'amount'>

export const amountOf = (shares: readonly Share[]): number => sumOf(shares.map(({ amount }) => amount))

interface Reduced {
  /** By line. */
  readonly left: readonly number[]
  readonly shares: readonly (readonly Share[])[]
}

/** Takes off what some promotions do, one after another, each of what those before it have left. */
const reduce = (before: readonly number[], items: readonly Item[], chosen: readonly Chosen[], step: number) =>
  chosen.reduce<Reduced>(
    ({ left, shares }, { promotion: { id: promotionId, effect }, about }) => {
      const cuts = cut(effect, items, left, about, step)
      return {
        left: left.map((amount, index) => amount - (cuts[index] as number)),
        shares: shares.map((some, index) => {
          const amount = cuts[index] as number
          return amount === 0 ? some : [...some, { promotionId, amount }]
        }),
      }
    },
    { left: before, shares: before.map(() => []) },
  )

/** First what is taken off each line, then what is taken off the order and shared out among its lines. */
export const reduceGoods = (items: readonly Item[], chosen: readonly Chosen[], step: number) => {
  const subtotals = items.map(({ unitPrice, quantity }) => unitPrice * quantity)
  const [ofOrder = [], ofLines = []] = [true, false].map((last) =>
    chosen.filter(({ promotion }) => isOfOrder(promotion.effect) === last),
  )
  const lines = reduce(subtotals, items, ofLines, step)
  const order = reduce(lines.left, items, ofOrder, step)
  return { subtotals, left: order.left, lineShares: lines.shares, orderShares: order.shares }
}

export interface ReducedDelivery extends Priced {
  readonly shares: readonly Share[]
  readonly left: number
}

export const reduceDelivery = (
  { method, price }: Priced,
  chosen: readonly Chosen[],
  step: number,
): ReducedDelivery => {
  const shares: Share[] = []
  let left = price
  for (const { promotion } of chosen) {
    if (promotion.effect.kind !== 'free-delivery') continue
    const amount = cutDelivery(promotion.effect, left, step)
    if (amount > 0) shares.push({ promotionId: promotion.id, amount })
    left -= amount
  }
  return { method, price, shares, left }
}
