import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'

/** Makes access tokens with identity's own key, good ones and bad: what an attacker, or a fast test, would want. */
export const openMint = (signingKey: string, issuer: string) => {
  const key = createPrivateKey(signingKey)
  const publicKey = createPublicKey(key)
  const { e, kty, n } = publicKey.export({ format: 'jwk' })
  // RFC 7638
  const keyId = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')

  const header = { alg: 'RS256', typ: 'at+jwt', kid: keyId }
  const claims = (sub: string) => {
    const now = Math.floor(Date.now() / 1000)
    return { iss: issuer, aud: 'caravan', sub, iat: now, exp: now + 600, jti: newId() }
  }

  const sign = (
    sub: string,
    changes: Record<string, unknown> = {},
    headers: Record<string, unknown> = {},
  ): string =>
    jwt.sign({ ...claims(sub), ...changes }, key, { algorithm: 'RS256', header: { ...header, ...headers } })

  /** `<header>.<claims>.` with any header and signature. */
  const forge = (sub: string, headers: Record<string, unknown>, signature = ''): string => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ ...header, ...headers })}.${part(claims(sub))}.${signature}`
  }

  /** An account that never registered: fast, where a test needs hundreds of buyers. */
  const member = () => {
    const id = newId()
    return { id, token: sign(id) }
  }

  return { keyId, publicKey, sign, forge, member, header, claims }
}
