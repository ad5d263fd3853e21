import type { Database, Transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { hashOf } from '../derive.ts'

const minutes = 10

export interface OutsideIdentity {
  readonly issuer: string
  readonly subject: string
}

export const createOutsideIdentityStore = (db: Database) => ({
  begin: async (state: string, binding: string): Promise<void> => {
    await db.raw(
      `INSERT INTO outside_sign_ins (state_hash, binding_hash, expires_at)
       VALUES (?, ?, NOW(3) + INTERVAL ${minutes} MINUTE)`,
      [hashOf(state), hashOf(binding)],
    )
  },

  /** Whether such a sign-in is under way; it is over with that. */
  end: async (state: string, binding: string): Promise<boolean> => {
    const [result] = await db.raw(
      'DELETE FROM outside_sign_ins WHERE state_hash = ? AND binding_hash = ? AND expires_at > NOW(3)',
      [hashOf(state), hashOf(binding)],
    )
    return result.affectedRows === 1
  },

  accountOf: async ({ issuer, subject }: OutsideIdentity): Promise<string | undefined> => {
    const row = await db('outside_identities').where({ issuer, subject }).first('account_id')
    return row?.account_id
  },

  /** The account that the identity is linked to now: another one where that was faster. Throws 401 where it was closed. */
  link: async (
    { issuer, subject }: OutsideIdentity,
    accountId: string,
    on: Database | Transaction = db,
  ): Promise<string> => {
    await on.raw('INSERT IGNORE INTO outside_identities (issuer, subject, account_id) VALUES (?, ?, ?)', [
      issuer,
      subject,
      accountId,
    ])
    const row = await on('outside_identities').where({ issuer, subject }).first('account_id')
    if (!row) throw new AppError('unauthenticated', 'identity/account-gone', 'The account was closed')
    return row.account_id
  },

  trim: async (): Promise<void> => {
    await db.raw('DELETE FROM outside_sign_ins WHERE expires_at < NOW(3) LIMIT 1000')
  },
})

export type OutsideIdentityStore = ReturnType<typeof createOutsideIdentityStore>
