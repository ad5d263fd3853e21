import { accountClosed } from '@caravan/contracts/identity'
import type { Caller } from '@caravan/service-kit/authenticate'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import type { AccessStore } from '../access/access-store.ts'
import type { SessionStore } from '../sessions/session-store.ts'
import type { SignInLimitStore } from '../sessions/sign-in-limit-store.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { MailLinkStore } from './mail-link-store.ts'
import type { OutsideIdentity, OutsideIdentityStore } from './outside-identity-store.ts'

interface Parts {
  readonly db: Database
  readonly outbox: Outbox
  readonly access: Pick<AccessStore, 'forget'>
  readonly accounts: AccountStore
  readonly links: MailLinkStore
  readonly sessions: SessionStore
  readonly identities: OutsideIdentityStore
  readonly limits: Pick<SignInLimitStore, 'forget'>
}

/** What changes an account, its links and its sessions at once: each in one transaction. */
export const createCredentialStore = (parts: Parts) => {
  const { db, outbox, access, accounts, links, sessions, identities, limits } = parts

  const write = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const result = await transaction(db, work)
    outbox.wake()
    return result
  }

  return {
    /** With the mail that asks to confirm the address. Throws 409 `identity/email-taken`. */
    register: (account: StoredAccount): Promise<void> =>
      write(async (tx) => {
        await accounts.insert(account, tx)
        await links.request(account.id, 'confirm', tx)
      }),

    /** The account of an outside identity; resolves with its id. Throws 409 `identity/email-taken`. */
    adopt: (account: StoredAccount, identity: OutsideIdentity): Promise<string> =>
      write(async (tx) => {
        await accounts.insert(account, tx)
        return identities.link(identity, account.id, tx)
      }),

    /** Resolves with the account's id. */
    confirm: (token: string): Promise<string> =>
      write(async (tx) => {
        const id = await links.use(tx, token, 'confirm')
        await accounts.confirm(tx, id)
        return id
      }),

    /** Ends every session but the caller's. Throws 409 `identity/password-changed` where another change was faster. */
    changePassword: (caller: Caller, from: string, to: string): Promise<void> =>
      write(async (tx) => {
        if (!(await accounts.changePassword(caller.id, from, to, tx)))
          throw new AppError('conflict', 'identity/password-changed', 'The password was changed meanwhile')
        await sessions.endAllIn(tx, caller.id, 'password', caller.session)
      }),

    /**
     * Ends every session. The link came by mail, so it confirms the address too, and wrong passwords of before are forgotten.
     * Resolves with the account's id.
     */
    resetPassword: (token: string, passwordHash: string): Promise<string> =>
      write(async (tx) => {
        const id = await links.use(tx, token, 'reset')
        await accounts.setPassword(tx, id, passwordHash)
        await accounts.confirm(tx, id)
        await sessions.endAllIn(tx, id, 'password')
        const account = await accounts.findById(id, tx)
        if (account) await limits.forget(tx, account.email)
        return id
      }),

    /**
     * Deletes the account with all that hangs on it, its roles and bans too, and tells the others. A repeat changes nothing.
     * Throws 409 `identity/locks-out-administrators`.
     */
    close: (id: string): Promise<void> =>
      write(async (tx) => {
        const account = await accounts.lock(tx, id)
        if (!account) return
        await access.forget(tx, id, id, await sessions.endAllIn(tx, id, 'closure'))
        await limits.forget(tx, account.email)
        await accounts.remove(tx, id)
        await outbox.add(tx, [fact(accountClosed, { accountId: id })])
      }),
  }
}

export type CredentialStore = ReturnType<typeof createCredentialStore>
