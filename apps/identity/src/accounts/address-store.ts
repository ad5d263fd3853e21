import type { SavedAddress } from '@caravan/contracts/identity'
import { type Database, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'

const most = 20

interface Row {
  id: string
  content: string
}

const present = ({ id, content }: Row): SavedAddress => ({ id, ...JSON.parse(content) })

export const createAddressStore = (db: Database) => ({
  list: async (accountId: string): Promise<SavedAddress[]> => {
    const rows: Row[] = await db('addresses')
      .where({ account_id: accountId })
      .orderBy('saved_at', 'desc')
      .orderBy('id')
      .limit(most)
    return rows.map(present)
  },

  /** Throws 404. */
  get: async (accountId: string, id: string): Promise<SavedAddress> => {
    const row: Row | undefined = await db('addresses').where({ account_id: accountId, id }).first()
    if (!row) throw new AppError('not-found', 'identity/address-not-found', 'You have no such address')
    return present(row)
  },

  /** Throws 409 `identity/address-book-full`, 412, and 401 where the account is gone. */
  put: (
    { accountId, id, ...content }: SavedAddress & { accountId: string },
    precondition: Precondition,
  ): Promise<void> =>
    transaction(db, async (tx) => {
      // Its lock makes those who save at once take turns.
      const [[account]] = await tx.raw('SELECT 1 FROM accounts WHERE id = ? FOR UPDATE', [accountId])
      if (!account) throw new AppError('unauthenticated', 'identity/account-gone', 'Sign in again')
      const row: Row | undefined = await tx('addresses').where({ account_id: accountId, id }).first()
      precondition(row && present(row))
      const [[{ others }]] = await tx.raw(
        'SELECT COUNT(*) AS others FROM addresses WHERE account_id = ? AND id <> ?',
        [accountId, id],
      )
      if (others >= most)
        throw new AppError('conflict', 'identity/address-book-full', `At most ${most} addresses are kept`)
      await tx.raw(
        `INSERT INTO addresses (account_id, id, content) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE content = VALUES(content), saved_at = NOW(3)`,
        [accountId, id, JSON.stringify(content)],
      )
    }),

  remove: async (accountId: string, id: string): Promise<void> => {
    await db('addresses').where({ account_id: accountId, id }).delete()
  },
})

export type AddressStore = ReturnType<typeof createAddressStore>
