import {
  type Items,
  reservationFailed,
  reservationFulfilled,
  type Shortage,
  type Stock,
} from '@caravan/contracts/inventory'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import { sumBySku } from './sum-by-sku.ts'

export interface Adjustment {
  readonly id: string
  readonly sku: string
  readonly delta: number
  readonly reason: string
  readonly adjustedBy: string
}

export interface Sale {
  readonly orderId: string
  readonly items: Items
  readonly traceparent?: string | undefined
}

export type Outcome =
  | { readonly orderId: string; readonly outcome: 'fulfilled' }
  | { readonly orderId: string; readonly outcome: 'failed'; readonly shortages: Shortage[] }

type Pile = 'available' | 'reserved' | 'sold'
type Status = 'held' | 'released' | 'sold'
type Reservation = { status: Status } | undefined
/** `failed`: released, and its order was told that it cannot be fulfilled. */
type Locked = { state: Status | 'failed'; shortages?: Shortage[] }
type Reserved =
  | { outcome: 'reserved' }
  | { outcome: 'insufficient-stock'; shortages: Shortage[] }
  | { outcome: 'closed' }

class Short extends Error {}

/**
 * Stock by SKU. Every change is one conditional UPDATE over all SKUs of an order, so two orders can never take the same
 * unit; the table's CHECK constraints would refuse it too. Rows are locked reservation first, then stock by SKU.
 */
export const createStockStore = (db: Database, outbox: Outbox) => {
  /** Moves quantities from one pile to another where there is enough, and says whether that was so for every SKU. */
  const move = async (tx: Transaction, items: Items, from: Pile, to: Pile): Promise<boolean> => {
    const cases = items.map(() => 'WHEN ? THEN ?').join(' ')
    const enough = items.map(() => `(sku = ? AND ${from} >= ?)`).join(' OR ')
    const pairs = items.flatMap(({ sku, quantity }) => [sku, quantity])
    const [result] = await tx.raw(
      `UPDATE stock SET ${from} = ${from} - CASE sku ${cases} END, ${to} = ${to} + CASE sku ${cases} END WHERE ${enough}`,
      [...pairs, ...pairs, ...pairs],
    )
    return result.affectedRows === items.length
  }

  const shortagesOf = async (on: Database | Transaction, items: Items): Promise<Shortage[]> => {
    const rows: { sku: string; available: number }[] = await on('stock')
      .select('sku', 'available')
      .whereIn(
        'sku',
        items.map((item) => item.sku),
      )
    const available = new Map(rows.map((row) => [row.sku, row.available]))
    return items
      .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available.get(sku) ?? 0 }))
      .filter((each) => each.available < each.requested)
  }

  const lockReservation = async (tx: Transaction, orderId: string): Promise<Reservation> =>
    tx('reservations').select('status').where({ order_id: orderId }).forUpdate().first()

  const itemsOf = (tx: Transaction, orderId: string): Promise<Items> =>
    tx('reservation_items').select('sku', 'quantity').where({ order_id: orderId }).orderBy('sku')

  const setStatus = (tx: Transaction, orderIds: readonly string[], status: 'released' | 'sold') =>
    tx.raw('UPDATE reservations SET status = ? WHERE order_id IN (?)', [status, orderIds as string[]])

  /** All or nothing; the same order again gets the same answer. */
  const reserve = async (orderId: string, lines: Items, ttlSeconds: number): Promise<Reserved> => {
    const items = sumBySku(lines)
    try {
      return await transaction(db, async (tx): Promise<Reserved> => {
        const [inserted] = await tx.raw(
          `INSERT IGNORE INTO reservations (order_id, status, expires_at) VALUES (?, 'held', NOW(3) + INTERVAL ? SECOND)`,
          [orderId, ttlSeconds],
        )
        if (inserted.affectedRows === 0) {
          const reservation = await lockReservation(tx, orderId)
          return { outcome: reservation?.status === 'released' ? 'closed' : 'reserved' }
        }
        if (!(await move(tx, items, 'available', 'reserved'))) throw new Short()
        await tx('reservation_items').insert(items.map((item) => ({ order_id: orderId, ...item })))
        return { outcome: 'reserved' }
      })
    } catch (error) {
      if (!(error instanceof Short)) throw error
      return { outcome: 'insufficient-stock', shortages: await shortagesOf(db, items) }
    }
  }

  /** Gives held stock back. What was never reserved is closed, so that a reservation which comes late holds nothing. */
  const release = async (tx: Transaction, orderId: string): Promise<void> => {
    const [tombstone] = await tx.raw(
      `INSERT IGNORE INTO reservations (order_id, status, expires_at) VALUES (?, 'released', NOW(3))`,
      [orderId],
    )
    if (tombstone.affectedRows === 1) return
    const reservation = await lockReservation(tx, orderId)
    if (reservation?.status !== 'held') return
    const items = await itemsOf(tx, orderId)
    if (!(await move(tx, items, 'reserved', 'available')))
      throw new Error(`reserved stock of ${orderId} is missing`)
    await setStatus(tx, [orderId], 'released')
  }

  /** The reservations of orders, locked. What was never reserved is closed first, so that there is something to lock. */
  const lockAll = async (tx: Transaction, orderIds: readonly string[]): Promise<Map<string, Locked>> => {
    const rows: { order_id: string; status: Status; shortages: string | null }[] = await tx('reservations')
      .select('order_id', 'status', 'shortages')
      .whereIn('order_id', [...orderIds])
      .orderBy('order_id')
      .forUpdate()
    const found = new Map<string, Locked>(
      rows.map(({ order_id, status, shortages }) => [
        order_id,
        shortages === null ? { state: status } : { state: 'failed', shortages: JSON.parse(shortages) },
      ]),
    )
    const missing = orderIds.filter((orderId) => !found.has(orderId))
    if (missing.length === 0) return found
    await tx.raw(
      `INSERT IGNORE INTO reservations (order_id, status, expires_at)
       VALUES ${missing.map(() => "(?, 'released', NOW(3))").join()}`,
      missing,
    )
    return lockAll(tx, orderIds)
  }

  /** Sells from what is available now; when that is not enough the order is told that it cannot be fulfilled, for ever. */
  const sellLapsed = async (tx: Transaction, { orderId, items, traceparent }: Sale): Promise<Outcome> => {
    const skus = items.map((item) => item.sku)
    await tx('stock').select('sku').whereIn('sku', skus).orderBy('sku').forUpdate()
    const shortages = await shortagesOf(tx, items)
    if (shortages.length > 0) {
      await tx('reservations')
        .where({ order_id: orderId })
        .update({ shortages: JSON.stringify(shortages) })
      await outbox.add(tx, [{ ...fact(reservationFailed, { orderId, shortages }), traceparent }])
      return { orderId, outcome: 'failed', shortages }
    }
    await move(tx, items, 'available', 'sold')
    await tx('reservation_items')
      .insert(items.map((item) => ({ order_id: orderId, ...item })))
      .onConflict()
      .ignore()
    await setStatus(tx, [orderId], 'sold')
    await outbox.add(tx, [{ ...fact(reservationFulfilled, { orderId }), traceparent }])
    return { orderId, outcome: 'fulfilled' }
  }

  /**
   * Turns orders' reservations into sales, all at once, and gives what came of each order. One that lapsed is made good by
   * itself. What came of an order the first time is what it gets ever after: it may have been cancelled for it.
   */
  const sell = async (tx: Transaction, sales: readonly Sale[]): Promise<Outcome[]> => {
    const orders = new Map(sales.map((sale) => [sale.orderId, { ...sale, items: sumBySku(sale.items) }]))
    if (orders.size === 0) return []
    const locked = await lockAll(tx, [...orders.keys()])
    const having = (wanted: Locked['state']) =>
      [...orders.values()].filter(({ orderId }) => locked.get(orderId)?.state === wanted)
    const held = having('held')
    if (held.length > 0) {
      const ids = held.map(({ orderId }) => orderId)
      if (!(await move(tx, sumBySku(held.flatMap(({ items }) => items)), 'reserved', 'sold')))
        throw new Error(`reserved stock of ${ids} is missing`)
      await setStatus(tx, ids, 'sold')
      await outbox.add(
        tx,
        held.map(({ orderId, traceparent }) => ({ ...fact(reservationFulfilled, { orderId }), traceparent })),
      )
    }
    const outcomes: Outcome[] = []
    for (const order of having('released')) outcomes.push(await sellLapsed(tx, order))
    for (const { orderId } of having('failed'))
      outcomes.push({ orderId, outcome: 'failed', shortages: locked.get(orderId)?.shortages ?? [] })
    for (const { orderId } of [...held, ...having('sold')]) outcomes.push({ orderId, outcome: 'fulfilled' })
    return outcomes
  }

  /** Sold units of an order are there again. A release id counts once. */
  const releaseSold = async (
    tx: Transaction,
    { id, orderId, items }: { readonly id: string; readonly orderId: string; readonly items: Items },
  ): Promise<void> => {
    const units = sumBySku(items)
    const [inserted] = await tx.raw(
      `INSERT IGNORE INTO released_units (id, sku, order_id, quantity) VALUES ${units.map(() => '(?, ?, ?, ?)').join()}`,
      units.flatMap(({ sku, quantity }) => [id, sku, orderId, quantity]),
    )
    if (inserted.affectedRows === 0) return
    if (!(await move(tx, units, 'sold', 'available'))) throw new Error(`sold stock of ${orderId} is missing`)
  }

  /** Further units of an order are sold from what is available, or none. A sale that was made is made once. */
  const sellUnits = async ({
    id,
    orderId,
    items,
  }: {
    readonly id: string
    readonly orderId: string
    readonly items: Items
  }): Promise<{ outcome: 'sold' } | { outcome: 'insufficient-stock'; shortages: Shortage[] }> => {
    const units = sumBySku(items)
    try {
      await transaction(db, async (tx) => {
        const [inserted] = await tx.raw(
          `INSERT IGNORE INTO further_sales (id, sku, order_id, quantity) VALUES ${units.map(() => '(?, ?, ?, ?)').join()}`,
          units.flatMap(({ sku, quantity }) => [id, sku, orderId, quantity]),
        )
        if (inserted.affectedRows > 0 && !(await move(tx, units, 'available', 'sold'))) throw new Short()
      })
      return { outcome: 'sold' }
    } catch (error) {
      if (!(error instanceof Short)) throw error
      return { outcome: 'insufficient-stock', shortages: await shortagesOf(db, units) }
    }
  }

  /** `sell` in a transaction of its own. */
  const sellNow = async (sales: readonly Sale[]): Promise<Outcome[]> => {
    const outcomes = await transaction(db, (tx) => sell(tx, sales))
    outbox.wake()
    return outcomes
  }

  const find = async (sku: string): Promise<Stock | undefined> =>
    db('stock').select('sku', 'received', 'available', 'reserved', 'sold').where({ sku }).first()

  /** Counts an adjustment id once. Throws 409 when the id came before with other content, or when too little is there. */
  const adjust = ({ id, sku, delta, reason, adjustedBy }: Adjustment): Promise<Stock> =>
    transaction(db, async (tx) => {
      const [inserted] = await tx.raw(
        'INSERT IGNORE INTO adjustments (id, sku, delta, reason, adjusted_by) VALUES (?, ?, ?, ?, ?)',
        [id, sku, delta, reason, adjustedBy],
      )
      if (inserted.affectedRows === 1) {
        await tx.raw('INSERT IGNORE INTO stock (sku) VALUES (?)', [sku])
        const [updated] = await tx.raw(
          'UPDATE stock SET received = received + ?, available = available + ? WHERE sku = ? AND available + ? >= 0',
          [delta, delta, sku, delta],
        )
        if (updated.affectedRows === 0) {
          throw new AppError(
            'conflict',
            'inventory/insufficient-stock',
            'Less is available than would be written off',
          )
        }
      } else {
        const before = await tx('adjustments').where({ id }).first()
        if (before.sku !== sku || Number(before.delta) !== delta) {
          throw new AppError(
            'conflict',
            'inventory/adjustment-reused',
            'This adjustment id came before with other content',
          )
        }
      }
      return tx('stock').select('sku', 'received', 'available', 'reserved', 'sold').where({ sku }).first()
    })

  const availability = (skus: readonly string[]): Promise<{ sku: string; available: number }[]> =>
    db('stock')
      .select('sku', 'available')
      .whereIn('sku', [...skus])

  const lapsed = (limit: number): Promise<string[]> =>
    db('reservations')
      .where('status', 'held')
      .andWhere('expires_at', '<=', db.raw('NOW(3)'))
      .orderBy('expires_at')
      .limit(limit)
      .pluck('order_id')

  const expire = (orderId: string): Promise<void> => transaction(db, (tx) => release(tx, orderId))

  /**
   * Deletes reservations that ended so many days ago, by their time to live, at most `limit` at once, and gives their number. What
   * they sold stays counted. A call or event about an order that comes even later would meet an order that never was: keep them for
   * longer than events and idempotency records are kept.
   */
  const trimEnded = (days: number, limit: number): Promise<number> =>
    transaction(db, async (tx) => {
      const [rows] = (await tx.raw(
        `SELECT order_id, status FROM reservations
         WHERE status IN ('released', 'sold') AND expires_at < NOW(3) - INTERVAL ? DAY ORDER BY status, expires_at LIMIT ? FOR UPDATE`,
        [days, limit],
      )) as unknown as [{ order_id: string; status: Status }[]]
      if (rows.length === 0) return 0
      const sold = rows.flatMap(({ order_id, status }) => (status === 'sold' ? [order_id] : []))
      if (sold.length > 0)
        await tx.raw(
          `INSERT INTO sold_before (sku, quantity)
           SELECT sku, SUM(quantity) FROM reservation_items WHERE order_id IN (?) GROUP BY sku
           ON DUPLICATE KEY UPDATE quantity = sold_before.quantity + VALUES(quantity)`,
          [sold],
        )
      const ids = rows.map(({ order_id }) => order_id)
      await tx('reservation_items').whereIn('order_id', ids).delete()
      await tx('reservations').whereIn('order_id', ids).delete()
      return rows.length
    })

  return {
    reserve,
    release,
    releaseSold,
    sellUnits,
    sell,
    sellNow,
    find,
    adjust,
    availability,
    lapsed,
    expire,
    trimEnded,
  }
}

export type StockStore = ReturnType<typeof createStockStore>
