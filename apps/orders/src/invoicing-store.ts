import { invoicingContent } from '@caravan/contracts/invoices'
import { type Database, transaction } from '@caravan/service-kit/database'
import { createSettingsStore } from './settings-store.ts'

/** The one document of what invoices say of the seller. */
export const createInvoicingStore = (db: Database) => {
  /** One that no database of orders has yet. */
  const newCode = (): Promise<number> =>
    transaction(db, async (tx) => {
      const { codes_given: given } = await tx('invoicing').where({ id: 1 }).forUpdate().first('codes_given')
      await tx('invoicing')
        .where({ id: 1 })
        .update({ codes_given: given + 1 })
      return given + 1
    })

  return { ...createSettingsStore(db, 'invoicing', invoicingContent), newCode }
}

export type InvoicingStore = ReturnType<typeof createInvoicingStore>
