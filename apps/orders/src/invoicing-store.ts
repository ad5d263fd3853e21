import { isDeepStrictEqual } from 'node:util'
import { type Invoicing, type InvoicingContent, invoicingContent } from '@caravan/contracts/invoices'
import { type Database, transaction } from '@caravan/service-kit/database'
import type { Precondition } from '@caravan/service-kit/precondition'

interface Row {
  version: number
  content: string
  updated_at: Date | null
}

const present = ({ version, content, updated_at }: Row): Invoicing => ({
  ...(JSON.parse(content) as InvoicingContent),
  version,
  ...(updated_at ? { updatedAt: updated_at.toISOString() } : {}),
})

/** The one document of what invoices say of the seller. */
export const createInvoicingStore = (db: Database) => {
  const get = async (): Promise<Invoicing> => present(await db('invoicing').where({ id: 1 }).first())

  /** Replaces it. The same content again changes nothing. Throws 412. */
  const put = (content: InvoicingContent, precondition: Precondition): Promise<Invoicing> =>
    transaction(db, async (tx) => {
      const row: Row = await tx('invoicing').where({ id: 1 }).forUpdate().first()
      const current = present(row)
      precondition(current)
      if (isDeepStrictEqual(invoicingContent.strip().parse(current), content)) return current
      const next: Row = {
        version: row.version + 1,
        content: JSON.stringify(content),
        updated_at: new Date(),
      }
      await tx('invoicing').where({ id: 1 }).update(next)
      return present(next)
    })

  /** One that no database of orders has yet. */
  const newCode = (): Promise<number> =>
    transaction(db, async (tx) => {
      const { codes_given: given } = await tx('invoicing').where({ id: 1 }).forUpdate().first('codes_given')
      await tx('invoicing')
        .where({ id: 1 })
        .update({ codes_given: given + 1 })
      return given + 1
    })

  return { get, put, newCode }
}

export type InvoicingStore = ReturnType<typeof createInvoicingStore>
