import { isDeepStrictEqual } from 'node:util'
import { type Product, type ProductSummary, productChanged } from '@caravan/contracts/catalog'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import { z } from 'zod'
import { decodeCursor, toPage } from './cursor.ts'
import { type ProductContent, searchTerms, skusOf, summarise } from './product.ts'
import { toBoolean, toQuery } from './terms.ts'

interface Row {
  id: string
  version: number
  created_at: Date
  updated_at: Date
  content: string
}

interface ListRow {
  id: string
  created_at: Date
  summary: string
}

interface Match {
  id: string
  score: string
  summary: string
}

interface Page {
  readonly limit: number
  readonly after?: string | undefined
}

type Summaries = { data: ProductSummary[]; hasMore: boolean; next?: string }

const listPosition = z.tuple([z.iso.datetime({ precision: 3 }), z.uuid()])
const searchPosition = z.tuple([z.enum(['all', 'any']), z.string().regex(/^\d{1,12}\.\d{4}$/), z.uuid()])

const isDuplicate = (error: unknown): boolean => (error as { code?: unknown }).code === 'ER_DUP_ENTRY'
const summaryOf = (row: { summary: string }): ProductSummary => JSON.parse(row.summary)

const present = (row: Row): Product => ({
  id: row.id,
  version: row.version,
  ...(JSON.parse(row.content) as ProductContent),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

export const createProductStore = (db: Database, outbox: Outbox) => {
  /** Throws 404 for a product that is not on the shelf. */
  const get = async (id: string): Promise<Product> => {
    const row: Row | undefined = await db('products')
      .where({ id, status: 'on-shelf' })
      .first('id', 'version', 'created_at', 'updated_at', 'content')
    if (!row) throw new AppError('not-found', 'catalog/product-not-found', 'No such product')
    return present(row)
  }

  /** Newest first. Each category is read by its own stretch of the index, and the heads are merged. */
  const list = async ({
    limit,
    after,
    seller,
    categories,
  }: Page & { seller?: string | undefined; categories?: readonly string[] }): Promise<Summaries> => {
    const position = after === undefined ? undefined : decodeCursor(listPosition, after)
    const stretch = (category?: string) => {
      const query = db('products').select('id', 'created_at', 'summary').where('status', 'on-shelf')
      if (seller) query.where('seller', seller)
      if (category) query.where('category', category)
      if (position) {
        const [createdAt, id] = [new Date(position[0]), position[1]]
        query
          .where('created_at', '<=', createdAt)
          .where((either) => either.where('created_at', '<', createdAt).orWhere('id', '<', id))
      }
      return query
        .orderBy([
          { column: 'created_at', order: 'desc' },
          { column: 'id', order: 'desc' },
        ])
        .limit(limit + 1)
    }
    const rows: ListRow[] = await (categories
      ? db
          .from(db.unionAll(categories.map(stretch), true).as('heads'))
          .select('id', 'created_at', 'summary')
          .orderBy([
            { column: 'created_at', order: 'desc' },
            { column: 'id', order: 'desc' },
          ])
          .limit(limit + 1)
      : stretch())
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
    )) as unknown as [Match[]]
    return toPage(rows, limit, summaryOf, (row) => [mode, row.score, row.id])
  }

  /** Best match first: products with all of the words or, where there is none, with any of them. */
  const search = async ({ q, limit, after }: Page & { q: string }): Promise<Summaries> => {
    const terms = toQuery(q)
    if (terms.length === 0) return { data: [], hasMore: false }
    if (after !== undefined) {
      const [mode, ...from] = decodeCursor(searchPosition, after)
      return match(terms, mode, limit, from)
    }
    const page = await match(terms, 'all', limit)
    return page.data.length > 0 || terms.length === 1 ? page : match(terms, 'any', limit)
  }

  /** Throws 409 when a SKU is another product's. */
  const writeSkus = async (tx: Transaction, product: string, skus: readonly string[]): Promise<void> => {
    const rows: { sku: string }[] = await tx('product_skus').where({ product }).select('sku')
    const before = new Set(rows.map((row) => row.sku))
    const gone = [...before].filter((sku) => !skus.includes(sku))
    const added = skus.filter((sku) => !before.has(sku))
    if (gone.length > 0) await tx('product_skus').whereIn('sku', gone).delete()
    if (added.length === 0) return
    try {
      await tx('product_skus').insert(added.map((sku) => ({ sku, product })))
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const taken: { sku: string }[] = await tx('product_skus').whereIn('sku', added).select('sku')
      throw new AppError('conflict', 'catalog/sku-taken', 'A SKU belongs to another product', {
        data: { skus: taken.map((row) => row.sku) },
      })
    }
  }

  const write = (id: string, content: ProductContent): Promise<Product> =>
    transaction(db, async (tx) => {
      const row: Row | undefined = await tx('products')
        .where({ id })
        .forUpdate()
        .first('id', 'version', 'created_at', 'updated_at', 'content')
      if (row && isDeepStrictEqual(JSON.parse(row.content), content)) return present(row)

      const { seller, category, status } = content
      if (!(await tx('sellers').where({ id: seller }).first('id')))
        throw new AppError('conflict', 'catalog/unknown-seller', 'No such seller')
      if (!(await tx('categories').where({ slug: category }).first('slug')))
        throw new AppError('conflict', 'catalog/unknown-category', 'No such category')

      const now = new Date()
      const next = {
        id,
        version: (row?.version ?? 0) + 1,
        created_at: row?.created_at ?? now,
        updated_at: now,
        content: JSON.stringify(content),
      }
      const columns = {
        ...{ ...next, seller, category, status },
        summary: JSON.stringify(summarise(id, content)),
        terms: searchTerms(content),
      }
      if (row) await tx('products').where({ id }).update(columns)
      else await tx('products').insert(columns)
      await writeSkus(tx, id, skusOf(content))
      const product = present(next)
      await outbox.add(tx, [fact(productChanged, product)])
      return product
    })

  /**
   * Creates or replaces a product. Each real change makes the version one higher and is published; the same content again
   * changes nothing. Throws 409 for an unknown seller or category, or a SKU of another product.
   */
  const put = async (id: string, content: ProductContent): Promise<Product> => {
    skusOf(content)
    const product = await write(id, content).catch((error) => {
      // Another first write of this id was faster: now it is there to be locked and replaced.
      if (isDuplicate(error)) return write(id, content)
      throw error
    })
    outbox.wake()
    return product
  }

  return { get, list, search, put }
}

export type ProductStore = ReturnType<typeof createProductStore>
