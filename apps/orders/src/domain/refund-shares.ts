import { chargeStep } from '@caravan/contracts/price'
import type { Quote } from '@caravan/contracts/quotes'
import { proportion, spread, sumOf } from './proportion.ts'

/** Money of a line or of the delivery: `gross` is `net` and `tax`. */
export interface Sums {
  readonly discount: number
  readonly net: number
  readonly tax: number
  readonly gross: number
}

export interface LineSums extends Sums {
  readonly sku: string
  readonly quantity: number
}

/** Of an order: what is left to give back of it, or a part of that. */
export interface Shares {
  readonly currency: string
  readonly lines: readonly LineSums[]
  readonly delivery: Sums
}

export interface Taken {
  readonly part: Shares
  readonly left: Shares
}

const nothing: Sums = { discount: 0, net: 0, tax: 0, gross: 0 }

export const grossOf = ({ lines, delivery }: Shares): number =>
  sumOf(lines.map(({ gross }) => gross)) + delivery.gross

/** All of it, as it was paid. */
export const wholeOf = ({ currency, lines, delivery }: Quote): Shares => {
  const off = (shares: readonly { readonly amount: number }[]) => sumOf(shares.map(({ amount }) => amount))
  return {
    currency,
    lines: lines.map(({ sku, quantity, lineDiscounts, orderDiscounts, net, tax, gross }) => ({
      ...{ sku, quantity, discount: off(lineDiscounts) + off(orderDiscounts), net, tax, gross },
    })),
    delivery: delivery ? { ...nothing, discount: off(delivery.discounts), ...sums(delivery) } : nothing,
  }
}

const sums = ({ net, tax, gross }: Pick<Sums, 'net' | 'tax' | 'gross'>) => ({ net, tax, gross })

/** `some` of `all` of a thing: each sum in proportion, and all that is left of it with the last. */
const partOf = (left: Sums, some: number, all: number, step: number): Sums => {
  if (some === 0) return nothing
  const of = (amount: number) => proportion(amount, some, all, step)
  const [tax, gross] = [of(left.tax), of(left.gross)]
  return { discount: of(left.discount), net: gross - tax, tax, gross }
}

const minus = (left: Sums, part: Sums): Sums => ({
  discount: left.discount - part.discount,
  net: left.net - part.net,
  tax: left.tax - part.tax,
  gross: left.gross - part.gross,
})

const plus = (some: Sums, more: Sums): Sums => ({
  discount: some.discount + more.discount,
  net: some.net + more.net,
  tax: some.tax + more.tax,
  gross: some.gross + more.gross,
})

/** Parts of one order as one: the first, and what is taken beside it. */
export const together = (part: Shares, ...more: readonly Shares[]): Shares => more.reduce(restored, part)

/** With a part of it added, to which lines that came since are nothing. */
export const restored = (left: Shares, part: Shares): Shares => ({
  ...left,
  lines: left.lines.map((line, index) => {
    const more = part.lines[index]
    return more ? { ...line, ...plus(line, more), quantity: line.quantity + more.quantity } : line
  }),
  delivery: plus(left.delivery, part.delivery),
})

const without = (left: Shares, part: Shares): Shares => ({
  ...left,
  lines: left.lines.map((line, index) => {
    const taken = part.lines[index] as LineSums
    return { ...line, ...minus(line, taken), quantity: line.quantity - taken.quantity }
  }),
  delivery: minus(left.delivery, part.delivery),
})

const take = (left: Shares, part: Omit<Shares, 'currency'>): Taken => {
  const whole = { currency: left.currency, ...part }
  return { part: whole, left: without(left, whole) }
}

/**
 * Units of some lines with their shares of discount and tax, and their share of the delivery when asked for. What is taken is rounded
 * once, of what is left: whatever was taken before and however it is divided, the last takes exactly the rest. Throws RangeError for
 * more units than are left, and for what is no line.
 */
export const takeUnits = (
  left: Shares,
  quantities: ReadonlyMap<string, number>,
  { withDelivery = false } = {},
): Taken => {
  const step = chargeStep(left.currency)
  const skus = new Set(left.lines.map(({ sku }) => sku))
  for (const sku of quantities.keys()) if (!skus.has(sku)) throw new RangeError(`no ${sku}`)
  const lines = left.lines.map((line) => {
    const quantity = quantities.get(line.sku) ?? 0
    if (quantity > line.quantity) throw new RangeError(`${quantity} of ${line.quantity} ${line.sku}`)
    return { sku: line.sku, quantity, ...partOf(line, quantity, line.quantity, step) }
  })
  const weigh = (some: readonly LineSums[]) => {
    const isFree = grossOf({ ...left, delivery: nothing }) === 0
    return sumOf(some.map(({ quantity, gross }) => (isFree ? quantity : gross)))
  }
  const isAll = lines.every(({ quantity }, index) => quantity === left.lines[index]?.quantity)
  const [some, all] = isAll ? [1, 1] : [weigh(lines), weigh(left.lines)]
  const delivery = withDelivery ? partOf(left.delivery, some, all, step) : nothing
  return take(left, { lines, delivery })
}

/** What is left of the delivery. */
export const takeDelivery = (left: Shares): Taken =>
  take(left, {
    lines: left.lines.map(({ sku }) => ({ sku, quantity: 0, ...nothing })),
    delivery: left.delivery,
  })

/**
 * An amount, divided among lines and delivery by what is left of each, and no units. Throws RangeError for more than is left, and for
 * what no card can be given back.
 */
export const takeAmount = (left: Shares, amount: number): Taken => {
  const step = chargeStep(left.currency)
  const weights = [...left.lines.map(({ gross }) => gross), left.delivery.gross]
  if (amount > sumOf(weights) || amount % step !== 0) throw new RangeError(`${amount} of ${sumOf(weights)}`)
  const grosses = spread(amount, weights, step)
  const of = (sums: Sums, gross: number): Sums => {
    if (gross === 0) return nothing
    const tax = proportion(sums.tax, gross, sums.gross, step)
    return { discount: 0, net: gross - tax, tax, gross }
  }
  return take(left, {
    lines: left.lines.map((line, index) => ({
      ...{ sku: line.sku, quantity: 0 },
      ...of(line, grosses[index] as number),
    })),
    delivery: of(left.delivery, grosses.at(-1) as number),
  })
}

/** So much of what was taken is put back, as units of a SKU that takes the place of others. */
export const putBack = (
  { part, left }: Taken,
  { sku, quantity }: Pick<LineSums, 'sku' | 'quantity'>,
  amount: number,
): Taken => {
  const kept = takeAmount(part, amount)
  const sums = [...kept.part.lines, kept.part.delivery].reduce<Sums>(plus, nothing)
  const known = left.lines.some((line) => line.sku === sku)
  const lines = known ? left.lines : [...left.lines, { sku, quantity: 0, ...nothing }]
  return {
    part: kept.left,
    left: {
      ...left,
      lines: lines.map((line) =>
        line.sku === sku ? { sku, quantity: line.quantity + quantity, ...plus(line, sums) } : line,
      ),
    },
  }
}
