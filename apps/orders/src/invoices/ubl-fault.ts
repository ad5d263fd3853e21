import { decimalsOf } from '@caravan/contracts/price'
import { netBeforeDiscounts, positionsOf, type Tax, totalsOf, type Unnumbered } from './invoice.ts'

/** A hundredth of a currency is all that the norm writes (BR-DEC): of three decimals the last has to be 0. */
export const mostDecimals = 2

/** What this amount is in hundredths, rounded half up. */
const hundredths = (numerator: bigint, digits: number): bigint => {
  const divisor = 10n ** BigInt(digits)
  return (2n * 100n * numerator + divisor) / (2n * divisor)
}

/**
 * Whether a tax is the rate of its net amount to less than one of the currency, as BR-CO-17 and BR-S-09 are published; of a rate below
 * half a percent, which is rounded to none there, less than half of one.
 */
const isNear = (net: number, tax: number, { ratePpm }: Tax, digits: number): boolean => {
  const reckoned = hundredths(BigInt(net) * BigInt(ratePpm), digits + 6)
  const told = hundredths(BigInt(tax), digits)
  if (ratePpm < 5000 && told >= 50n) return false
  return told - 100n < reckoned && reckoned < told + 100n
}

/**
 * Why EN 16931 cannot say what this document says; undefined where it can. Amounts are frozen when an order is placed and may be in any
 * currency and rounded by line, so a few documents have no such form: they are told by their PDF alone.
 */
export const ublFault = (invoice: Unnumbered): string | undefined => {
  const { seller, currency } = invoice
  const digits = decimalsOf(currency)
  const { taxes } = totalsOf(invoice)
  const untaxed = taxes.filter(({ rate }) => rate.category === 'O')
  if (untaxed.length > 0 && taxes.length > 1)
    return 'what is outside of VAT stands beside what is not (BR-O-11)'
  if (untaxed.length === 0 && !seller.vatId) return 'the seller has no VAT id (BR-S-02)'
  if (untaxed.length > 0 && !seller.registration)
    return 'the seller has no id but for VAT (BR-CO-26, BR-O-02)'
  const step = 10 ** Math.max(0, digits - mostDecimals)
  const amounts = positionsOf(invoice).flatMap((position) => [
    ...[position.net, position.tax, netBeforeDiscounts(position, invoice)],
  ])
  if (amounts.some((amount) => amount % step !== 0))
    return `an amount in ${currency} has three decimals (BR-DEC)`
  const far = taxes.find(({ net, tax, rate }) => !isNear(net, tax, rate, digits))
  if (far) return `the tax at ${far.rate.ratePpm / 10_000} % is not what it is of the sum (BR-CO-17)`
  return undefined
}
