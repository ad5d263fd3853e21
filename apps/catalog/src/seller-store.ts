import type { Seller } from '@caravan/contracts/catalog'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import { type Database, orReplace, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'
import { z } from 'zod'

const position = z.tuple([z.uuid()])

interface Row {
  id: string
  document: string
}

const present = ({ id, document }: Row): Seller => ({ id, ...JSON.parse(document) })

export const createSellerStore = (db: Database) => {
  /** Throws 404. */
  const get = async (id: string): Promise<Seller> => {
    const row: Row | undefined = await db('sellers').where({ id }).first('id', 'document')
    if (!row) throw new AppError('not-found', 'catalog/seller-not-found', 'No such seller')
    return present(row)
  }

  /** In the order of their ids. */
  const list = async (limit: number, after?: string) => {
    const query = db('sellers')
      .orderBy('id')
      .limit(limit + 1)
    if (after !== undefined) query.where('id', '>', decodeCursor('catalog', position, after)[0])
    const rows: Row[] = await query.select('id', 'document')
    return toPage(rows, limit, present, ({ id }) => [id])
  }

  const write = ({ id, ...content }: Seller, precondition: Precondition): Promise<Seller> =>
    transaction(db, async (tx) => {
      const row: Row | undefined = await tx('sellers').where({ id }).forUpdate().first('id', 'document')
      precondition(row && present(row))
      const document = JSON.stringify(content)
      if (row) await tx('sellers').where({ id }).update({ document })
      else await tx('sellers').insert({ id, document })
      return { id, ...content }
    })

  /** Throws 412. */
  const put = (seller: Seller, precondition: Precondition): Promise<Seller> =>
    orReplace(() => write(seller, precondition))

  return { get, list, put }
}

export type SellerStore = ReturnType<typeof createSellerStore>
