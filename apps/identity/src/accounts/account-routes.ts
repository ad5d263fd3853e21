import type { IncomingHttpHeaders } from 'node:http'
import {
  changePassword,
  closeAccount,
  confirmAddress,
  createAccount,
  deleteAddress,
  exportMe,
  getAddress,
  getMe,
  inquireAccount,
  listAddresses,
  putAddress,
  putMe,
  requestPasswordReset,
  resetPassword,
  sendConfirmation,
} from '@caravan/contracts/identity'
import type { AccessState } from '@caravan/service-kit/access-state'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { type Route, route } from '@caravan/service-kit/route'
import type { Proof } from '../sessions/proof.ts'
import type { SessionStore } from '../sessions/session-store.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { AddressStore } from './address-store.ts'
import type { CredentialStore } from './credential-store.ts'
import type { MailLinkStore } from './mail-link-store.ts'
import type { Passwords } from './passwords.ts'

interface Collaborators {
  readonly accounts: AccountStore
  readonly access: Pick<AccessState, 'rolesOf'>
  readonly addresses: AddressStore
  readonly credentials: CredentialStore
  readonly links: MailLinkStore
  readonly sessions: SessionStore
  readonly passwords: Pick<Passwords, 'hash'>
  readonly proof: Proof
}

/** More than anybody has; an answer has to pass the sidecars. */
const exportedSessions = 2000

export const accountRoutes = (parts: Collaborators): readonly Route[] => {
  const { accounts, access, addresses, credentials, links, sessions, passwords, proof } = parts

  const there = (account: StoredAccount | undefined): StoredAccount => {
    if (!account) throw new AppError('unauthenticated', 'identity/account-gone', 'Sign in again')
    return account
  }

  const mine = async (id: string): Promise<StoredAccount> => there(await accounts.findById(id))

  const shown = <T extends StoredAccount>(account: T) => ({
    ...account,
    roles: [...access.rolesOf(account.id)],
  })

  /** The caller's account, whose password this is. Throws 422 `identity/wrong-password`, 429 `identity/too-many-failures`. */
  const proven = async (
    id: string,
    password: string,
    headers: IncomingHttpHeaders,
  ): Promise<StoredAccount> => {
    const account = await mine(id)
    const { email } = account
    if (await proof({ email, password, headers, find: async () => account })) return account
    throw new AppError('invalid', 'identity/wrong-password', 'That is not the password', {
      errors: [{ pointer: '/password', detail: 'wrong' }],
    })
  }

  return [
    route(createAccount, async ({ body: { password, ...body }, identify }) => {
      const account: StoredAccount = {
        id: newId(),
        ...body,
        passwordHash: await passwords.hash(password),
        roles: ['member'],
        createdAt: new Date().toISOString(),
      }
      await credentials.register(account)
      identify(account.id)
      return shown(account)
    }),

    route(getMe, async ({ caller }) => shown(await mine(caller.id))),

    route(putMe, async ({ caller, body, precondition }) =>
      shown(there(await accounts.change(caller.id, body, (account) => precondition(shown(account))))),
    ),

    route(sendConfirmation, async ({ caller }) => {
      const { confirmedAt } = await mine(caller.id)
      if (!confirmedAt) await links.request(caller.id, 'confirm')
      return undefined
    }),

    route(confirmAddress, async ({ body: { token }, identify }) => {
      identify(await credentials.confirm(token))
      return undefined
    }),

    route(changePassword, async ({ caller, body: { password, newPassword }, headers }) => {
      const { passwordHash } = await proven(caller.id, password, headers)
      await credentials.changePassword(caller, passwordHash, await passwords.hash(newPassword))
      return undefined
    }),

    route(requestPasswordReset, async ({ body: { email } }) => {
      const account = await accounts.findByEmail(email)
      await links.request(account?.id ?? '', 'reset')
      return undefined
    }),

    route(resetPassword, async ({ body: { token, newPassword }, identify }) => {
      identify(await credentials.resetPassword(token, await passwords.hash(newPassword)))
      return undefined
    }),

    route(listAddresses, async ({ caller }) => ({ data: await addresses.list(caller.id) })),

    route(getAddress, ({ caller, params }) => addresses.get(caller.id, params.addressId)),

    route(putAddress, async ({ caller, params, body, precondition }) => {
      await addresses.put({ accountId: caller.id, id: params.addressId, ...body }, precondition)
      return { id: params.addressId, ...body }
    }),

    route(deleteAddress, async ({ caller, params, precondition }) => {
      await addresses.remove(caller.id, params.addressId, precondition)
      return undefined
    }),

    route(exportMe, async ({ caller: { id } }) => ({
      account: shown(await mine(id)),
      addresses: await addresses.list(id),
      sessions: await sessions.list(id, exportedSessions),
    })),

    route(closeAccount, async ({ caller, body: { password }, headers }) => {
      await proven(caller.id, password, headers)
      await credentials.close(caller.id)
      return undefined
    }),

    route(inquireAccount, async ({ body: { email } }) => {
      const account = await accounts.findByEmail(email)
      if (!account) return { outcome: 'not-found' as const }
      return { outcome: 'found' as const, accountId: account.id }
    }),
  ]
}
