import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Role } from '@caravan/contracts/operation'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'

export interface AccessTokenOptions {
  /** PEM of an RSA key of at least 2048 bits. */
  readonly privateKey: string
  readonly issuer: string
  readonly memberSeconds: number
}

export interface AccessToken {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
}

const anonymousSeconds = 900

/** RFC 7638: the same key has the same id in every replica and after every restart. */
export const thumbprint = ({ e, kty, n }: { e?: string; kty?: string; n?: string }): string =>
  createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')

/** Issues JWT access tokens by RFC 9068, signed with RS256, and tells the key that verifies them. */
export const createAccessTokens = ({ privateKey, issuer, memberSeconds }: AccessTokenOptions) => {
  const signingKey = createPrivateKey(privateKey)
  const publicKey = createPublicKey(signingKey)
  const { kty = '', n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint({ kty, n, e })

  const issue = (subject: string, roles: readonly Role[], expiresIn: number): AccessToken => {
    const accessToken = jwt.sign({ roles }, signingKey, {
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

  return {
    forMember: (accountId: string, roles: readonly Role[]) => issue(accountId, roles, memberSeconds),
    forAnonymous: () => issue('anonymous', [], anonymousSeconds),
    jwks: { keys: [{ kty, n, e, kid, use: 'sig', alg: 'RS256' }] },
    discovery: {
      issuer,
      jwks_uri: `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
    key: async (id: string): Promise<KeyObject | undefined> => (id === kid ? publicKey : undefined),
  }
}

export type AccessTokens = ReturnType<typeof createAccessTokens>
