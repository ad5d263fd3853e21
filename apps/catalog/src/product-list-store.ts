import type { ProductSummary } from '@caravan/contracts/catalog'
import type { Database } from '@caravan/service-kit/database'
import { z } from 'zod'
import { decodeCursor, toPage } from './cursor.ts'
import { toBoolean, toQuery } from './terms.ts'

interface Paging {
  readonly limit: number
  readonly after?: string | undefined
}

interface ListQuery extends Paging {
  readonly seller?: string | undefined
  /** Products of any of these; of all categories when absent. */
  readonly categories?: readonly string[]
}

type Page = { data: ProductSummary[]; hasMore: boolean; next?: string }

const listPosition = z.tuple([z.iso.datetime({ precision: 3 }), z.uuid()])
const searchPosition = z.tuple([z.enum(['all', 'any']), z.string().regex(/^\d{1,12}\.\d{4}$/), z.uuid()])

const newestFirst = [
  { column: 'created_at', order: 'desc' },
  { column: 'id', order: 'desc' },
] as const

const summaryOf = (row: { summary: string }): ProductSummary => JSON.parse(row.summary)

export const createProductLists = (db: Database) => {
  /** A stretch of one index, at most `limit + 1` rows from the cursor's position on. */
  const stretch = ({ limit, after, seller }: ListQuery, category?: string) => {
    const query = db('products').select('id', 'created_at', 'summary').where('status', 'on-shelf')
    if (seller) query.where('seller', seller)
    if (category) query.where('category', category)
    if (after !== undefined) {
      const [createdAt, id] = decodeCursor(listPosition, after)
      const at = new Date(createdAt)
      query
        .where('created_at', '<=', at)
        .where((either) => either.where('created_at', '<', at).orWhere('id', '<', id))
    }
    return query.orderBy([...newestFirst]).limit(limit + 1)
  }

  /** Newest first. Each category is read by its own stretch of the index, and their heads are merged. */
  const list = async (query: ListQuery): Promise<Page> => {
    const { limit, categories } = query
    const heads = categories?.map((category) => stretch(query, category))
    const rows: { id: string; created_at: Date; summary: string }[] = await (heads
      ? db
          .from(db.unionAll(heads, true).as('heads'))
          .select('id', 'created_at', 'summary')
          .orderBy([...newestFirst])
          .limit(limit + 1)
      : stretch(query))
    return toPage(rows, limit, summaryOf, (row) => [row.created_at.toISOString(), row.id])
  }

  const match = async (terms: readonly string[], mode: 'all' | 'any', limit: number, from?: string[]) => {
    const wanted = toBoolean(terms, mode)
    // A decimal, because a float does not come back from a cursor as it went.
    const [rows] = (await db.raw(
      `SELECT id, score, summary FROM (
         SELECT id, summary, CAST(MATCH (terms) AGAINST (? IN BOOLEAN MODE) AS DECIMAL(16, 4)) AS score
         FROM products WHERE MATCH (terms) AGAINST (? IN BOOLEAN MODE)) AS found
       ${from ? 'WHERE score < ? OR (score = ? AND id < ?)' : ''}
       ORDER BY score DESC, id DESC LIMIT ?`,
      [wanted, wanted, ...(from ? [from[0], from[0], from[1]] : []), limit + 1] as string[],
    )) as unknown as [{ id: string; score: string; summary: string }[]]
    return toPage(rows, limit, summaryOf, (row) => [mode, row.score, row.id])
  }

  /** Best match first: products with all of the words or, where there is none, with any of them. */
  const search = async ({ q, limit, after }: Paging & { q: string }): Promise<Page> => {
    const terms = toQuery(q)
    if (terms.length === 0) return { data: [], hasMore: false }
    if (after !== undefined) {
      const [mode, ...from] = decodeCursor(searchPosition, after)
      return match(terms, mode, limit, from)
    }
    const page = await match(terms, 'all', limit)
    return page.data.length > 0 || terms.length === 1 ? page : match(terms, 'any', limit)
  }

  return { list, search }
}

export type ProductLists = ReturnType<typeof createProductLists>
