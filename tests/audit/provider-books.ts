import type { Connection } from 'mysql2/promise'
import { fill } from './books.ts'

interface Charge {
  readonly id: string
  readonly reference: string
  readonly status: string
  readonly amount: number
  readonly currency: string
}

interface Refund {
  readonly id: string
  readonly charge: string
  readonly reference: string
  readonly amount: number
}

/** Copies the provider's books into the auditor's tables; each call of `read` goes on from where the last one stopped. */
export const openProviderBooks = (url: string, authorization: string, books: Connection) => {
  const after = { charges: '', refunds: '' }

  const pages = async function* <T extends { readonly id: string }>(list: keyof typeof after) {
    for (;;) {
      const query = new URLSearchParams({ limit: '100', ...(after[list] ? { after: after[list] } : {}) })
      const answer = await fetch(new URL(`/v1/${list}?${query}`, url), {
        headers: { authorization },
        signal: AbortSignal.timeout(10_000),
      })
      if (answer.status !== 200) throw new Error(`the provider answered ${answer.status} for its ${list}`)
      const { data, hasMore } = (await answer.json()) as { data: T[]; hasMore: boolean }
      after[list] = data.at(-1)?.id ?? after[list]
      yield data
      if (!hasMore) return
    }
  }

  return {
    read: async (): Promise<void> => {
      for await (const page of pages<Charge>('charges'))
        await fill(
          books,
          'audit_charges',
          page.map((each) => [each.id, each.reference, each.status, each.amount, each.currency, 0]),
        )
      for await (const page of pages<Refund>('refunds'))
        await fill(
          books,
          'audit_refunds',
          page.map((each) => [each.id, each.charge, each.reference, each.amount]),
        )
      await books.query(
        `UPDATE audit_charges c JOIN (SELECT charge, SUM(amount) AS n FROM audit_refunds GROUP BY charge) AS r ON r.charge = c.id
         SET c.refunded = r.n`,
      )
    },
  }
}
