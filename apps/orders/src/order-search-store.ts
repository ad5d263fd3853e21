import type { ListedOrder } from '@caravan/contracts/staff-orders'
import { type Database, transaction } from '@caravan/service-kit/database'
import type { FoundBy } from './domain/found-by.ts'
import { type Order, unitsOf } from './domain/order.ts'
import { orderNumberOf } from './domain/order-number.ts'
import { indexRows, isNumberTaken, type Row, toOrder } from './order-store.ts'

/** Where in a list an order stands: newest first, those of one millisecond by their ids. */
export interface Position {
  readonly placedAt: Date
  readonly id: string
}

export interface Search {
  readonly by?: { readonly kind: FoundBy | 'status' | 'number'; readonly value: string } | undefined
  readonly from?: Date | undefined
  readonly until?: Date | undefined
}

const listedColumns = [
  ...['id', 'number', 'account_id', 'status', 'currency', 'total', 'order_lines', 'cancel_reason'],
  ...['payment_id', 'payment_status', 'placed_at'],
]

const listedOf = (row: Row & { readonly country: string }): ListedOrder => {
  const lines: Order['lines'] = JSON.parse(row.order_lines)
  return {
    ...(row.number ? { number: row.number } : {}),
    ...{ id: row.id, placedAt: row.placed_at.toISOString(), status: row.status },
    ...(row.cancel_reason ? { cancelReason: row.cancel_reason } : {}),
    ...{ currency: row.currency, total: row.total, units: unitsOf(lines), country: row.country },
    ...{ skus: lines.map(({ sku }) => sku).join(' '), accountId: row.account_id },
    ...(row.payment_id ? { paymentId: row.payment_id } : {}),
    ...(row.payment_status ? { paymentStatus: row.payment_status } : {}),
  }
}

const columnsOf = (by: Search['by']) =>
  by === undefined || by.kind === 'status' || by.kind === 'number'
    ? ({ table: 'orders', id: 'id', where: by ? { [by.kind]: by.value } : {} } as const)
    : ({ table: 'order_index', id: 'order_id', where: { ...by } } as const)

/** Finds orders for people. Each search reads one index, backwards and no further than its page. */
export const createOrderSearchStore = (db: Database) => {
  const find = async (
    { by, from, until }: Search,
    limit: number,
    after: Position | undefined,
  ): Promise<Position[]> => {
    const { table, id, where } = columnsOf(by)
    const query = db(table)
      .select({ id, placedAt: 'placed_at' })
      .where(where)
      .orderBy([
        { column: 'placed_at', order: 'desc' },
        { column: id, order: 'desc' },
      ])
      .limit(limit)
    if (from) query.where('placed_at', '>=', from)
    if (until) query.where('placed_at', '<', until)
    if (after)
      query
        .where('placed_at', '<=', after.placedAt)
        .where((either) => either.where('placed_at', '<', after.placedAt).orWhere(id, '<', after.id))
    return query
  }

  /** Those that are there, in any order. */
  const listed = async (ids: readonly string[]): Promise<ListedOrder[]> => {
    const rows: (Row & { country: string })[] = await db('orders')
      .whereIn('id', [...ids])
      .select(...listedColumns, db.raw("JSON_VALUE(shipping_address, '$.country') AS country"))
    return rows.map(listedOf)
  }

  /** Some orders that have no number, nor rows to be looked for by. */
  const unnumbered = async (limit: number): Promise<Order[]> => {
    const rows: Row[] = await db('orders').whereNull('number').limit(limit)
    return rows.map(toOrder)
  }

  /** Gives an order what an order has since there are numbers. */
  const number = async (order: Order): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await transaction(db, async (tx) => {
          await tx('order_index').insert(indexRows(order)).onConflict().ignore()
          await tx('orders')
            .where({ id: order.id })
            .whereNull('number')
            .update({ number: orderNumberOf(order.id, attempt) })
        })
      } catch (error) {
        if (!isNumberTaken(error)) throw error
      }
    }
  }

  return { find, listed, unnumbered, number }
}

export type OrderSearchStore = ReturnType<typeof createOrderSearchStore>
