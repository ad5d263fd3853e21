import { z } from 'zod'
import { currencies } from './currencies.ts'

type Currency = keyof typeof currencies
const codes = Object.keys(currencies) as Currency[]
const thousandths = codes.filter((code) => currencies[code] === 3)
const others = codes.filter((code) => currencies[code] !== 3)

/** How many decimals the minor unit of a currency is. Of one that ISO has withdrawn: two, as most have. */
export const decimalsOf = (currency: string): number => (currencies as Record<string, number>)[currency] ?? 2

/**
 * What the card provider takes in one charge, in minor units. Card networks have two decimals, so of a currency of three the
 * last is 0.
 */
export const smallestCharge = 1
export const largestCharge = 99_999_999
const step = 10

/** What each sum is a multiple of that a card is charged with or gets back, in minor units. */
export const chargeStep = (currency: string): number => (decimalsOf(currency) === 3 ? step : 1)

/** Why the provider would take no charge of this sum; undefined where it would. */
export const chargeFault = ({ amount, currency }: { amount: number; currency: string }) => {
  const decimals = (currencies as Record<string, number>)[currency]
  if (decimals === undefined) return `nobody can pay in ${currency}`
  if (amount < smallestCharge) return `at least ${smallestCharge} can be charged`
  if (amount > largestCharge) return `at most ${largestCharge} can be charged`
  if (amount % chargeStep(currency) !== 0) return `of ${currency} the last decimal is 0`
  return undefined
}

const amount = z.int().min(smallestCharge).max(largestCharge)
const oneOf = (some: Currency[]) => z.enum(some as [Currency, ...Currency[]])

/** What something may cost: it can be paid by card, and so can any sum of such prices up to the largest charge. */
export const price = z
  .discriminatedUnion(
    'currency',
    [
      z.strictObject({ amount, currency: oneOf(others) }),
      z.strictObject({ amount: amount.multipleOf(step), currency: oneOf(thousandths) }),
    ],
    {
      error: ({ code }) =>
        code === 'invalid_union' ? 'not a currency of ISO 4217 that something may cost' : undefined,
    },
  )
  .meta({ description: 'In minor units of an ISO 4217 currency: 1999 USD is $19.99, 1999 JPY is ¥1999' })
