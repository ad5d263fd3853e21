import { isDeepStrictEqual } from 'node:util'
import type { RedemptionUse, RefusalReason } from '@caravan/contracts/redemptions'
import { type Database, isDuplicate, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'

type Status = 'held' | 'confirmed' | 'released'
type Use = Pick<RedemptionUse, 'promotionId' | 'amount' | 'code'>
type Redeemed =
  | { outcome: 'redeemed' }
  | { outcome: 'refused'; promotionId: string; reason: RefusalReason }
  | { outcome: 'closed' }

export interface Redemption {
  readonly orderId: string
  readonly customer: string
  readonly ttlSeconds: number
  readonly uses: readonly RedemptionUse[]
}

interface Limits {
  id: string
  version: number
  triggered_by: 'automatic' | 'code'
  status: 'active' | 'paused'
  uses_limit: number | null
  customer_limit: number | null
  used: number
}

class Refused extends Error {
  readonly answer: Redeemed
  constructor({ promotionId }: Use, reason: RefusalReason) {
    super(reason)
    this.answer = { outcome: 'refused', promotionId, reason }
  }
}

/** Seconds after which orders is asked again about an order that may still end either way. */
const askAgainSeconds = 60

/** The order in which rows are locked. */
const inOrder = <U extends Use>(uses: readonly U[]): U[] =>
  uses.toSorted((a, b) => (a.promotionId < b.promotionId ? -1 : 1))

/**
 * What orders take of promotions: held when an order is placed, confirmed when it is paid, released when it ends otherwise. What is
 * held or confirmed is live, and each counter is the sum of what is live, to be reckoned anew at any time. A counter moves by one
 * conditional UPDATE, so no limit is passed by however many at once. Locked are: the redemption, customers, codes, and promotions, of
 * which a popular one is what all wait for, last.
 */
export const createRedemptionStore = (db: Database) => {
  const limitsOf = async (on: Transaction, uses: readonly Use[]): Promise<Map<string, Limits>> => {
    const rows: Limits[] = await on('promotions')
      .select('id', 'version', 'triggered_by', 'status', 'uses_limit', 'customer_limit', 'used')
      .whereIn(
        'id',
        uses.map(({ promotionId }) => promotionId),
      )
    return new Map(rows.map((row) => [row.id, row]))
  }

  const takeOfCustomer = async (tx: Transaction, customer: string, use: Use, limit: number | null) => {
    // Not INSERT IGNORE: of many at once all would share the row's lock, and each wait for the others'.
    await tx.raw(
      `INSERT INTO customer_uses (promotion, customer, used) VALUES (?, ?, 0)
       ON DUPLICATE KEY UPDATE used = used`,
      [use.promotionId, customer],
    )
    const [counted] = await tx.raw(
      'UPDATE customer_uses SET used = used + 1 WHERE promotion = ? AND customer = ? AND used < COALESCE(?, used + 1)',
      [use.promotionId, customer, limit],
    )
    if (counted.affectedRows === 0) throw new Refused(use, 'customer-limit')
  }

  const takeOfCode = async (tx: Transaction, customer: string, use: Use, code: string) => {
    const [counted] = await tx.raw(
      `UPDATE codes SET used = used + 1 WHERE code = ? AND promotion = ? AND status = 'active'
       AND used < COALESCE(uses_limit, used + 1) AND COALESCE(customer, ?) = ?`,
      [code, use.promotionId, customer, customer],
    )
    if (counted.affectedRows === 0) throw new Refused(use, 'code')
  }

  /** Names the version: what was read of it before still holds. */
  const takeOfPromotion = async (tx: Transaction, use: RedemptionUse) => {
    const [counted] = await tx.raw(
      `UPDATE promotions SET used = used + 1, spent = spent + ? WHERE id = ? AND version = ?
       AND used < COALESCE(uses_limit, used + 1) AND spent + ? <= COALESCE(budget, spent + ?)`,
      [use.amount, use.promotionId, use.version, use.amount, use.amount],
    )
    if (counted.affectedRows === 1) return
    const now = (await limitsOf(tx, [use])).get(use.promotionId)
    if (now?.version !== use.version) throw new Refused(use, 'changed')
    throw new Refused(use, now.uses_limit !== null && now.used >= now.uses_limit ? 'limit' : 'budget')
  }

  const take = async (tx: Transaction, customer: string, uses: readonly RedemptionUse[]): Promise<void> => {
    const limits = await limitsOf(tx, uses)
    for (const use of uses) {
      const promotion = limits.get(use.promotionId)
      if (promotion?.version !== use.version || promotion.status !== 'active')
        throw new Refused(use, 'changed')
      if ((promotion.triggered_by === 'code') !== (use.code !== undefined)) throw new Refused(use, 'code')
    }
    for (const use of uses)
      await takeOfCustomer(tx, customer, use, limits.get(use.promotionId)?.customer_limit ?? null)
    for (const use of uses) if (use.code !== undefined) await takeOfCode(tx, customer, use, use.code)
    for (const use of uses) await takeOfPromotion(tx, use)
  }

  const giveBack = async (tx: Transaction, customer: string, uses: readonly Use[]): Promise<void> => {
    const each = async (sql: string, bindings: (string | number)[]) => {
      const [result] = await tx.raw(sql, bindings)
      if (result.affectedRows !== 1) throw new Error('a use that is live is not counted')
    }
    for (const { promotionId } of uses) {
      const key = [promotionId, customer]
      await each('UPDATE customer_uses SET used = used - 1 WHERE promotion = ? AND customer = ?', key)
      await tx.raw('DELETE FROM customer_uses WHERE promotion = ? AND customer = ? AND used = 0', key)
    }
    for (const { code } of uses)
      if (code !== undefined) await each('UPDATE codes SET used = used - 1 WHERE code = ?', [code])
    for (const { promotionId, amount } of uses)
      await each('UPDATE promotions SET used = used - 1, spent = spent - ? WHERE id = ?', [
        amount,
        promotionId,
      ])
  }

  const lock = (
    tx: Transaction,
    orderId: string,
  ): Promise<{ status: Status; customer: string } | undefined> =>
    tx('redemptions').select('status', 'customer').where({ order_id: orderId }).forUpdate().first()

  const usesOf = async (tx: Transaction, orderId: string): Promise<Use[]> => {
    const rows: { promotion: string; code: string | null; amount: number }[] = await tx('redemption_uses')
      .where({ order_id: orderId })
      .orderBy('promotion')
    return rows.map(({ promotion, code, amount }) => ({
      promotionId: promotion,
      amount,
      ...(code === null ? {} : { code }),
    }))
  }

  /**
   * All or nothing. The same order again changes nothing; with other uses, as when its prices are others after a crash, it has those
   * instead. Throws 422 for a promotion that is named twice.
   */
  const redeem = async ({ orderId, customer, ttlSeconds, uses }: Redemption): Promise<Redeemed> => {
    const wanted = inOrder(uses)
    if (new Set(wanted.map(({ promotionId }) => promotionId)).size < wanted.length)
      throw new AppError('invalid', 'promotions/invalid-request', 'An order has a promotion once')
    const kept = wanted.map(({ version: _, ...use }): Use => use)
    const write = async (tx: Transaction, taker: string): Promise<Redeemed> => {
      await take(tx, taker, wanted)
      await tx('redemption_uses').insert(
        kept.map(({ promotionId, code, amount }) => ({
          ...{ order_id: orderId, promotion: promotionId, amount },
          code: code ?? null,
        })),
      )
      return { outcome: 'redeemed' }
    }
    const first = () =>
      transaction(db, async (tx) => {
        // Not INSERT IGNORE, by which all repeats at once would share the row's lock, and each wait for the others'.
        await tx.raw(
          `INSERT INTO redemptions (order_id, customer, status, ask_at)
           VALUES (?, ?, 'held', NOW(3) + INTERVAL ? SECOND)`,
          [orderId, customer, ttlSeconds],
        )
        return write(tx, customer)
      })
    const again = () =>
      transaction(db, async (tx): Promise<Redeemed> => {
        const before = await lock(tx, orderId)
        if (!before || before.status === 'released') return { outcome: 'closed' }
        const had = await usesOf(tx, orderId)
        if (before.status === 'confirmed' || isDeepStrictEqual(had, kept)) return { outcome: 'redeemed' }
        await giveBack(tx, before.customer, had)
        await tx('redemption_uses').where({ order_id: orderId }).delete()
        return write(tx, before.customer)
      })
    try {
      return await first().catch((error) => {
        if (isDuplicate(error)) return again()
        throw error
      })
    } catch (error) {
      if (error instanceof Refused) return error.answer
      throw error
    }
  }

  /** What is held by paid orders. Orders that took nothing are none of ours, and one that was released before stays so. */
  const confirm = async (tx: Transaction, orderIds: readonly string[]): Promise<void> => {
    await tx.raw("UPDATE redemptions SET status = 'confirmed' WHERE order_id IN (?) AND status = 'held'", [
      orderIds as string[],
    ])
  }

  /** Gives back what is live, paid or not. What was never redeemed is closed, so that a try which comes late takes nothing. */
  const release = async (tx: Transaction, orderId: string): Promise<void> => {
    const redemption = await lock(tx, orderId)
    if (redemption?.status === 'released') return
    if (!redemption) {
      const [tombstone] = await tx.raw(
        "INSERT IGNORE INTO redemptions (order_id, status, released_at) VALUES (?, 'released', NOW(3))",
        [orderId],
      )
      // A try was faster.
      if (tombstone.affectedRows === 0) await release(tx, orderId)
      return
    }
    await giveBack(tx, redemption.customer, await usesOf(tx, orderId))
    await tx.raw(
      "UPDATE redemptions SET status = 'released', ask_at = NULL, released_at = NOW(3) WHERE order_id = ?",
      [orderId],
    )
  }

  /** Orders whose end no event told in time, those that wait longest first. */
  const unsettled = (limit: number): Promise<string[]> =>
    db('redemptions').where('ask_at', '<=', db.raw('NOW(3)')).orderBy('ask_at').limit(limit).pluck('order_id')

  /** What orders said of some: `gone` are never to be paid, `open` may end either way, `paid` too; `done` stay. */
  const settle = async (
    said: Record<'gone' | 'open' | 'paid' | 'done', readonly string[]>,
  ): Promise<void> => {
    for (const orderId of said.gone) await transaction(db, (tx) => release(tx, orderId))
    const kept = [...said.paid, ...said.done]
    if (kept.length > 0) await transaction(db, (tx) => confirm(tx, kept))
    const asked = async (orderIds: readonly string[], next: string) => {
      if (orderIds.length > 0)
        await db.raw(`UPDATE redemptions SET ask_at = ${next} WHERE order_id IN (?) AND ask_at IS NOT NULL`, [
          orderIds as string[],
        ])
    }
    await asked([...said.open, ...said.paid], `NOW(3) + INTERVAL ${askAgainSeconds} SECOND`)
    await asked(said.done, 'NULL')
  }

  /**
   * Deletes redemptions that were released so many days ago, at most `limit` at once, and gives their number. A call or event about an
   * order that comes even later would meet an order that never was: keep them for longer than events and idempotency records are
   * kept. What is live stays for ever: it is what the counters count.
   */
  const trimReleased = (days: number, limit: number): Promise<number> =>
    transaction(db, async (tx) => {
      const ids: string[] = await tx('redemptions')
        .where('released_at', '<', db.raw('NOW(3) - INTERVAL ? DAY', [days]))
        .orderBy('released_at')
        .limit(limit)
        .forUpdate()
        .pluck('order_id')
      if (ids.length === 0) return 0
      await tx('redemption_uses').whereIn('order_id', ids).delete()
      await tx('redemptions').whereIn('order_id', ids).delete()
      return ids.length
    })

  return { redeem, confirm, release, unsettled, settle, trimReleased }
}

export type RedemptionStore = ReturnType<typeof createRedemptionStore>
