import type { CancelReason } from '@caravan/contracts/orders'
import { type Database, isDuplicate, type Transaction, transaction } from '@caravan/service-kit/database'
import type { Once } from '@caravan/service-kit/idempotency'
import type { Fact, Outbox } from '@caravan/service-kit/outbox'
import { traceIdOf } from '@caravan/service-kit/trace'
import { foundBy } from './domain/found-by.ts'
import {
  addressUntil,
  type Change,
  isWaiting,
  type Order,
  renumber,
  sellersOf,
  unitsOf,
} from './domain/order.ts'
import type { Standing } from './domain/standing.ts'
import { noteDue } from './due-store.ts'

export interface Row {
  id: string
  number: string | null
  account_id: string
  status: Order['status']
  currency: string
  total: number
  order_lines: string
  quote: string | null
  shipping_address: string
  history: string
  cancel_reason: CancelReason | null
  payment_id: string | null
  payment_status: 'captured' | 'refund-due' | 'refunded' | null
  placed_at: Date
  pay_before: Date
}

export const toOrder = (row: Row): Order => ({
  id: row.id,
  ...(row.number ? { number: row.number } : {}),
  accountId: row.account_id,
  status: row.status,
  currency: row.currency,
  total: row.total,
  lines: JSON.parse(row.order_lines),
  ...(row.quote ? { quote: JSON.parse(row.quote) } : {}),
  shippingAddress: JSON.parse(row.shipping_address),
  history: JSON.parse(row.history),
  placedAt: row.placed_at,
  payBefore: row.pay_before,
  ...(row.cancel_reason ? { cancelReason: row.cancel_reason } : {}),
  ...(row.payment_id && row.payment_status
    ? { payment: { id: row.payment_id, status: row.payment_status } }
    : {}),
})

/** The columns that change after the order is placed. */
const mutable = (order: Order): Record<(typeof mutableColumns)[number], string | null> => ({
  status: order.status,
  history: JSON.stringify(order.history),
  cancel_reason: order.cancelReason ?? null,
  payment_id: order.payment?.id ?? null,
  payment_status: order.payment?.status ?? null,
})

const mutableColumns = ['status', 'history', 'cancel_reason', 'payment_id', 'payment_status'] as const

/** Each entry of the history tells of which request or event it is; those from before are left as they are. */
const traced = (order: Order, known: number, traceparent?: string): Order => {
  const traceId = traceIdOf(traceparent)
  if (!traceId || order.history.length === known) return order
  const history = order.history.map((entry, n) => (n < known ? entry : { ...entry, traceId }))
  return { ...order, history }
}

/** Another order has the number. */
export const isNumberTaken = (error: unknown): boolean =>
  isDuplicate(error) && /for key '(?:orders\.)?number'$/.test((error as { sqlMessage: string }).sqlMessage)

/** The rows by which an order is looked for. */
export const indexRows = (order: Order) =>
  foundBy(order).map((by) => ({ ...by, placed_at: order.placedAt, order_id: order.id }))

/** Seconds after which an answer that is missing is asked for: events take far less. */
const patienceSeconds = 15
const mostPatienceSeconds = 600

/** An order that goes on waiting is asked about again after as long as it has waited so far, within these bounds. */
const pauseOf = ({ history }: Order): number => {
  const waited = (Date.now() - Date.parse(history.at(-1)?.at ?? '')) / 1000
  return Math.min(mostPatienceSeconds, Math.max(patienceSeconds, Math.round(waited)))
}

export interface OrderChange {
  readonly id: string
  readonly apply: (order: Order) => Change
  readonly traceparent?: string | undefined
}

/** Of one account in one sweep. */
const sweepSize = 500
/** Seconds after which orders of a closed account that are not over are looked at again. */
const sweepPause = 20

export const createOrderStore = (db: Database, outbox: Outbox) => {
  const unpaid = "FROM orders o WHERE o.account_id = s.account_id AND o.status = 'pending-payment'"

  const findStanding = async (
    on: Database | Transaction,
    accountId: string,
    lock: '' | 'FOR UPDATE',
  ): Promise<Standing | undefined> => {
    const [[row]] = await on.raw(
      `SELECT s.closed_at, (SELECT COUNT(*) ${unpaid}) AS orders, (SELECT SUM(o.units) ${unpaid}) AS units,
         EXISTS (SELECT o.id FROM orders o WHERE o.account_id = s.account_id
           AND o.status IN ('pending-payment', 'paid', 'confirmed')) AS has_ordered
       FROM shoppers s WHERE s.account_id = ? ${lock}`,
      [accountId],
    )
    return (
      row && {
        isClosed: row.closed_at !== null,
        unpaidOrders: Number(row.orders),
        heldUnits: Number(row.units ?? 0),
        hasOrdered: Boolean(row.has_ordered),
      }
    )
  }

  /** What an account has open. Nobody else places an order of it before the transaction ends, nor is it closed. */
  const lockStanding = async (tx: Transaction, accountId: string): Promise<Standing> => {
    const known = await findStanding(tx, accountId, 'FOR UPDATE')
    if (known) return known
    // Not INSERT IGNORE: of many first orders at once all would share the row's lock, and each wait for the others'.
    await tx.raw(
      'INSERT INTO shoppers (account_id) VALUES (?) ON DUPLICATE KEY UPDATE account_id = VALUES(account_id)',
      [accountId],
    )
    return (await findStanding(tx, accountId, 'FOR UPDATE')) as Standing
  }

  /** What an account has open at a glance. */
  const standingOf = async (accountId: string): Promise<Standing> =>
    (await findStanding(db, accountId, '')) ?? {
      isClosed: false,
      unpaidOrders: 0,
      heldUnits: 0,
      hasOrdered: false,
    }

  const write = (
    { order, facts }: Change,
    admit: (standing: Standing) => void,
    record: (tx: Transaction, order: Order) => Promise<void>,
  ): Promise<void> =>
    transaction(db, async (tx) => {
      admit(await lockStanding(tx, order.accountId))
      await tx('orders').insert({
        id: order.id,
        number: order.number,
        account_id: order.accountId,
        currency: order.currency,
        total: order.total,
        order_lines: JSON.stringify(order.lines),
        quote: order.quote ? JSON.stringify(order.quote) : null,
        shipping_address: JSON.stringify(order.shippingAddress),
        placed_at: order.placedAt,
        pay_before: order.payBefore,
        units: unitsOf(order.lines),
        ask_at: isWaiting(order) ? db.raw('NOW(3) + INTERVAL ? SECOND', [patienceSeconds]) : null,
        ...mutable(order),
      })
      await tx('order_index').insert(indexRows(order))
      await outbox.add(tx, facts)
      await record(tx, order)
    })

  /**
   * Writes a new order and its facts, unless `admit` throws at what its account has open by then; `record` joins the same
   * transaction. Gives the order as it is written: under its next number, where another order has its own.
   */
  const insert = async (
    change: Change,
    admit: (standing: Standing) => void,
    record: (tx: Transaction, order: Order) => Promise<void>,
  ): Promise<Order> => {
    const placed = { ...change, order: traced(change.order, 0) }
    for (let attempt = 0; ; attempt += 1) {
      const numbered = attempt === 0 ? placed : renumber(placed, attempt)
      try {
        await write(numbered, admit, record)
        outbox.wake()
        return numbered.order
      } catch (error) {
        if (!isNumberTaken(error)) throw error
      }
    }
  }

  /**
   * Loads orders under their locks, applies pure changes one after another, writes the orders with their facts. Gives the
   * orders as they are then, by id.
   */
  const change = async (tx: Transaction, changes: readonly OrderChange[]): Promise<Map<string, Order>> => {
    const ids = [...new Set(changes.map(({ id }) => id))]
    const rows: Row[] = await tx('orders').whereIn('id', ids).orderBy('id').forUpdate()
    const orders = new Map(rows.map((row) => [row.id, toOrder(row)]))
    const statuses = new Map(rows.map(({ id, status }) => [id, status]))
    const changed = new Set<string>()
    const facts: Fact[] = []
    for (const { id, apply, traceparent } of changes) {
      const before = orders.get(id)
      if (!before) continue
      const { order, facts: told } = apply(before)
      if (order === before) continue
      orders.set(id, traced(order, before.history.length, traceparent))
      changed.add(id)
      facts.push(...told.map((fact) => ({ traceparent, ...fact })))
    }
    if (changed.size > 0) {
      const written = [...changed].map((id) => ({ id, columns: mutable(orders.get(id) as Order) }))
      const byId = `CASE id ${written.map(() => 'WHEN ? THEN ?').join(' ')} END`
      const seconds = (id: string) => (isWaiting(orders.get(id) as Order) ? patienceSeconds : null)
      await tx.raw(
        `UPDATE orders SET ${mutableColumns.map((column) => `${column} = ${byId}`).join()},
           ask_at = NOW(3) + INTERVAL ${byId} SECOND WHERE id IN (?)`,
        [
          ...mutableColumns.flatMap((column) => written.flatMap(({ id, columns }) => [id, columns[column]])),
          ...written.flatMap(({ id }) => [id, seconds(id)]),
          [...changed],
        ] as string[],
      )
      const confirmed = written
        .flatMap(({ id }) => orders.get(id) ?? [])
        .filter(({ id, status }) => status === 'confirmed' && statuses.get(id) !== status)
      await tellSellers(tx, confirmed)
      await noteDue(
        tx,
        confirmed.filter(({ quote }) => quote).map(({ id }) => ({ subject: id, orderId: id })),
      )
      await outbox.add(tx, facts)
    }
    return orders
  }

  /** Notes whose lines confirmed orders have, for sellers to find. */
  const tellSellers = async (tx: Transaction, orders: readonly Order[]): Promise<void> => {
    const rows = orders.flatMap((order) =>
      sellersOf(order).map((seller) => ({ seller_id: seller, order_id: order.id, is_open: true })),
    )
    if (rows.length > 0) await tx('seller_orders').insert(rows).onConflict().ignore()
  }

  /** `change` in a transaction of its own. */
  const updateAll = async (changes: readonly OrderChange[]): Promise<Map<string, Order>> => {
    const orders = await transaction(db, (tx) => change(tx, changes))
    outbox.wake()
    return orders
  }

  /** Loads under a lock, applies a pure change, writes the order with its facts. Undefined when there is no such order. */
  const update = async (id: string, apply: (order: Order) => Change): Promise<Order | undefined> =>
    (await updateAll([{ id, apply }])).get(id)

  const find = async (id: string): Promise<Order | undefined> => {
    const row: Row | undefined = await db('orders').where({ id }).first()
    return row && toOrder(row)
  }

  /** Those that are there, by id. */
  const findAll = async (ids: readonly string[]): Promise<Map<string, Order>> => {
    const rows: Row[] = await db('orders').whereIn('id', [...ids])
    return new Map(rows.map((row) => [row.id, toOrder(row)]))
  }

  /** After placing failed: publishes that there is no such order, unless there is, and then gives it. */
  const abandon = async ({ id, forget }: Once, abandoned: Fact): Promise<Order | undefined> => {
    const order = await transaction(db, async (tx) => {
      // Waits for a commit that is still going on, and keeps one that is yet to come from recording.
      await forget(tx)
      const row: Row | undefined = await tx('orders').where({ id }).first()
      if (!row) await outbox.add(tx, [abandoned])
      return row && toOrder(row)
    })
    outbox.wake()
    return order
  }

  /** An account's orders, newest first, from below the id `after`. */
  const list = async (accountId: string, limit: number, after?: string): Promise<Order[]> => {
    const rows: Row[] = await db('orders')
      .where({ account_id: accountId })
      .modify((query) => after && query.andWhere('id', '<', after))
      .orderBy('id', 'desc')
      .limit(limit)
    return rows.map(toOrder)
  }

  /** Ids of orders whose time to pay is over, the longest overdue first. */
  const overdue = (limit: number): Promise<string[]> =>
    db('orders')
      .where({ status: 'pending-payment' })
      .andWhere('pay_before', '<=', db.raw('NOW(3)'))
      .orderBy('pay_before')
      .limit(limit)
      .pluck('id')

  /** Orders that wait for an answer which it is time to ask for: for their stock when paid, for a refund when ended. */
  const waiting = async (statuses: readonly Order['status'][], limit: number): Promise<Order[]> => {
    const rows: Row[] = await db('orders')
      .whereIn('status', [...statuses])
      .andWhere('ask_at', '<=', db.raw('NOW(3)'))
      .orderBy(['status', 'ask_at'])
      .limit(limit)
    return rows.map(toOrder)
  }

  /** Asks about those of the orders that still wait later, and ever more seldom. */
  const askLater = async (asked: readonly Order[]): Promise<void> => {
    if (asked.length === 0) return
    await db.raw(
      `UPDATE orders SET ask_at = NOW(3) + INTERVAL CASE id ${asked.map(() => 'WHEN ? THEN ?').join(' ')} END SECOND
       WHERE id IN (?) AND ask_at IS NOT NULL`,
      [...asked.flatMap((order) => [order.id, pauseOf(order)]), asked.map(({ id }) => id)] as string[],
    )
  }

  /** Those of the given ids whose orders are confirmed or cancelled. */
  const settledAmong = (ids: readonly string[]): Promise<string[]> =>
    db('orders')
      .whereIn('id', [...ids])
      .whereIn('status', ['confirmed', 'cancelled'])
      .pluck('id')

  /** Of the given ids those that are orders, with their states. */
  const statusesOf = (ids: readonly string[]): Promise<{ orderId: string; status: Order['status'] }[]> =>
    db('orders')
      .whereIn('id', [...ids])
      .select({ orderId: 'id', status: 'status' })

  /** The account orders nothing from now on, and the sweep looks at what it has ordered. */
  const closeAccount = async (tx: Transaction, accountId: string): Promise<void> => {
    await tx.raw(
      `INSERT INTO shoppers (account_id, closed_at, sweep_at) VALUES (?, NOW(3), NOW(3))
       ON DUPLICATE KEY UPDATE closed_at = COALESCE(closed_at, VALUES(closed_at)), sweep_at = VALUES(sweep_at)`,
      [accountId],
    )
  }

  /** Closed accounts some of whose orders may have an address that is to be erased by now. */
  const unswept = (limit: number): Promise<string[]> =>
    db('shoppers')
      .where('sweep_at', '<=', db.raw('NOW(3)'))
      .orderBy('sweep_at')
      .limit(limit)
      .pluck('account_id')

  /** Of where it went, only the country is left; the same in the answer that is kept for a repeat. */
  const eraseAddresses = async (tx: Transaction, accountId: string, ids: string[]): Promise<void> => {
    await tx.raw(
      `UPDATE orders SET address_erased = TRUE, shipping_address = JSON_OBJECT('name', '-', 'line1', '-', 'city', '-',
         'postalCode', '-', 'country', JSON_VALUE(shipping_address, '$.country')) WHERE id IN (?)`,
      [ids],
    )
    await tx.raw(
      `UPDATE idempotency_keys SET body = JSON_REMOVE(body, '$.shippingAddress')
       WHERE scope = ? AND status = 201 AND subject_id IN (?)`,
      [`${accountId} placeOrder`, ids],
    )
  }

  /** Erases what a closed account's orders need no more, and notes when to look again, if ever. */
  const sweep = async (accountId: string, deliveryDays: number): Promise<void> => {
    await transaction(db, async (tx) => {
      const now = Date.now()
      const rows: Row[] = await tx('orders')
        .where({ account_id: accountId, address_erased: false })
        .orderBy('id')
        .limit(sweepSize)
      const kept: number[] = []
      const over: string[] = []
      for (const order of rows.map(toOrder)) {
        const until = addressUntil(order, deliveryDays)?.getTime() ?? now + sweepPause * 1000
        if (until <= now) over.push(order.id)
        else kept.push(until)
      }
      if (over.length > 0) await eraseAddresses(tx, accountId, over)
      const next = rows.length === sweepSize ? now + sweepPause * 1000 : Math.min(...kept)
      await tx('shoppers')
        .where({ account_id: accountId })
        .update({ sweep_at: Number.isFinite(next) ? new Date(next) : null })
    })
  }

  return {
    ...{ insert, change, updateAll, update, abandon, find, list, overdue, waiting, askLater, settledAmong },
    statusesOf,
    ...{ findAll, standingOf, closeAccount, unswept, sweep },
  }
}

export type OrderStore = ReturnType<typeof createOrderStore>
