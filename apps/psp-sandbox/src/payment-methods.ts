import { z } from 'zod'
import { type Books, newId } from './books.ts'
import { brandOf, card, type Outcome, outcomeOf } from './cards.ts'
import { type SomeKnobs, someKnobs } from './knobs.ts'
import { Problem } from './problem.ts'

export const paymentMethodRequest = z.strictObject({ card, sandbox: someKnobs.default({}) })

export type PaymentMethod = { id: string; outcome: Outcome; knobs: SomeKnobs }

type Row = { id: string; decline_code: string | null; disputed: number; knobs: string }

export function createPaymentMethods({ db }: Books) {
  const insert = db.prepare('INSERT INTO payment_methods VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const select = db.prepare('SELECT id, decline_code, disputed, knobs FROM payment_methods WHERE id = ?')

  return {
    /** Trades a card for a token. Of the number only the last four digits and its outcome are kept; of the cvc nothing. */
    tokenise({ card, sandbox }: z.infer<typeof paymentMethodRequest>) {
      const { number, expMonth, expYear } = card
      const method = { id: newId('pm'), brand: brandOf(number), last4: number.slice(-4), expMonth, expYear }
      const { declineCode, disputed } = outcomeOf(number)
      const knobs = JSON.stringify(sandbox)
      insert.run(
        method.id,
        method.brand,
        method.last4,
        expMonth,
        expYear,
        declineCode,
        Number(disputed),
        knobs,
      )
      return method
    },

    /** Throws 404 for an unknown token. */
    get(id: string): PaymentMethod {
      const row = select.get(id) as Row | undefined
      if (!row) throw new Problem(404, 'payment-method-not-found', 'No such payment method')
      const outcome = { declineCode: row.decline_code, disputed: row.disputed === 1 }
      return { id: row.id, outcome, knobs: JSON.parse(row.knobs) }
    },
  }
}
