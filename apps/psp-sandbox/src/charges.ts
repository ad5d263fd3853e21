import { z } from 'zod'
import { type Books, newId } from './books.ts'
import { currencies } from './currencies.ts'
import type { WebhookKnobs } from './knobs.ts'
import type { Answer } from './once.ts'
import type { AddEvent } from './outbox.ts'
import { type pageQuery, readPage } from './page.ts'
import type { PaymentMethod } from './payment-methods.ts'
import { describe, Problem } from './problem.ts'
import { text } from './text.ts'

const DISPUTE_AFTER_MS = 1_000

export const chargeRequest = z
  .strictObject({
    /** Minor units by ISO 4217, so whole krónur and shillings (Stripe: hundredths of them). Eight digits are Stripe's limit too. */
    amount: z.int().min(1).max(99_999_999),
    currency: z
      .string()
      .refine((code) => Object.hasOwn(currencies, code), 'must be a currency of ISO 4217, and no fund'),
    paymentMethod: z.string().max(255),
    reference: text(255).min(1),
    description: text(500).optional(),
  })
  // As for Stripe: card networks have two decimals.
  .refine(
    ({ amount, currency }) => (currencies as Record<string, number>)[currency] !== 3 || amount % 10 === 0,
    {
      path: ['amount'],
      message: 'the last of three decimals must be 0',
    },
  )

export type ChargeRow = {
  id: string
  status: 'captured' | 'declined'
  decline_code: string | null
  amount: number
  currency: string
  payment_method: string
  reference: string
  description: string | null
  refunded: number
  disputed_at: number | null
  created_at: string
}
export type Charge = ReturnType<typeof presentCharge>

/** What the outside sees of a charge; `disputed` turns true at its moment. */
export function presentCharge(row: ChargeRow, now = Date.now()) {
  const { id, status, amount, currency, reference, description, refunded } = row
  const disputed = row.disputed_at !== null && row.disputed_at <= now
  const declineCode = row.decline_code
  return {
    id,
    status,
    declineCode,
    amount,
    currency,
    reference,
    description,
    refunded,
    disputed,
    createdAt: row.created_at,
  }
}

export function createCharges(books: Books, addEvent: AddEvent) {
  const insert = books.db.prepare(
    `INSERT INTO charges (id, status, decline_code, amount, currency, payment_method, reference, description,
       disputed_at, idempotency_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
  )
  const select = books.db.prepare('SELECT * FROM charges WHERE id = ?')

  return {
    /** Captures or declines, and announces which. Runs inside the caller's transaction; `key` has had no charge yet. */
    capture(
      request: z.infer<typeof chargeRequest>,
      method: PaymentMethod,
      key: string,
      knobs: WebhookKnobs,
    ): Answer {
      const now = Date.now()
      const { amount, currency, reference, description = null } = request
      const { declineCode, disputed } = method.outcome
      const status = declineCode ? 'declined' : 'captured'
      const disputedAt = disputed ? now + DISPUTE_AFTER_MS : null
      const row = insert.get(
        ...[newId('ch'), status, declineCode, amount, currency, method.id, reference, description],
        ...[disputedAt, key, new Date(now).toISOString()],
      ) as ChargeRow
      const charge = presentCharge(row, now)

      addEvent(`charge.${status}`, { charge }, knobs)
      if (disputedAt)
        addEvent('charge.disputed', { charge: presentCharge(row, disputedAt) }, knobs, disputedAt)
      if (!declineCode) return { status: 201, body: charge }
      const extra = { declineCode, charge: charge.id }
      return {
        status: 402,
        body: describe(new Problem(402, 'card-declined', 'The card was declined', extra)),
      }
    },

    /** Throws 404 for an unknown id. */
    get(id: string): ChargeRow {
      const row = select.get(id) as ChargeRow | undefined
      if (!row) throw new Problem(404, 'charge-not-found', 'No such charge')
      return row
    },

    list(query: z.infer<typeof pageQuery>) {
      const { rows, hasMore } = readPage<ChargeRow>(books, 'charges', query)
      return { data: rows.map((row) => presentCharge(row)), hasMore }
    },
  }
}
