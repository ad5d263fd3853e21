import { createHash, timingSafeEqual } from 'node:crypto'
import {
  createAccount,
  createSession,
  getDiscovery,
  getKeys,
  getMe,
  issueAnonymousToken,
} from '@caravan/contracts/identity'
import type { AccessState } from '@caravan/service-kit/access-state'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { type Route, route } from '@caravan/service-kit/route'
import type { AccessTokens } from './access-tokens.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { Passwords } from './passwords.ts'

interface Collaborators {
  readonly accounts: AccountStore
  readonly access: AccessState
  readonly passwords: Passwords
  readonly tokens: AccessTokens
  readonly clientSecret: string
}

const digest = (text: string) => createHash('sha256').update(text).digest()

export const routes = ({
  accounts,
  access,
  passwords,
  tokens,
  clientSecret,
}: Collaborators): readonly Route[] => [
  route(createAccount, async ({ body: { email, name, password } }) => {
    const account: StoredAccount = {
      id: newId(),
      email,
      name,
      passwordHash: await passwords.hash(password),
      roles: ['member'],
      createdAt: new Date().toISOString(),
    }
    await accounts.insert(account)
    return { ...account, roles: [...access.rolesOf(account.id)] }
  }),

  route(createSession, async ({ body: { email, password } }) => {
    const account = await accounts.findByEmail(email)
    if (!(await passwords.matches(account?.passwordHash, password)) || !account)
      throw new AppError('unauthenticated', 'identity/wrong-credentials', 'Wrong address or password')
    access.assertNotBanned(account.id)
    return { ...tokens.forMember(account.id, account.roles), tokenType: 'Bearer' as const }
  }),

  route(getMe, async ({ caller }) => {
    const account = await accounts.findById(caller.id)
    if (!account) throw new AppError('unauthenticated', 'identity/account-gone', 'Sign in again')
    return { ...account, roles: [...access.rolesOf(account.id)] }
  }),

  route(getKeys, async () => tokens.jwks),

  route(getDiscovery, async () => tokens.discovery),

  route(issueAnonymousToken, async ({ body }) => {
    if (!timingSafeEqual(digest(body.clientSecret), digest(clientSecret)))
      throw new AppError('unauthenticated', 'identity/wrong-client-secret', 'Not the gateway’s secret')
    return tokens.forAnonymous()
  }),
]
