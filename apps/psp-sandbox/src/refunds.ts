import { z } from 'zod'
import { type Books, newId } from './books.ts'
import { type ChargeRow, presentCharge } from './charges.ts'
import type { WebhookKnobs } from './knobs.ts'
import type { Answer } from './once.ts'
import type { AddEvent } from './outbox.ts'
import { pageQuery, readPage } from './page.ts'
import { describe, Problem } from './problem.ts'
import { text } from './text.ts'

export const refundRequest = z.strictObject({
  charge: z.string().max(64),
  amount: z.int().min(1).max(99_999_999),
  reference: text(255).min(1),
})
export const refundQuery = pageQuery.extend({ charge: z.string().max(64).optional() })

type RefundRow = {
  id: string
  charge: string
  amount: number
  currency: string
  reference: string
  created_at: string
}
export type Refund = ReturnType<typeof presentRefund>

function presentRefund({ id, charge, amount, currency, reference, created_at }: RefundRow) {
  return { id, charge, status: 'succeeded', amount, currency, reference, createdAt: created_at }
}

export function createRefunds(books: Books, addEvent: AddEvent) {
  // The condition is the rule: what goes back in total never passes what was captured.
  const giveBack = books.db.prepare(
    `UPDATE charges SET refunded = refunded + :amount
     WHERE id = :charge AND status = 'captured' AND refunded + :amount <= amount RETURNING *`,
  )
  const insert = books.db.prepare(
    `INSERT INTO refunds (id, charge, amount, currency, reference, idempotency_key, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`,
  )
  const select = books.db.prepare('SELECT * FROM refunds WHERE id = ?')

  return {
    /** Gives back part of a charge, or answers 409 with what is still refundable. Runs inside the caller's transaction. */
    refund(
      request: z.infer<typeof refundRequest>,
      before: ChargeRow,
      key: string,
      knobs: WebhookKnobs,
    ): Answer {
      const { charge, amount, reference } = request
      const after = giveBack.get({ charge, amount }) as ChargeRow | undefined
      if (!after) {
        const refundable = before.status === 'captured' ? before.amount - before.refunded : 0
        const problem = new Problem(409, 'refund-exceeds-charge', 'More than is left of the charge', {
          refundable,
        })
        return { status: 409, body: describe(problem) }
      }
      const now = new Date().toISOString()
      const row = insert.get(newId('re'), charge, amount, after.currency, reference, key, now) as RefundRow
      addEvent('charge.refunded', { charge: presentCharge(after), refund: presentRefund(row) }, knobs)
      return { status: 201, body: presentRefund(row) }
    },

    /** Throws 404 for an unknown id. */
    get(id: string): Refund {
      const row = select.get(id) as RefundRow | undefined
      if (!row) throw new Problem(404, 'refund-not-found', 'No such refund')
      return presentRefund(row)
    },

    list(query: z.infer<typeof refundQuery>) {
      const { rows, hasMore } = readPage<RefundRow>(books, 'refunds', query)
      return { data: rows.map(presentRefund), hasMore }
    },
  }
}
