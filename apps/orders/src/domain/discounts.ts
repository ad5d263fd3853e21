import type { Effect } from '@caravan/contracts/promotions'
import type { Item } from './item.ts'
import { proportion, spread, sumOf } from './proportion.ts'

/** An amount for each line. */
export type Amounts = readonly number[]
type Of<K extends Effect['kind']> = Extract<Effect, { kind: K }>
type Goods = readonly Pick<Item, 'unitPrice' | 'quantity'>[]

/** Whether it is taken off the order as a whole, after all that is taken off lines. */
export const isOfOrder = (effect: Effect): boolean => 'of' in effect && effect.of === 'order'

const upTo = (cuts: Amounts, cap: number, step: number): Amounts =>
  sumOf(cuts) <= cap ? cuts : spread(cap, cuts, step)

/**
 * How many units of each item are free. All units stand in a row, the dearest first, of one price in the order of the lines; of each
 * whole group of `buy` and `get` of them the last are free.
 */
const freeUnits = (items: Goods, left: Amounts, { buy, get }: Of<'buy-x-get-y'>): number[] => {
  const group = buy + get
  const row = items
    .map((item, index) => ({ ...item, index }))
    .filter(({ index }) => (left[index] as number) > 0)
    .sort((a, b) => b.unitPrice - a.unitPrice)
  const inGroups = Math.floor(sumOf(row.map(({ quantity }) => quantity)) / group) * group
  const freeAmong = (first: number): number => {
    const units = Math.min(first, inGroups)
    return Math.floor(units / group) * get + Math.max(0, (units % group) - buy)
  }
  const free = items.map(() => 0)
  let before = 0
  for (const { index, quantity } of row) {
    free[index] = freeAmong(before + quantity) - freeAmong(before)
    before += quantity
  }
  return free
}

/**
 * What an effect takes off each line, of what other discounts have left there: 0 where it is not about the line. All amounts are
 * multiples of the step; of a promotion whose own amount is none, the next one counts by which it takes off less.
 */
export const cut = (
  effect: Effect,
  items: Goods,
  leftOfAll: Amounts,
  about: readonly boolean[],
  step: number,
) => {
  const left = leftOfAll.map((amount, index) => (about[index] ? amount : 0))
  const floor = (amount: number | undefined) =>
    amount === undefined ? Number.MAX_SAFE_INTEGER : amount - (amount % step)
  const each = (of: (item: Goods[number], left: number, index: number) => number): Amounts =>
    left.map((amount, index) =>
      amount === 0 ? 0 : Math.max(0, Math.min(amount, of(items[index] as Goods[number], amount, index))),
    )
  switch (effect.kind) {
    case 'percent': {
      const whole = sumOf(left)
      if (effect.of === 'order')
        return spread(
          Math.min(proportion(whole, effect.basisPoints, 10_000, step), floor(effect.cap)),
          left,
          step,
        )
      const cuts = each((_, amount) => proportion(amount, effect.basisPoints, 10_000, step))
      return upTo(cuts, floor(effect.cap), step)
    }
    case 'amount':
      if (effect.of === 'order') return spread(Math.min(sumOf(left), floor(effect.amount)), left, step)
      return each(({ quantity }) => floor(effect.amount) * quantity)
    case 'fixed-price':
      return each(({ quantity }, amount) => amount - floor(effect.unitPrice + step - 1) * quantity)
    case 'buy-x-get-y': {
      const free = freeUnits(items, left, effect)
      return each(({ quantity }, amount, index) => proportion(amount, free[index] as number, quantity, step))
    }
    case 'free-delivery':
      return left.map(() => 0)
  }
}

/** What a free delivery takes off what is left of the delivery's price. */
export const cutDelivery = ({ cap }: Of<'free-delivery'>, left: number, step: number): number =>
  cap === undefined ? left : Math.min(left, cap - (cap % step))
