import type { Database } from '@caravan/service-kit/database'

/** Which accounts act for which sellers. */
export const createSellerStore = (db: Database) => ({
  allow: async (sellerId: string, accountId: string): Promise<void> => {
    await db('seller_accounts').insert({ seller_id: sellerId, account_id: accountId }).onConflict().ignore()
  },
  forbid: async (sellerId: string, accountId: string): Promise<void> => {
    await db('seller_accounts').where({ seller_id: sellerId, account_id: accountId }).delete()
  },
  ofAccount: (accountId: string): Promise<string[]> =>
    db('seller_accounts').where({ account_id: accountId }).pluck('seller_id'),
})

export type SellerStore = ReturnType<typeof createSellerStore>
