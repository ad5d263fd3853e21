import type { OrderReturn, ReturnStatus } from '@caravan/contracts/returns'
import type { Database, Transaction } from '@caravan/service-kit/database'

/** Seconds after a change until somebody looks whether the workflow knows of it. */
const patienceSeconds = 15
/** Until somebody looks again. */
const pauseSeconds = 30

export interface Tended {
  readonly orderId: string
  readonly returnId: string
  readonly status: ReturnStatus
}

/** In the transaction that changes them: what of returns is looked for. */
export const writeReturns = async (
  tx: Transaction,
  before: readonly OrderReturn[],
  after: readonly OrderReturn[],
): Promise<void> => {
  for (const each of after) {
    if (before.includes(each)) continue
    await tx.raw(
      `INSERT INTO returns (id, order_id, status, until_at, tend_at) VALUES (?, ?, ?, ?, NOW(3) + INTERVAL ? SECOND)
       ON DUPLICATE KEY UPDATE status = VALUES(status), until_at = VALUES(until_at), tend_at = VALUES(tend_at)`,
      [
        ...[each.id, each.orderId, each.status],
        ...[(each.until ? new Date(each.until) : null) as Date, patienceSeconds],
      ],
    )
  }
}

/** Where returns are found that are no order's in particular. */
export const createReturnStore = (db: Database) => ({
  /** Newest first, from below `after`. */
  list: async (
    status: ReturnStatus,
    { limit, after }: { limit: number; after?: string | undefined },
  ): Promise<{ id: string; orderId: string }[]> => {
    const rows: { id: string; order_id: string }[] = await db('returns')
      .where({ status })
      .modify((query) => after && query.andWhere('id', '<', after))
      .orderBy('id', 'desc')
      .limit(limit)
      .select('id', 'order_id')
    return rows.map(({ id, order_id }) => ({ id, orderId: order_id }))
  },

  /** Those whose workflows it is time to look after. */
  untended: async (limit: number): Promise<Tended[]> => {
    const rows: { id: string; order_id: string; status: ReturnStatus }[] = await db('returns')
      .where('tend_at', '<=', db.raw('NOW(3)'))
      .orderBy('tend_at')
      .limit(limit)
      .select('id', 'order_id', 'status')
    return rows.map(({ id, order_id, status }) => ({ orderId: order_id, returnId: id, status }))
  },

  /** Next after a pause, for `when-due` not before it lapses; never for `over`. Unless it has changed meanwhile. */
  tendLater: async ({ returnId, status }: Tended, next: 'over' | 'soon' | 'when-due'): Promise<void> => {
    const from = next === 'when-due' ? 'GREATEST(COALESCE(until_at, NOW(3)), NOW(3))' : 'NOW(3)'
    await db('returns')
      .where({ id: returnId, status })
      .update({ tend_at: next === 'over' ? null : db.raw(`${from} + INTERVAL ? SECOND`, [pauseSeconds]) })
  },
})

export type ReturnStore = ReturnType<typeof createReturnStore>
