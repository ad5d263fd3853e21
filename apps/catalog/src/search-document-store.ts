import type { Product } from '@caravan/contracts/catalog'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { type ProductContent, searchTerms } from './product.ts'
import { edition } from './terms.ts'

interface Document {
  title_terms: string
  terms: string
  status: Product['status']
}

/** How long a search may be read on, page by page. */
const keptHours = 1
const batch = 100

/** What says that a product's document is of this version and of today's rules; to be written with the product. */
export const indexedAs = (version: number) => ({ indexed_version: version, indexed_edition: edition })

/**
 * What search looks through: one document a product, and those that it replaced within the hour. A search reads the documents
 * of one version, so it shows each product once, however many are created and edited meanwhile.
 */
export const createSearchDocuments = (db: Database) => {
  /** Takes the next version, and the lock under which versions are committed in their order. */
  const next = async (tx: Transaction): Promise<number> => {
    const [{ insertId }] = await tx.raw(
      'UPDATE search_version SET version = LAST_INSERT_ID(version + 1) WHERE one = 1',
    )
    return insertId
  }

  /** Replaces the document of a product whose row is locked. All that change a product wait for it: it comes last. */
  const write = async (tx: Transaction, product: string, content: ProductContent): Promise<void> => {
    const { title, all } = searchTerms(content)
    const document = { title_terms: title.join(' '), terms: all.join(' ') }
    const known: Document | undefined = await tx('search_documents')
      .where({ product })
      .whereNull('until')
      .first('title_terms', 'terms', 'status')
    const { status } = content
    if (known && known.status !== status) await tx('search_documents').where({ product }).update({ status })
    if (known?.title_terms === document.title_terms && known.terms === document.terms) return
    const version = await next(tx)
    await tx.raw(
      'UPDATE search_documents SET until = ?, replaced_at = NOW(3) WHERE product = ? AND until IS NULL',
      [version, product],
    )
    await tx('search_documents').insert({ product, since: version, status, ...document })
  }

  const isBehind = `indexed_version <> version OR indexed_edition < ${edition}`

  const writeAgain = (id: string): Promise<void> =>
    transaction(db, async (tx) => {
      const [[row]] = (await tx.raw(
        `SELECT version, content FROM products WHERE id = ? AND (${isBehind}) FOR UPDATE`,
        [id],
      )) as unknown as [{ version: number; content: string }[]]
      if (!row) return
      await tx('products')
        .where({ id })
        .update({ ...indexedAs(row.version), changed_at: db.raw('changed_at') })
      await write(tx, id, JSON.parse(row.content))
    })

  return {
    write,

    /** The version to begin a search with, and up to which one a search can no longer be read on. */
    versions: async (): Promise<{ version: number; trimmed: number }> => {
      const { version, trimmed } = await db('search_version').first('version', 'trimmed')
      return { version: Number(version), trimmed: Number(trimmed) }
    },

    /** Writes the documents that are missing, by older rules, or of another version. Several replicas may do so at once. */
    catchUp: async (): Promise<void> => {
      for (let after = ''; ; ) {
        // Mostly there is nothing: then it reads that index to its end, and not the products.
        const ids: string[] = await db
          .from(db.raw('products FORCE INDEX (indexing)'))
          .where('id', '>', after)
          .whereRaw(`(${isBehind})`)
          .orderBy('id')
          .limit(batch)
          .pluck('id')
        for (const id of ids) await writeAgain(id)
        after = ids.at(-1) ?? ''
        if (ids.length < batch) return
      }
    },

    /** Deletes what was replaced an hour ago. */
    trim: async (): Promise<void> => {
      const old = `replaced_at < NOW(3) - INTERVAL ${keptHours} HOUR`
      for (;;) {
        const deleted = await transaction(db, async (tx) => {
          const [[{ upTo }]] = await tx.raw(
            `SELECT MAX(until) AS upTo FROM (SELECT until FROM search_documents WHERE ${old}
             ORDER BY replaced_at LIMIT ${batch}) AS oldest`,
          )
          if (upTo === null) return 0
          await tx.raw('UPDATE search_version SET trimmed = GREATEST(trimmed, ?)', [upTo])
          const [{ affectedRows }] = await tx.raw(
            `DELETE FROM search_documents WHERE ${old} AND until <= ? LIMIT ${batch}`,
            [upTo],
          )
          return affectedRows
        })
        if (deleted < batch) return
      }
    },
  }
}

export type SearchDocuments = ReturnType<typeof createSearchDocuments>
