import type { Market, TaxZone } from '@caravan/contracts/pricing'
import { proportion, spread, sumOf } from './proportion.ts'

export type TaxRate = Pick<TaxZone['rates'][number], 'name' | 'ratePpm'>

/** The rate of a class in a zone, without its class; none where there is no zone. */
export const rateOf = (zone: TaxZone | undefined, taxClass: string): TaxRate | undefined => {
  const rate =
    zone?.rates.find((each) => each.taxClass === taxClass) ??
    zone?.rates.find((each) => each.taxClass === 'standard')
  return rate && { name: rate.name, ratePpm: rate.ratePpm }
}

/** What is taxed: a line or the delivery, at its price after discounts. */
export interface Taxed {
  readonly price: number
  readonly taxRate?: TaxRate | undefined
}

export interface Paid {
  readonly net: number
  readonly tax: number
  readonly gross: number
}

const million = 1_000_000
/** Of two rates with the same name and height there is one. */
const identityOf = ({ taxRate }: Taxed): string =>
  taxRate ? `${taxRate.ratePpm} ${taxRate.name.en} / ${taxRate.name.zh}` : ''

/**
 * What is paid for each part: its price holds the tax, or the tax comes on top. Either each part's tax is rounded, or that of all parts
 * of a rate together, and shared out among them by their prices.
 */
export const withTaxes = (
  parts: readonly Taxed[],
  { prices, rounding }: Pick<Market, 'prices' | 'rounding'>,
  step: number,
): Paid[] => {
  const taxOf = (price: number, { ratePpm }: TaxRate): number =>
    proportion(price, ratePpm, prices === 'net' ? million : million + ratePpm, step)
  const taxes = parts.map(() => 0)
  const indexed = parts.map((part, index) => ({ ...part, index }))
  for (const some of Map.groupBy(indexed, identityOf).values()) {
    const rate = some[0]?.taxRate
    if (!rate) continue
    const each = some.map(({ price }) => price)
    const shares =
      rounding === 'line'
        ? each.map((price) => taxOf(price, rate))
        : spread(taxOf(sumOf(each), rate), each, step)
    for (const [place, { index }] of some.entries()) taxes[index] = shares[place] as number
  }
  return parts.map(({ price }, index) => {
    const tax = taxes[index] as number
    return prices === 'net'
      ? { net: price, tax, gross: price + tax }
      : { net: price - tax, tax, gross: price }
  })
}

/** By rate, in the order in which they come: what was taxed, and how much tax that is. */
export const byRate = (parts: readonly (Paid & Taxed)[]): (TaxRate & Pick<Paid, 'net' | 'tax'>)[] =>
  [...Map.groupBy(parts, identityOf).values()].flatMap((some) => {
    const rate = some[0]?.taxRate
    return rate
      ? [{ ...rate, net: sumOf(some.map(({ net }) => net)), tax: sumOf(some.map(({ tax }) => tax)) }]
      : []
  })
