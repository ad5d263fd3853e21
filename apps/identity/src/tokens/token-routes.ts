import { getDiscovery, getKeys, issueAnonymousToken } from '@caravan/contracts/identity'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import { isSame } from '../derive.ts'
import type { AccessTokens } from './access-tokens.ts'

/** What is about keys and tokens, and nobody's account. */
export const tokenRoutes = (tokens: AccessTokens, clientSecret: string): readonly Route[] => [
  route(getKeys, async () => tokens.jwks()),

  route(getDiscovery, async () => tokens.discovery),

  route(issueAnonymousToken, async ({ body }) => {
    if (!isSame(body.clientSecret, clientSecret))
      throw new AppError('unauthenticated', 'identity/wrong-client-secret', 'Not the gateway’s secret')
    return tokens.forAnonymous()
  }),
]
