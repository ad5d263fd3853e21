import type { Seller } from '@caravan/contracts/catalog'
import type { Database } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'

export const createSellerStore = (db: Database) => ({
  /** Throws 404. */
  get: async (id: string): Promise<Seller> => {
    const row = await db('sellers').where({ id }).first('document')
    if (!row) throw new AppError('not-found', 'catalog/seller-not-found', 'No such seller')
    return { id, ...JSON.parse(row.document) }
  },

  put: async ({ id, ...document }: Seller): Promise<Seller> => {
    await db('sellers')
      .insert({ id, document: JSON.stringify(document) })
      .onConflict('id')
      .merge()
    return { id, ...document }
  },
})

export type SellerStore = ReturnType<typeof createSellerStore>
