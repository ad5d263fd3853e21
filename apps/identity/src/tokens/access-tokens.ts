import type { KeyObject } from 'node:crypto'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'
import { type SigningKey, signingKeyAt } from './key-ring.ts'

export interface AccessTokenOptions {
  /** The keys of now: they may change while the service runs. */
  readonly ring: () => readonly SigningKey[]
  readonly issuer: string
  readonly memberSeconds: number
}

export interface AccessToken {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
}

const anonymousSeconds = 900

/** Issues JWT access tokens by RFC 9068, signed with RS256, and tells the keys that verify them. */
export const createAccessTokens = ({ ring, issuer, memberSeconds }: AccessTokenOptions) => {
  const issue = (subject: string, claims: object, expiresIn: number): AccessToken => {
    const { kid, privateKey } = signingKeyAt(ring(), Date.now())
    const accessToken = jwt.sign(claims, privateKey, {
      header: { alg: 'RS256', typ: 'at+jwt', kid },
      algorithm: 'RS256',
      issuer,
      audience: 'caravan',
      subject,
      expiresIn,
      jwtid: newId(),
    })
    return { accessToken, expiresIn }
  }

  const base = issuer.replace(/\/$/, '')

  return {
    /** `sid`: the session, by whose end the token ends too (OpenID Connect Front-Channel Logout, 3). */
    forMember: (accountId: string, sessionId: string) => issue(accountId, { sid: sessionId }, memberSeconds),
    /** `client_id`: RFC 9068, 2.2. */
    forClient: (clientId: string) => issue(clientId, { client_id: clientId }, memberSeconds),
    forAnonymous: () => issue('anonymous', {}, anonymousSeconds),
    jwks: () => ({ keys: ring().map(({ jwk }) => jwk) }),
    discovery: {
      issuer,
      jwks_uri: `${base}/.well-known/jwks.json`,
      token_endpoint: `${base}/v1/oauth2/token`,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
    key: async (id: string): Promise<KeyObject | undefined> =>
      ring().find(({ kid }) => kid === id)?.publicKey,
  }
}

export type AccessTokens = ReturnType<typeof createAccessTokens>
