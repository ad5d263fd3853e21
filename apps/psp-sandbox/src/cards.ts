import { z } from 'zod'

export type Outcome = { declineCode: string | null; disputed: boolean }

const approved: Outcome = { declineCode: null, disputed: false }
const declined = (declineCode: string): Outcome => ({ declineCode, disputed: false })

// Numbers, meanings and decline codes are Stripe's: https://docs.stripe.com/testing
const testCards = new Map<string, Outcome>([
  ['4242424242424242', approved],
  ['5555555555554444', approved],
  ['4000000000000259', { declineCode: null, disputed: true }],
  ['4000000000000002', declined('generic_decline')],
  ['4000000000009995', declined('insufficient_funds')],
  ['4000000000000069', declined('expired_card')],
  ['4000000000000127', declined('incorrect_cvc')],
  ['4000000000000119', declined('processing_error')],
])

/** What a charge on this number will meet. A number that is not a test card may be a real one: it is declined. */
export function outcomeOf(number: string): Outcome {
  return testCards.get(number) ?? declined('test_mode_live_card')
}

export function brandOf(number: string): string {
  if (number.startsWith('4')) return 'visa'
  if (/^3[47]/.test(number)) return 'amex'
  if (/^(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720))/.test(number)) return 'mastercard'
  return 'unknown'
}

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(number: string): boolean {
  const sum = [...number].reverse().reduce((total, digit, place) => {
    const weighted = Number(digit) * (place % 2 === 0 ? 1 : 2)
    return total + (weighted > 9 ? weighted - 9 : weighted)
  }, 0)
  return sum % 10 === 0
}

/** A card is good to the end of its month. */
function notExpired({ expMonth, expYear }: { expMonth: number; expYear: number }): boolean {
  const now = new Date()
  return expYear * 12 + expMonth > now.getUTCFullYear() * 12 + now.getUTCMonth()
}

export const card = z
  .strictObject({
    number: z
      .string()
      .regex(/^\d{12,19}$/, 'must be 12 to 19 digits')
      .refine(passesLuhn, 'fails the Luhn check'),
    expMonth: z.int().min(1).max(12),
    expYear: z.int().min(2000).max(2099),
    cvc: z.string().regex(/^\d{3,4}$/, 'must be 3 or 4 digits'),
  })
  .refine(notExpired, { path: ['expYear'], message: 'the card has expired' })
