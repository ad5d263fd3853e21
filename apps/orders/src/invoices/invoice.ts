import type { Address } from '@caravan/contracts/address'
import { chargeStep } from '@caravan/contracts/price'

/** What EN 16931 tells apart (UNCL 5305): a rate, the rate zero, exempt, exported, or no VAT at all. */
export type TaxCategory = 'S' | 'Z' | 'E' | 'G' | 'O'

export interface Tax {
  readonly category: TaxCategory
  /** As it is shown, such as `VAT 23 %`; why there is none where the category demands a reason (E, G, O). */
  readonly name: string
  /** In millionths of the net amount: 230000 is 23 %. 0 in all categories but S. */
  readonly ratePpm: number
}

export interface Party extends Omit<Address, 'phone'> {
  readonly email?: string | undefined
  /** With the country's prefix, such as `PL5260250274`. */
  readonly vatId?: string | undefined
  /** In the register of companies. */
  readonly registration?: string | undefined
}

/**
 * What one position costs, as it was frozen. Price and discounts are gross or net as the shop's prices are, so what is left of them
 * is `gross` or `net`.
 */
export interface Position {
  readonly price: number
  readonly discounts: readonly { readonly name: string; readonly amount: number }[]
  readonly net: number
  readonly tax: number
  readonly gross: number
  readonly rate: Tax
}

export interface InvoiceLine extends Position {
  readonly sku: string
  readonly title: string
  readonly quantity: number
  /** Absent where what is paid back is no price of one. */
  readonly unitPrice?: number
}

/**
 * An invoice of an order that is paid, or a credit note for what went back of one; amounts of both are positive, in minor units of one
 * currency. They are told, never reckoned again: sums are sums of what is here.
 */
export interface Invoice {
  readonly kind: 'invoice' | 'credit-note'
  readonly number: string
  /** YYYY-MM-DD, as all dates here. */
  readonly issuedOn: string
  readonly order: string
  /** Of a credit note. */
  readonly corrects?: { readonly number: string; readonly issuedOn: string }
  readonly reason?: string
  /** How it was paid. */
  readonly payment?: string
  readonly language: 'en' | 'zh'
  readonly currency: string
  readonly prices: 'gross' | 'net'
  readonly seller: Party
  readonly buyer: Party
  readonly lines: readonly InvoiceLine[]
  readonly delivery?: Position & { readonly name: string }
}

/** Before it is issued. */
export type Unnumbered = Omit<Invoice, 'number' | 'issuedOn'>

export interface TaxSum {
  readonly rate: Tax
  readonly net: number
  readonly tax: number
}

export const sum = (amounts: readonly number[]): number =>
  amounts.reduce((total, amount) => total + amount, 0)

export const discountOf = ({ discounts }: Position): number => sum(discounts.map(({ amount }) => amount))

export const positionsOf = ({ lines, delivery }: Unnumbered): Position[] => [
  ...lines,
  ...(delivery ? [delivery] : []),
]

/** Of all positions, tax by tax in the order in which they come. */
export const totalsOf = (invoice: Unnumbered) => {
  const positions = positionsOf(invoice)
  const taxes = new Map<string, TaxSum>()
  for (const { rate, net, tax } of positions) {
    const key = `${rate.category} ${rate.ratePpm}`
    const before = taxes.get(key) ?? { rate, net: 0, tax: 0 }
    taxes.set(key, { ...before, net: before.net + net, tax: before.tax + tax })
  }
  return {
    net: sum(positions.map(({ net }) => net)),
    tax: sum(positions.map(({ tax }) => tax)),
    gross: sum(positions.map(({ gross }) => gross)),
    taxes: [...taxes.values()],
  }
}

/** What a position would be net without its discounts; only for show, so it is rounded, and what it is more than `net` are they. */
export const netBeforeDiscounts = (position: Position, { prices, currency }: Unnumbered): number => {
  if (prices === 'net' || discountOf(position) === 0) return position.net + discountOf(position)
  const step = chargeStep(currency)
  const steps = Math.round(position.price / (1 + position.rate.ratePpm / 1_000_000) / step)
  return Math.max(steps * step, position.net)
}

/** Where the amounts of an invoice contradict one another; undefined where they do not. */
export const contradiction = (invoice: Unnumbered): string | undefined => {
  if (positionsOf(invoice).length === 0) return 'nothing is on it'
  for (const [index, position] of positionsOf(invoice).entries()) {
    const { price, net, tax, gross, rate } = position
    const left = price - discountOf(position)
    const which = `position ${index + 1}`
    if (
      [price, net, tax, gross, ...position.discounts.map(({ amount }) => amount)].some((each) => !(each >= 0))
    )
      return `${which} has an amount below 0`
    if (net + tax !== gross) return `${which}: net and tax are not gross`
    if (left !== position[invoice.prices]) return `${which}: price less discounts is not ${invoice.prices}`
    if (rate.ratePpm === 0 && tax !== 0) return `${which} has a tax without a rate`
    if ((rate.category === 'S') !== rate.ratePpm > 0) return `${which} has a rate that its category has not`
  }
  const line = invoice.lines.findIndex(
    ({ quantity, unitPrice, price }) => unitPrice !== undefined && quantity * unitPrice !== price,
  )
  if (line >= 0) return `line ${line + 1}: quantity times unit price is not its price`
  return undefined
}
