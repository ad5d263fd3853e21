import type { Account } from '@caravan/contracts/identity'
import type { Database } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'

export type StoredAccount = Account & { readonly passwordHash: string }

interface Row {
  id: string
  email: string
  name: string
  password_hash: string
  roles: string
  created_at: Date
}

const fromRow = (row: Row): StoredAccount => ({
  id: row.id,
  email: row.email,
  name: row.name,
  passwordHash: row.password_hash,
  roles: JSON.parse(row.roles),
  createdAt: row.created_at.toISOString(),
})

export const createAccountStore = (db: Database) => {
  const find = async (where: Partial<Row>): Promise<StoredAccount | undefined> => {
    const row = await db<Row>('accounts').where(where).first()
    return row && fromRow(row)
  }

  return {
    findById: (id: string) => find({ id }),

    /** By the address as the contract leaves it: trimmed, in lower case. */
    findByEmail: (email: string) => find({ email }),

    /** Throws 409 `identity/email-taken`: the unique key decides, so of two that race one is stored. */
    insert: async (account: StoredAccount): Promise<void> => {
      const { passwordHash, createdAt, roles, ...rest } = account
      try {
        await db('accounts').insert({
          ...rest,
          roles: JSON.stringify(roles),
          password_hash: passwordHash,
          created_at: new Date(createdAt),
        })
      } catch (cause) {
        if ((cause as { code?: string }).code !== 'ER_DUP_ENTRY') throw cause
        throw new AppError('conflict', 'identity/email-taken', 'There is an account with this address', {
          cause,
        })
      }
    },
  }
}

export type AccountStore = ReturnType<typeof createAccountStore>
