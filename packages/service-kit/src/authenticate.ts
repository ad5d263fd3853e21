import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { getKeys } from '@caravan/contracts/identity'
import type { Access, Role } from '@caravan/contracts/operation'
import jwt from 'jsonwebtoken'
import { z } from 'zod'
import { AppError } from './errors.ts'
import type { Sidecar } from './sidecar.ts'

export interface Caller {
  /** `member`: a signed-in account; `client`: a machine of another's; `app`: another service, through its sidecar. */
  readonly kind: 'anonymous' | 'member' | 'client' | 'app'
  /** The account's, client's or calling app's id, or `anonymous`. */
  readonly id: string
  readonly roles: readonly Role[]
  /** Of a member's token: the sign-in that it came from. */
  readonly sessionId?: string
  /** The header to pass on when acting on the caller's behalf. */
  readonly authorization?: string
}

export const anonymous: Caller = { kind: 'anonymous', id: 'anonymous', roles: [] }

const claims = z.object({
  sub: z.string().min(1),
  exp: z.int(),
  sid: z.string().optional(),
  client_id: z.string().optional(),
  roles: z.array(z.string()).default([]),
})

const refuse = (cause?: unknown) =>
  new AppError('unauthenticated', 'auth/invalid-token', 'The access token is missing, expired or not valid', {
    cause,
  })

/** JWKS of identity through the sidecar: read when a key id is not known, at most once in five seconds. */
export const remoteKeys = (sidecar: Sidecar) => {
  let keys = new Map<string, KeyObject>()
  let readAt = 0
  let reading: Promise<void> | undefined
  const read = async () => {
    const answer = await sidecar.call(getKeys, {})
    keys = new Map(
      answer.keys.map((key) => [String(key.kid), createPublicKey({ key: key as JsonWebKey, format: 'jwk' })]),
    )
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
      const { sub, exp, sid, client_id, roles } = claims.parse(
        jwt.verify(token, publicKey, { algorithms: ['RS256'], issuer, audience, clockTolerance: 0 }),
      )
      const caller: Caller =
        sub === anonymous.id
          ? { ...anonymous, authorization }
          : {
              ...{ kind: client_id ? 'client' : 'member', id: sub, roles: roles as Role[], authorization },
              ...(sid ? { sessionId: sid } : {}),
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

/** Throws 401 or 403 unless the caller may use the operation. Ownership is the handler's to check. */
export const authorise = (access: Access, caller: Caller): void => {
  if (access === 'anyone') return
  if (typeof access === 'object' && 'apps' in access) {
    if (caller.kind === 'app' && access.apps.includes(caller.id)) return
    throw new AppError('forbidden', 'auth/forbidden', 'Not for this caller')
  }
  if (caller.kind !== 'member' && caller.kind !== 'client')
    throw new AppError('unauthenticated', 'auth/sign-in-needed', 'Sign in first')
  if (access === 'member') {
    if (caller.kind === 'member') return
    throw new AppError('forbidden', 'auth/forbidden', 'Not for a machine')
  }
  if (!access.roles.some((role) => caller.roles.includes(role))) {
    throw new AppError('forbidden', 'auth/forbidden', 'Your account lacks the role for this')
  }
}
