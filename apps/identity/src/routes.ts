import { createHash, timingSafeEqual } from 'node:crypto'
import {
  createAccount,
  createSession,
  getDiscovery,
  getKeys,
  getMe,
  issueAnonymousToken,
} from '@caravan/contracts/identity'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { type Route, route } from '@caravan/service-kit/route'
import type { AccessTokens } from './access-tokens.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { Passwords } from './passwords.ts'

interface Collaborators {
  readonly accounts: AccountStore
  readonly passwords: Passwords
  readonly tokens: AccessTokens
  readonly clientSecret: string
}

const digest = (text: string) => createHash('sha256').update(text).digest()

export const routes = ({ accounts, passwords, tokens, clientSecret }: Collaborators): readonly Route[] => [
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
    return account
  }),

  route(createSession, async ({ body: { email, password } }) => {
    const account = await accounts.findByEmail(email)
    if (!(await passwords.matches(account?.passwordHash, password)) || !account)
      throw new AppError('unauthenticated', 'identity/wrong-credentials', 'Wrong address or password')
    return { ...tokens.forMember(account.id, account.roles), tokenType: 'Bearer' as const }
  }),

  route(getMe, async ({ caller }) => {
    const account = await accounts.findById(caller.id)
    if (!account) throw new AppError('unauthenticated', 'identity/account-gone', 'Sign in again')
    return account
  }),

  route(getKeys, async () => tokens.jwks),

  route(getDiscovery, async () => tokens.discovery),

  route(issueAnonymousToken, async ({ body }) => {
    if (!timingSafeEqual(digest(body.clientSecret), digest(clientSecret)))
      throw new AppError('unauthenticated', 'identity/wrong-client-secret', 'Not the gateway’s secret')
    return tokens.forAnonymous()
  }),
]
