import {
  completeOutsideSignIn,
  createSession,
  endAllSessions,
  endCurrentSession,
  endSession,
  listSessions,
  refreshSession,
  startOutsideSignIn,
  type Tokens,
} from '@caravan/contracts/sessions'
import type { AccessState } from '@caravan/service-kit/access-state'
import { type Audit, auditEntryOf } from '@caravan/service-kit/audit'
import { clientOf } from '@caravan/service-kit/client'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import type { AccountStore } from '../accounts/account-store.ts'
import type { OutsideSignIn } from '../accounts/outside-sign-in.ts'
import type { Passwords } from '../accounts/passwords.ts'
import { pageBy } from '../page-by.ts'
import type { AccessTokens } from '../tokens/access-tokens.ts'
import type { Proof } from './proof.ts'
import type { Refreshed, SessionStore } from './session-store.ts'

interface Collaborators {
  readonly accounts: AccountStore
  readonly access: Pick<AccessState, 'assertNotBanned'>
  readonly sessions: SessionStore
  readonly proof: Proof
  readonly passwords: Pick<Passwords, 'hash' | 'isOutdated'>
  readonly tokens: AccessTokens
  readonly audit: Audit
  readonly outside: OutsideSignIn
}

const over = () => new AppError('unauthenticated', 'identity/session-over', 'Sign in again')

export const sessionRoutes = (parts: Collaborators): readonly Route[] => {
  const { accounts, access, sessions, proof, passwords, tokens, audit, outside } = parts

  const tokensOf = async ({ accountId, sessionId, refreshToken }: Refreshed): Promise<Tokens> => {
    const account = await accounts.findById(accountId)
    if (!account) throw over()
    access.assertNotBanned(accountId, sessionId)
    return {
      ...tokens.forMember(accountId, sessionId),
      ...{ tokenType: 'Bearer', refreshToken },
    }
  }

  return [
    route(createSession, async ({ body: { email, password }, headers, identify }) => {
      const find = async () => {
        const account = await accounts.findByEmail(email)
        if (account) identify(account.id)
        return account
      }
      const account = await proof({ email, password, headers, find })
      if (!account)
        throw new AppError('unauthenticated', 'identity/wrong-credentials', 'Wrong address or password')
      access.assertNotBanned(account.id)
      if (passwords.isOutdated(account.passwordHash))
        await accounts.changePassword(account.id, account.passwordHash, await passwords.hash(password))
      return tokensOf(await sessions.open(account.id, clientOf(headers)))
    }),

    route(refreshSession, async ({ body: { refreshToken }, headers }) => {
      const result = refreshToken ? await sessions.refresh(refreshToken) : undefined
      if (result?.outcome === 'refreshed') return tokensOf(result)
      if (result?.outcome === 'reused')
        await audit(
          auditEntryOf(
            result.accountId,
            { action: 'refreshTokenReused', object: `/v1/sessions/${result.sessionId}`, outcome: '401' },
            headers,
          ),
        )
      throw over()
    }),

    route(startOutsideSignIn, () => outside.start()),

    route(completeOutsideSignIn, async ({ body: { answer, binding }, caller, headers, identify }) => {
      const member = caller.kind === 'member' ? caller.id : undefined
      const accountId = await outside.complete(answer, binding, member)
      identify(accountId)
      access.assertNotBanned(accountId)
      return tokensOf(await sessions.open(accountId, clientOf(headers)))
    }),

    route(listSessions, async ({ caller, query: { limit, after } }) => {
      const { data, ...page } = pageBy(
        await sessions.list(caller.id, limit + 1, after),
        limit,
        ({ id }) => id,
      )
      return {
        data: data.map((session) => ({ ...session, current: session.id === caller.session })),
        ...page,
      }
    }),

    route(endCurrentSession, async ({ caller }) => {
      if (caller.session) await sessions.endOne(caller.id, caller.session, 'logout')
      return undefined
    }),

    route(endSession, async ({ caller, params: { sessionId } }) => {
      if (await sessions.endOne(caller.id, sessionId, 'logout')) return undefined
      throw new AppError('not-found', 'identity/no-such-session', 'You have no such live session')
    }),

    route(endAllSessions, async ({ caller }) => {
      await sessions.endAll(caller.id, 'logout')
      return undefined
    }),
  ]
}
