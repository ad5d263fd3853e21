import type { SavedAddress } from '@caravan/contracts/identity'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Precondition } from '@caravan/service-kit/precondition'

const most = 20

interface Row {
  id: string
  content: string
}

const present = ({ id, content }: Row): SavedAddress => ({ id, ...JSON.parse(content) })

/** Makes those who change its addresses at once take turns. False where it is gone. */
const lockAccount = async (tx: Transaction, id: string): Promise<boolean> => {
  const [[account]] = await tx.raw('SELECT 1 FROM accounts WHERE id = ? FOR UPDATE', [id])
  return account !== undefined
}

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
      if (!(await lockAccount(tx, accountId)))
        throw new AppError('unauthenticated', 'identity/account-gone', 'Sign in again')
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

  /** A repeat changes nothing. Throws 412. */
  remove: (accountId: string, id: string, precondition: Precondition): Promise<void> =>
    transaction(db, async (tx) => {
      await lockAccount(tx, accountId)
      const row: Row | undefined = await tx('addresses').where({ account_id: accountId, id }).first()
      precondition(row && present(row))
      if (row) await tx('addresses').where({ account_id: accountId, id }).delete()
    }),
})

export type AddressStore = ReturnType<typeof createAddressStore>
