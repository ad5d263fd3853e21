import { isDeepStrictEqual } from 'node:util'
import { type Product, productChanged } from '@caravan/contracts/catalog'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import {
  type Database,
  isDuplicate,
  orReplace,
  type Transaction,
  transaction,
} from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import type { Precondition } from '@caravan/service-kit/precondition'
import { z } from 'zod'
import { type ProductContent, searchTerms, skusOf, summarise } from './product.ts'
import type { Status } from './product-list-store.ts'
import { indexedAs, type SearchDocuments } from './search-document-store.ts'

interface Row {
  id: string
  version: number
  created_at: Date
  updated_at: Date
  content: string
}

const changePosition = z.tuple([z.iso.datetime({ precision: 3 }), z.uuid()])

const present = (row: Row): Product => ({
  id: row.id,
  version: row.version,
  ...(JSON.parse(row.content) as ProductContent),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

interface ChangesQuery {
  readonly since?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

export const createProductStore = (
  db: Database,
  outbox: Outbox,
  documents: Pick<SearchDocuments, 'write'>,
) => {
  /** Throws 404 for a product whose status is none of these. */
  const get = async (id: string, statuses: readonly Status[]): Promise<Product> => {
    const row: Row | undefined = await db('products')
      .where({ id })
      .whereIn('status', [...statuses])
      .first('id', 'version', 'created_at', 'updated_at', 'content')
    if (!row) throw new AppError('not-found', 'catalog/product-not-found', 'No such product')
    return present(row)
  }

  /** Throws 409 when a SKU is another product's, and says whose. */
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
      const taken: { sku: string; productId: string }[] = await tx('product_skus')
        .whereIn('sku', added)
        .orderBy('sku')
        .select('sku', 'product as productId')
      throw new AppError('conflict', 'catalog/sku-taken', 'A SKU belongs to another product', {
        errors: taken.map(({ sku, productId }) => ({
          pointer: `/variants/${skus.indexOf(sku)}/sku`,
          detail: `of product ${productId}`,
        })),
        data: { taken },
      })
    }
  }

  const write = (id: string, content: ProductContent, precondition: Precondition): Promise<Product> =>
    transaction(db, async (tx) => {
      const row: Row | undefined = await tx('products')
        .where({ id })
        .forUpdate()
        .first('id', 'version', 'created_at', 'updated_at', 'content')
      precondition(row && present(row))
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
        ...indexedAs(next.version),
        // Where the version before searches, which may run beside this one.
        terms: status === 'on-shelf' ? searchTerms(content).all.join(' ') : '',
      }
      if (row) await tx('products').where({ id }).update(columns)
      else await tx('products').insert(columns)
      await writeSkus(tx, id, skusOf(content))
      const product = present(next)
      await outbox.add(tx, [fact(productChanged, product)])
      await documents.write(tx, id, content)
      return product
    })

  /**
   * Creates or replaces a product. Each real change makes the version one higher and is published; the same content again
   * changes nothing. Throws 409 for an unknown seller or category, or a SKU of another product; 412.
   */
  const put = async (id: string, content: ProductContent, precondition: Precondition): Promise<Product> => {
    skusOf(content)
    const product = await orReplace(() => write(id, content, precondition))
    outbox.wake()
    return product
  }

  /**
   * A page of the products that changed at `since` or later, on the shelf or not, in the order of their last changes. A
   * change has the time of its statement and is seen from its commit on: read again from a while before `until`.
   */
  const changes = async ({ since, after, limit }: ChangesQuery) => {
    const [[clock]] = (await db.raw('SELECT NOW(3) AS now')) as unknown as [[{ now: Date }]]
    const query = db('products')
      .select('id', 'version', 'created_at', 'updated_at', 'content', 'changed_at')
      .orderBy(['changed_at', 'id'])
      .limit(limit + 1)
    if (after !== undefined) {
      const [changedAt, id] = decodeCursor('catalog', changePosition, after)
      const at = new Date(changedAt)
      query
        .where('changed_at', '>=', at)
        .where((either) => either.where('changed_at', '>', at).orWhere('id', '>', id))
    } else if (since !== undefined) query.where('changed_at', '>=', new Date(since))
    const rows: (Row & { changed_at: Date })[] = await query
    const page = toPage(rows, limit, present, (row) => [row.changed_at.toISOString(), row.id])
    return { ...page, until: clock.now.toISOString() }
  }

  /** Those of some SKUs that a product has, on the shelf or not. */
  const known = (skus: readonly string[]): Promise<string[]> =>
    db('product_skus')
      .whereIn('sku', [...skus])
      .orderBy('sku')
      .pluck('sku')

  return { get, put, changes, known }
}

export type ProductStore = ReturnType<typeof createProductStore>
