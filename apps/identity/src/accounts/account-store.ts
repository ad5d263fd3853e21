import type { Account } from '@caravan/contracts/identity'
import { type Database, isDuplicate, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'

export type StoredAccount = Account & { readonly passwordHash: string }

interface Row {
  id: string
  email: string
  name: string
  locale: Account['locale']
  password_hash: string
  roles: string
  created_at: Date
  confirmed_at: Date | null
}

const fromRow = (row: Row): StoredAccount => ({
  id: row.id,
  email: row.email,
  name: row.name,
  locale: row.locale,
  passwordHash: row.password_hash,
  roles: JSON.parse(row.roles),
  createdAt: row.created_at.toISOString(),
  ...(row.confirmed_at ? { confirmedAt: row.confirmed_at.toISOString() } : {}),
})

/** Where no transaction is given, each statement is its own. */
export const createAccountStore = (db: Database) => {
  const find = async (
    where: Partial<Row>,
    on: Database | Transaction = db,
  ): Promise<StoredAccount | undefined> => {
    const row = await on<Row>('accounts').where(where).first()
    return row && fromRow(row)
  }

  return {
    findById: (id: string, on?: Transaction) => find({ id }, on),

    /** By the address as the contract leaves it: trimmed, in lower case. */
    findByEmail: (email: string) => find({ email }),

    /** Throws 409 `identity/email-taken`: the unique key decides, so of two that race one is stored. */
    insert: async (account: StoredAccount, on: Database | Transaction = db): Promise<void> => {
      const { passwordHash, createdAt, confirmedAt, roles, ...rest } = account
      try {
        await on('accounts').insert({
          ...rest,
          roles: JSON.stringify(roles),
          password_hash: passwordHash,
          created_at: new Date(createdAt),
          confirmed_at: confirmedAt ? new Date(confirmedAt) : null,
        })
      } catch (cause) {
        if (!isDuplicate(cause)) throw cause
        throw new AppError('conflict', 'identity/email-taken', 'There is an account with this address', {
          cause,
        })
      }
    },

    /** Resolves with the account as it is then. Throws what `check` throws, which is asked under its lock. */
    change: (
      id: string,
      to: Pick<Account, 'name' | 'locale'>,
      check: (account: StoredAccount) => void,
    ): Promise<StoredAccount | undefined> =>
      transaction(db, async (tx) => {
        const row: Row | undefined = await tx('accounts').where({ id }).forUpdate().first()
        if (!row) return undefined
        check(fromRow(row))
        await tx('accounts').where({ id }).update(to)
        return { ...fromRow(row), ...to }
      }),

    /** Only where the hash is still the one that was checked: of two changes at once one is made. Resolves with whether. */
    changePassword: async (
      id: string,
      from: string,
      to: string,
      on: Database | Transaction = db,
    ): Promise<boolean> =>
      (await on('accounts').where({ id, password_hash: from }).update({ password_hash: to })) === 1,

    /** Whatever it was: for who has proven otherwise whose account it is. */
    setPassword: async (tx: Transaction, id: string, to: string): Promise<void> => {
      await tx('accounts').where({ id }).update({ password_hash: to })
    },

    confirm: async (tx: Transaction, id: string): Promise<void> => {
      await tx('accounts').where({ id, confirmed_at: null }).update({ confirmed_at: new Date() })
    },

    /** For a change of what hangs on it: who signs in or out at the same time waits. */
    lock: async (tx: Transaction, id: string): Promise<StoredAccount | undefined> => {
      const row = await tx<Row>('accounts').where({ id }).forUpdate().first()
      return row && fromRow(row)
    },

    /** With all that hangs on it. */
    remove: async (tx: Transaction, id: string): Promise<void> => {
      await tx('accounts').where({ id }).delete()
    },
  }
}

export type AccountStore = ReturnType<typeof createAccountStore>
