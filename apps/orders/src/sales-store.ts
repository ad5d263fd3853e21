import type { listPromotionSales, listSales, SalesBy } from '@caravan/contracts/sales'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import type { z } from 'zod'
import { backOf, promotedOf, type Sale, soldOf } from './domain/sales.ts'
import type { Due } from './due-store.ts'
import type { Fulfilled, FulfilmentStore } from './fulfilment-store.ts'

type Query = z.output<NonNullable<typeof listSales.query>>
type PromotionQuery = z.output<NonNullable<typeof listPromotionSales.query>>
export type SalesFigure = z.input<NonNullable<typeof listSales.response>>['data'][number]
export type PromotionFigure = z.input<NonNullable<typeof listPromotionSales.response>>['data'][number]
/** Where a page begins: behind a key and a currency. */
export type Position = readonly [key: string, currency: string]

const atOnce = 200
const dimensions = ['day', 'currency', 'country', 'seller', 'category', 'sku'] as const
const measures = ['units', 'discount', 'net', 'tax', 'gross'] as const
const columns: Readonly<Record<SalesBy, string>> = {
  ...{ day: "DATE_FORMAT(day, '%Y-%m-%d')", sku: 'sku', category: 'category', seller: 'seller' },
  country: 'country',
}

const rowOf = (side: 'sold' | 'back') => (sale: Sale) => ({
  ...Object.fromEntries(dimensions.map((name) => [name, sale[name]])),
  ...Object.fromEntries(
    ['sold', 'back'].flatMap((each) =>
      measures.map((name) => [`${each}_${name}`, each === side ? sale[name] : 0]),
    ),
  ),
})

/** Adds rows to those of the same key. */
const add = async (tx: Transaction, table: string, rows: readonly object[], sums: readonly string[]) => {
  const [first] = rows
  if (!first) return
  const names = Object.keys(first)
  const row = `(${names.map(() => '?').join()})`
  await tx.raw(
    `INSERT INTO ${table} (${names.join()}) VALUES ${rows.map(() => row).join()}
     ON DUPLICATE KEY UPDATE ${sums.map((sum) => `${sum} = ${sum} + VALUES(${sum})`).join()}`,
    rows.flatMap((each) => Object.values(each)),
  )
}

/** Figures of one database of orders: sums over its orders, each counted once, some seconds after it was confirmed. */
export const createSalesStore = (db: Database, fulfilments: Pick<FulfilmentStore, 'findAll'>) => {
  /** Counts what is due; how much that was. An order that has no quote is in no figure. */
  const count = async (): Promise<number> => {
    const first: string[] = await db('sales_due').orderBy('subject').limit(atOnce).pluck('subject')
    if (first.length === 0) return 0
    return transaction(db, async (tx) => {
      // By their keys alone: a lock on a range would keep orders from being confirmed.
      const rows: { subject: string; order_id: string }[] = await tx('sales_due')
        .whereIn('subject', first)
        .forUpdate()
      const due = rows.map(({ subject, order_id }): Due => ({ subject, orderId: order_id }))
      const found = new Map<string, Fulfilled>(
        (await fulfilments.findAll([...new Set(due.map(({ orderId }) => orderId))])).map((each) => [
          each.order.id,
          each,
        ]),
      )
      const of = (wanted: boolean) =>
        due
          .filter(({ subject, orderId }) => (subject === orderId) === wanted)
          .flatMap(({ subject, orderId }) => {
            const fulfilled = found.get(orderId)
            return fulfilled ? [{ subject, ...fulfilled }] : []
          })
      const sold = of(true).flatMap(({ order }) => soldOf(order))
      const back = of(false).flatMap(({ order, fulfilment, subject }) => backOf(order, fulfilment, subject))
      const sums = ['sold', 'back'].flatMap((side) => measures.map((name) => `${side}_${name}`))
      await add(tx, 'sales', [...sold.map(rowOf('sold')), ...back.map(rowOf('back'))], sums)
      const promoted = of(true).flatMap(({ order }) => promotedOf(order))
      await add(
        tx,
        'promotion_sales',
        promoted.map(({ promotionId, ...each }) => ({ ...each, promotion_id: promotionId, orders: 1 })),
        ['orders', 'discount'],
      )
      if (due.length > 0)
        await tx('sales_due')
          .whereIn(
            'subject',
            due.map(({ subject }) => subject),
          )
          .delete()
      return due.length
    })
  }

  const listed = async <T>(
    table: string,
    key: string,
    sums: readonly string[],
    {
      from,
      until,
      limit,
      ...filters
    }: { from: string; until: string; limit: number } & Partial<Record<string, unknown>>,
    after: Position | undefined,
  ): Promise<T[]> => {
    const given = Object.entries(filters).filter(([, value]) => value !== undefined)
    const [rows] = await db.raw(
      `SELECT ${key} AS figure, currency, ${sums.map((sum) => `SUM(${sum}) AS ${sum}`).join()} FROM ${table}
       WHERE day BETWEEN ? AND ? ${given.map(([name]) => `AND ${name} = ?`).join(' ')}
       GROUP BY figure, currency ${after ? 'HAVING figure > ? OR (figure = ? AND currency > ?)' : ''}
       ORDER BY figure, currency LIMIT ?`,
      [
        from,
        until,
        ...given.map(([, value]) => value),
        ...(after ? [after[0], ...after] : []),
        limit,
      ] as string[],
    )
    return rows
  }

  const list = async ({ by, after: _, ...query }: Query, after?: Position): Promise<SalesFigure[]> => {
    const names = ['sold', 'back'].flatMap((side) => measures.map((name) => `${side}_${name}`))
    const rows = await listed<Record<string, string>>('sales', columns[by], names, query, after)
    const side = (row: Record<string, string>, of: 'sold' | 'back') =>
      Object.fromEntries(measures.map((name) => [name, Number(row[`${of}_${name}`])])) as SalesFigure['sold']
    return rows.map((row) => ({
      ...{ key: String(row.figure), currency: String(row.currency) },
      ...{ sold: side(row, 'sold'), back: side(row, 'back') },
    }))
  }

  const listPromotions = async (
    { after: _, ...query }: PromotionQuery,
    after?: Position,
  ): Promise<PromotionFigure[]> => {
    const sums = ['orders', 'discount']
    const rows = await listed<Record<string, string>>('promotion_sales', 'promotion_id', sums, query, after)
    return rows.map((row) => ({
      ...{ promotionId: String(row.figure), currency: String(row.currency) },
      ...{ orders: Number(row.orders), discount: Number(row.discount) },
    }))
  }

  return { count, list, listPromotions }
}

export type SalesStore = ReturnType<typeof createSalesStore>
