import { decodeCursor, invalidCursor, toPage } from '@caravan/service-kit/cursor'
import type { Database } from '@caravan/service-kit/database'
import { z } from 'zod'
import { type Paging, type Status, summaryOf } from './product-list-store.ts'
import type { SearchDocuments } from './search-document-store.ts'
import { beginning, toBoolean, toQuery } from './terms.ts'

type Mode = 'all' | 'any'

/** The version that a search began with; then the last product's points and id. */
const position = z.tuple([z.int().min(0), z.enum(['all', 'any']), z.int().min(0), z.uuid()])

/** How many terms of a query count for the order of what it finds. */
const weighed = 8

/** A document's points, by nothing but itself and the query: how many terms it has, and those of its title, whole or not, again. */
const pointsOf = (terms: readonly string[]) => {
  const inTitle = 'MATCH (title_terms) AGAINST (? IN BOOLEAN MODE)'
  const anywhere = 'MATCH (terms) AGAINST (? IN BOOLEAN MODE)'
  const counted = terms.slice(0, weighed).flatMap((term) => [
    [inTitle, term],
    [inTitle, beginning(term)],
    [anywhere, beginning(term)],
  ])
  return {
    sql: counted.map(([match]) => `(${match} > 0)`).join(' + '),
    bindings: counted.map(([, term]) => term),
  }
}

export const createProductSearch = (db: Database, documents: Pick<SearchDocuments, 'versions'>) => {
  const match = async (
    terms: readonly string[],
    mode: Mode,
    { limit, statuses }: Paging,
    version: number,
    from?: readonly [points: number, id: string],
  ) => {
    const points = pointsOf(terms)
    const [rows] = (await db.raw(
      `SELECT id, points, summary FROM (
         SELECT product, points FROM (
           SELECT product, ${points.sql} AS points FROM search_documents
           WHERE MATCH (terms) AGAINST (? IN BOOLEAN MODE)
             AND since <= ? AND (until IS NULL OR until > ?) AND status IN (?)) AS matches
         ${from ? 'WHERE points < ? OR (points = ? AND product < ?)' : ''}
         ORDER BY points DESC, product DESC LIMIT ?) AS page
       JOIN products ON id = product
       ORDER BY points DESC, id DESC`,
      [
        ...points.bindings,
        ...[toBoolean(terms, mode), version, version, [...statuses]],
        ...(from ? [from[0], from[0], from[1]] : []),
        limit + 1,
      ] as string[],
    )) as unknown as [{ id: string; points: number; summary: string }[]]
    return toPage(rows, limit, summaryOf, (row) => [version, mode, Number(row.points), row.id])
  }

  /**
   * Best match first, then newest: products with all of the words or, where there is none, with any of them. All pages of a
   * search are of the moment of its first one, but for what was taken out of sight since.
   */
  return async ({
    q,
    after,
    ...paging
  }: Paging & { q: string; after?: string | undefined; statuses: readonly Status[] }) => {
    const terms = toQuery(q)
    if (terms.length === 0) return { data: [], hasMore: false }
    const { version, trimmed } = await documents.versions()
    if (after !== undefined) {
      const [begun, mode, points, id] = decodeCursor('catalog', position, after)
      if (begun < trimmed) throw invalidCursor('catalog', 'too old: search again')
      return match(terms, mode, paging, begun, [points, id])
    }
    const page = await match(terms, 'all', paging, version)
    return page.data.length > 0 || terms.length === 1 ? page : match(terms, 'any', paging, version)
  }
}

export type ProductSearch = ReturnType<typeof createProductSearch>
