import type { Promotion } from '@caravan/contracts/promotions'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { renewMark } from './terms-store.ts'

/** Of a promotion without an end. */
const never = new Date('9999-12-31T00:00:00.000Z')

/** Orders' own copy of the promotions, so that what they take off is reckoned without asking anybody. */
export const createPromotionStore = (db: Database) => {
  /** Takes over a promotion's state unless it has the same or a newer version: events may come in any order. */
  const replace = async (tx: Transaction, promotion: Promotion): Promise<void> => {
    const { id, version, status, until } = promotion
    const content = JSON.stringify(promotion)
    const columns = { version, status, ends_at: until ? new Date(until) : never, content }
    await tx.raw(
      "INSERT IGNORE INTO promotions (id, version, status, ends_at, content) VALUES (?, 0, 'paused', ?, ?)",
      [id, never, content],
    )
    const changed = await tx('promotions').where({ id }).andWhere('version', '<', version).update(columns)
    if (changed > 0) await renewMark(tx)
  }

  /** Takes over those of which an older version or none is here, and gives their number. */
  const catchUp = async (promotions: readonly Promotion[]): Promise<number> => {
    const rows: { id: string; version: number }[] = await db('promotions')
      .whereIn(
        'id',
        promotions.map(({ id }) => id),
      )
      .select('id', 'version')
    const known = new Map(rows.map(({ id, version }) => [id, version]))
    const late = promotions.filter(({ id, version }) => version > (known.get(id) ?? 0))
    for (const promotion of late) await transaction(db, (tx) => replace(tx, promotion))
    return late.length
  }

  /** Up to when promotions' changes were read, by its clock; null at the beginning. */
  const feed = {
    read: async (): Promise<Date | null> => (await db('promotions_feed').where({ id: 1 }).first()).read_until,
    write: async (until: Date): Promise<void> => {
      await db('promotions_feed').where({ id: 1 }).update({ read_until: until })
    },
  }

  return { replace, catchUp, feed }
}

export type PromotionStore = ReturnType<typeof createPromotionStore>
