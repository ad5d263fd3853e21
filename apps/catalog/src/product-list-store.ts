import type { Product, ProductSummary } from '@caravan/contracts/catalog'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import type { Database } from '@caravan/service-kit/database'
import { z } from 'zod'

export type Status = Product['status']

export interface Paging {
  readonly limit: number
  readonly after?: string | undefined
  /** Products of these only. */
  readonly statuses: readonly Status[]
}

interface ListQuery extends Paging {
  readonly seller?: string | undefined
  /** Products of any of these; of all categories when absent. */
  readonly categories?: readonly string[]
}

type Page = { data: ProductSummary[]; hasMore: boolean; next?: string }

const listPosition = z.tuple([z.iso.datetime({ precision: 3 }), z.uuid()])

const newestFirst = [
  { column: 'created_at', order: 'desc' },
  { column: 'id', order: 'desc' },
] as const

export const summaryOf = (row: { summary: string }): ProductSummary => JSON.parse(row.summary)

export const createProductLists = (db: Database) => {
  /** A stretch of one index, at most `limit + 1` rows from the cursor's position on. */
  const stretch = ({ limit, after, seller }: ListQuery, status: Status, category?: string) => {
    const query = db('products').select('id', 'created_at', 'summary').where({ status })
    if (seller) query.where('seller', seller)
    if (category) query.where('category', category)
    if (after !== undefined) {
      const [createdAt, id] = decodeCursor('catalog', listPosition, after)
      const at = new Date(createdAt)
      query
        .where('created_at', '<=', at)
        .where((either) => either.where('created_at', '<', at).orWhere('id', '<', id))
    }
    return query.orderBy([...newestFirst]).limit(limit + 1)
  }

  /** Newest first. Each status of each category is read by its own stretch of the index, and their heads are merged. */
  const list = async (query: ListQuery): Promise<Page> => {
    const { limit, statuses, categories = [undefined] } = query
    const heads = statuses.flatMap((status) => categories.map((category) => stretch(query, status, category)))
    const [only] = heads
    const rows: { id: string; created_at: Date; summary: string }[] = await (heads.length === 1 && only
      ? only
      : db
          .from(db.unionAll(heads, true).as('heads'))
          .select('id', 'created_at', 'summary')
          .orderBy([...newestFirst])
          .limit(limit + 1))
    return toPage(rows, limit, summaryOf, (row) => [row.created_at.toISOString(), row.id])
  }

  return { list }
}

export type ProductLists = ReturnType<typeof createProductLists>
