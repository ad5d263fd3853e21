import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { getKeys } from '@caravan/contracts/identity'
import jwt from 'jsonwebtoken'
import { z } from 'zod'
import { AppError } from './errors.ts'
import type { CallOptions, Sidecar } from './sidecar.ts'

export interface Caller {
  /** `member`: a signed-in account; `client`: a machine of another's; `app`: another service, through its sidecar. */
  readonly kind: 'anonymous' | 'member' | 'client' | 'app'
  /** The account's, client's or calling app's id, or `anonymous`. */
  readonly id: string
  /** Those that count now, by the access state; a token has none that are trusted. */
  readonly roles: readonly string[]
  /** The session that the token is of. */
  readonly session?: string
  /** When the token was issued, in seconds since 1970. */
  readonly issuedAt?: number
  /** The header to pass on when acting on the caller's behalf. */
  readonly authorization?: string
}

export const anonymous: Caller = { kind: 'anonymous', id: 'anonymous', roles: [] }

const claims = z.object({
  sub: z.string().min(1),
  exp: z.int(),
  iat: z.number(),
  sid: z.uuid().optional(),
  client_id: z.string().optional(),
})

const refuse = (cause?: unknown) =>
  new AppError('unauthenticated', 'auth/invalid-token', 'The access token is missing, expired or not valid', {
    cause,
  })

const readKey = (key: JsonWebKey): [[kid: string, key: KeyObject]] | undefined => {
  try {
    return [[String(key.kid), createPublicKey({ key, format: 'jwk' })]]
  } catch {
    return undefined
  }
}

/**
 * JWKS of identity through the sidecar: read when a key id is not known, at most once in five seconds. `options` are for
 * a sidecar that lets nothing pass without a token.
 */
export const remoteKeys = (sidecar: Pick<Sidecar, 'call'>, options: () => CallOptions = () => ({})) => {
  let keys = new Map<string, KeyObject>()
  let readAt = 0
  let reading: Promise<void> | undefined
  const read = async () => {
    const answer = await sidecar.call(getKeys, {}, options())
    // RFC 7517, 5: keys of kinds that are not known here are passed over.
    keys = new Map(answer.keys.flatMap((key) => readKey(key as JsonWebKey) ?? []))
    readAt = Date.now()
  }
  return async (kid: string): Promise<KeyObject | undefined> => {
    if (!keys.has(kid) && Date.now() - readAt > 5000) {
      reading ??= read().finally(() => {
        reading = undefined
      })
      await reading
    }
    return keys.get(kid)
  }
}

export type KeySource = (kid: string) => Promise<KeyObject | undefined>

const capacity = 20_000

/**
 * Verifies access tokens by RFC 9068 and RFC 8725: RS256 only, `typ: at+jwt`, issuer, audience and expiry checked with no
 * grace. A verified token is remembered by its hash until it expires.
 */
export const createAuthenticator = (
  key: KeySource,
  { issuer, audience = 'caravan' }: { issuer: string; audience?: string },
) => {
  const verified = new Map<string, { caller: Caller; expiresAt: number }>()

  const verify = async (authorization: string): Promise<{ caller: Caller; expiresAt: number }> => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization)?.[1]
    const header = token && jwt.decode(token, { complete: true })?.header
    if (!token || !header || header.typ?.toLowerCase() !== 'at+jwt' || !header.kid) throw refuse()
    const publicKey = await key(header.kid)
    if (!publicKey) throw refuse()
    try {
      const { sub, exp, iat, sid, client_id } = claims.parse(
        jwt.verify(token, publicKey, { algorithms: ['RS256'], issuer, audience, clockTolerance: 0 }),
      )
      const caller: Caller =
        sub === anonymous.id
          ? { ...anonymous, authorization }
          : {
              ...{ kind: client_id ? 'client' : 'member', id: sub, roles: [], issuedAt: iat, authorization },
              ...(sid ? { session: sid } : {}),
            }
      return { caller, expiresAt: exp * 1000 }
    } catch (cause) {
      throw refuse(cause)
    }
  }

  /** The caller that a header names; anonymous without one; throws 401 for a token that is not good. */
  return async (authorization: string | undefined): Promise<Caller> => {
    if (!authorization) return anonymous
    const hash = createHash('sha256').update(authorization).digest('base64')
    const known = verified.get(hash)
    if (known && known.expiresAt > Date.now()) return known.caller
    const fresh = await verify(authorization)
    if (verified.size >= capacity) verified.delete(verified.keys().next().value as string)
    verified.set(hash, fresh)
    return fresh.caller
  }
}

export type Authenticate = ReturnType<typeof createAuthenticator>
