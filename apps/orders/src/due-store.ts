import type { Transaction } from '@caravan/service-kit/database'

/** What has no document, or is in no figure yet. */
export interface Due {
  /** An order's id when it is confirmed, a refund's when it is done: each comes once. */
  readonly subject: string
  readonly orderId: string
}

/** Notes in the transaction that makes it so what has to be documented and counted. */
export const noteDue = async (tx: Transaction, due: readonly Due[]): Promise<void> => {
  if (due.length === 0) return
  const rows = due.map(({ subject, orderId }) => ({ subject, order_id: orderId }))
  await tx('documents_due').insert(rows)
  await tx('sales_due').insert(rows)
}
