import { decodeText } from '@caravan/service-kit/decode-text'
import { AppError } from '@caravan/service-kit/errors'
import type { RawRequest, Sidecar } from '@caravan/service-kit/sidecar'
import * as oidc from 'openid-client'

export interface OutsidePerson {
  readonly issuer: string
  readonly subject: string
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string
}

/** What the provider has to be told and asked in one sign-in (RFC 7636; OpenID Connect Core 1.0, 3.1.2.1). */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export interface ProviderOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

/** Seconds that identity waits for an answer of the provider. */
const timeout = 5

const refused = (cause: unknown) =>
  new AppError(
    'unauthenticated',
    'identity/outside-sign-in-refused',
    'The provider did not confirm the sign-in',
    {
      cause,
    },
  )

/** An OpenID provider outside of the shop, reached through the own sidecar (an invocation by URL). */
export const openOutsideProvider = (
  sidecar: Pick<Sidecar, 'invoke'>,
  { issuer, clientId, clientSecret, redirectUri }: ProviderOptions,
) => {
  const throughSidecar: oidc.CustomFetch = async (url, { method, headers, body }) => {
    const { origin, pathname, search } = new URL(url)
    const answer = await sidecar.invoke(origin, {
      method: method as RawRequest['method'],
      path: pathname + search,
      headers,
      body: body === null || body === undefined ? null : String(body),
      deadlineMs: timeout * 1000,
    })
    const type = answer.headers['content-type']
    return new Response(answer.statusCode === 204 ? null : decodeText(await answer.body.bytes()), {
      status: answer.statusCode,
      headers: type ? { 'content-type': String(type) } : {},
    })
  }

  let known: Promise<oidc.Configuration> | undefined
  /** The provider's metadata, read when it is first needed and whenever that failed. */
  const configuration = (): Promise<oidc.Configuration> => {
    known ??= oidc
      .discovery(new URL(issuer), clientId, clientSecret, undefined, {
        ...{ [oidc.customFetch]: throughSidecar, timeout },
        // For a provider on this machine, as in development: another one has TLS.
        execute: new URL(issuer).protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      })
      .catch((cause) => {
        known = undefined
        throw new AppError('unavailable', 'identity/outside-provider-away', 'Try again in a moment', {
          ...{ retryAfterSeconds: 5, cause },
        })
      })
    return known
  }

  return {
    authorizationUrl: async ({ state, nonce, codeVerifier }: Checks): Promise<string> =>
      oidc.buildAuthorizationUrl(await configuration(), {
        ...{ redirect_uri: redirectUri, scope: 'openid email profile', state, nonce },
        code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      }).href,

    /** Exchanges the code of the answer, a query. Throws 401 for one that the provider, or a check, does not confirm. */
    personOf: async (answer: string, { state, nonce, codeVerifier }: Checks): Promise<OutsidePerson> => {
      const settings = await configuration()
      const callback = new URL(redirectUri)
      callback.search = answer
      const tokens = await oidc
        .authorizationCodeGrant(settings, callback, {
          ...{ pkceCodeVerifier: codeVerifier, expectedState: state, expectedNonce: nonce },
          idTokenExpected: true,
        })
        .catch((cause) => {
          throw refused(cause)
        })
      const claims = tokens.claims()
      if (!claims) throw refused('no id token')
      const info = await oidc.fetchUserInfo(settings, tokens.access_token, claims.sub).catch((cause) => {
        throw refused(cause)
      })
      return {
        ...{ issuer: claims.iss, subject: claims.sub, email: String(info.email ?? '') },
        // Some providers send the word.
        ...{
          emailVerified: [true, 'true'].includes(info.email_verified ?? false),
          name: String(info.name ?? info.email ?? ''),
        },
      }
    },
  }
}

export type OutsideProvider = ReturnType<typeof openOutsideProvider>
