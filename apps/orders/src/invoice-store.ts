import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import type { Due } from './due-store.ts'
import type { Invoice, Unnumbered } from './invoices/invoice.ts'

/** What is to be numbered: its number and date are given with it. */
export interface Draft extends Due {
  readonly document: Unnumbered
}

export interface Issued extends Due {
  readonly document: Invoice
}

interface Row {
  subject: string
  order_id: string
  document: string
}

const toIssued = ({ subject, order_id, document }: Row): Issued => ({
  ...{ subject, orderId: order_id, document: JSON.parse(document) },
})

/**
 * Numbers of a series follow one another without a gap: a shop's books are asked for the missing ones. Each database of orders has
 * series of its own, by a code that `newCode` gives it once.
 */
export const createInvoiceStore = (db: Database, newCode: () => Promise<number>) => {
  const readCode = async (): Promise<number | null> =>
    (await db('invoicing').where({ id: 1 }).first('code')).code

  const ownCode = async (): Promise<number> => {
    const known = await readCode()
    if (known !== null) return known
    await db('invoicing')
      .where({ id: 1 })
      .whereNull('code')
      .update({ code: await newCode() })
    return (await readCode()) as number
  }

  const today = async (tx: Transaction, calendar: Intl.DateTimeFormat): Promise<string> => {
    const [[{ now }]] = await tx.raw('SELECT NOW(3) AS now')
    return calendar.format(now)
  }

  /**
   * Issues documents of one kind, all or none; those that are there already stay as they are, and none of them is due any more. The row
   * of their series is locked until the transaction ends: of two that issue at once the second waits, and a number is given together
   * with the document that has it, or not at all. The day is the database's, read under that lock, so a higher number has no earlier one.
   */
  const issue = async (drafts: readonly Draft[], timeZone: string): Promise<void> => {
    const [first] = drafts
    if (!first) return
    const code = await ownCode()
    const calendar = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' })
    await transaction(db, async (tx) => {
      const year = (await today(tx, calendar)).slice(0, 4)
      const series = `${first.document.kind === 'invoice' ? '' : 'C-'}${year}-${code}`
      await tx.raw(
        'INSERT INTO invoice_series (series, issued) VALUES (?, 0) ON DUPLICATE KEY UPDATE series = VALUES(series)',
        [series],
      )
      const [[{ issued }]] = await tx.raw('SELECT issued FROM invoice_series WHERE series = ? FOR UPDATE', [
        series,
      ])
      const day = await today(tx, calendar)
      const issuedOn = day.startsWith(year) ? day : `${year}-12-31`
      const subjects = drafts.map(({ subject }) => subject)
      const known = new Set<string>(await tx('invoices').whereIn('subject', subjects).pluck('subject'))
      const wanted = drafts.filter(({ subject }) => !known.has(subject))
      if (wanted.length > 0) {
        await tx('invoices').insert(
          wanted.map(({ subject, orderId, document }, index) => {
            const position = issued + 1 + index
            const number = `${series}-${String(position).padStart(6, '0')}`
            const told = JSON.stringify({ ...document, number, issuedOn })
            return { series, position, subject, order_id: orderId, document: told }
          }),
        )
        await tx.raw('UPDATE invoice_series SET issued = issued + ? WHERE series = ?', [
          wanted.length,
          series,
        ])
      }
      await tx('documents_due').whereIn('subject', subjects).delete()
    })
  }

  const toDue = (row: { subject: string; order_id: string }): Due => ({
    ...{ subject: row.subject, orderId: row.order_id },
  })

  /** The longest waiting first. */
  const due = async (limit: number): Promise<Due[]> =>
    (
      await db('documents_due')
        .where('due_at', '<=', db.raw('NOW(3)'))
        .orderBy('due_at')
        .limit(limit)
        .select('subject', 'order_id')
    ).map(toDue)

  const dueOf = async (orderId: string): Promise<Due[]> =>
    (await db('documents_due').where({ order_id: orderId }).select('subject', 'order_id')).map(toDue)

  const postpone = async (some: readonly Due[], seconds: number): Promise<void> => {
    if (some.length === 0) return
    const subjects = some.map(({ subject }) => subject)
    await db('documents_due')
      .whereIn('subject', subjects)
      .update({ due_at: db.raw('NOW(3) + INTERVAL ? SECOND', [seconds]) })
  }

  /** The invoice of an order and its credit notes, in the order in which they were issued. */
  const ofOrder = async (orderId: string): Promise<Issued[]> =>
    (await db('invoices').where({ order_id: orderId }).orderBy(['issued_at', 'series', 'position'])).map(
      toIssued,
    )

  /** The documents of these subjects that are there, by subject. */
  const ofSubjects = async (subjects: readonly string[]): Promise<Map<string, Invoice>> => {
    const rows: Row[] = await db('invoices').whereIn('subject', [...subjects])
    return new Map(rows.map((row) => [row.subject, toIssued(row).document]))
  }

  return { issue, due, dueOf, postpone, ofOrder, ofSubjects }
}

export type InvoiceStore = ReturnType<typeof createInvoiceStore>
