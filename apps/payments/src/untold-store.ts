import type { Database } from '@caravan/service-kit/database'

/** A captured payment of which orders may not know. */
export interface Untold {
  readonly paymentId: string
  readonly orderId: string
}

const mostPatienceSeconds = 600

export const createUntoldStore = (db: Database) => ({
  /** Those that it is time to ask about, the longest due first. */
  due: async (limit: number): Promise<Untold[]> => {
    const rows: { id: string; order_id: string }[] = await db('payments')
      .select('id', 'order_id')
      .where({ status: 'captured' })
      .andWhere('ask_at', '<=', db.raw('NOW(3)'))
      .orderBy('ask_at')
      .limit(limit)
    return rows.map((row) => ({ paymentId: row.id, orderId: row.order_id }))
  },

  told: async (paymentIds: readonly string[]): Promise<void> => {
    await db('payments')
      .whereIn('id', [...paymentIds])
      .update({ ask_at: null })
  },

  /** Asks about them again after as long as they have waited so far. */
  askLater: async (paymentIds: readonly string[]): Promise<void> => {
    await db.raw(
      `UPDATE payments
       SET ask_at = NOW(3) + INTERVAL LEAST(?, GREATEST(10, TIMESTAMPDIFF(SECOND, created_at, NOW(3)))) SECOND
       WHERE id IN (?)`,
      [mostPatienceSeconds, paymentIds as string[]],
    )
  },
})

export type UntoldStore = ReturnType<typeof createUntoldStore>
