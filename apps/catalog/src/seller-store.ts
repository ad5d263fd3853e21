import type { Seller } from '@caravan/contracts/catalog'
import { type Database, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'
import { z } from 'zod'
import { decodeCursor, toPage } from './cursor.ts'

const position = z.tuple([z.uuid()])

interface Row {
  id: string
  document: string
}

const present = ({ id, document }: Row): Seller => ({ id, ...JSON.parse(document) })

export const createSellerStore = (db: Database) => ({
  /** Throws 404. */
  get: async (id: string): Promise<Seller> => {
    const row: Row | undefined = await db('sellers').where({ id }).first('id', 'document')
    if (!row) throw new AppError('not-found', 'catalog/seller-not-found', 'No such seller')
    return present(row)
  },

  /** In the order of their ids. */
  list: async (limit: number, after?: string) => {
    const query = db('sellers')
      .orderBy('id')
      .limit(limit + 1)
    if (after !== undefined) query.where('id', '>', decodeCursor(position, after)[0])
    const rows: Row[] = await query.select('id', 'document')
    return toPage(rows, limit, present, ({ id }) => [id])
  },

  /** Throws 412. */
  put: ({ id, ...document }: Seller, precondition: Precondition): Promise<Seller> =>
    transaction(db, async (tx) => {
      const column = JSON.stringify(document)
      // Writes nothing where it is there, and holds its lock either way: of two that come first one finds the other's.
      const [{ affectedRows }] = await tx.raw(
        'INSERT INTO sellers (id, document) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id',
        [id, column],
      )
      const isNew = affectedRows === 1
      const row: Row | undefined = isNew
        ? undefined
        : await tx('sellers').where({ id }).first('id', 'document')
      precondition(row && present(row))
      if (row && row.document !== column) await tx('sellers').where({ id }).update({ document: column })
      return { id, ...document }
    }),
})

export type SellerStore = ReturnType<typeof createSellerStore>
