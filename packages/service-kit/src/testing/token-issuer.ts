import { generateKeyPairSync } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { KeySource } from '../authenticate.ts'

export const issuer = 'http://issuer.example'
export const kid = 'key-1'

/** Signs access tokens as identity does, under a key of its own that `keys` knows. */
export const createTokenIssuer = () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keys: KeySource = async (id) => (id === kid ? publicKey : undefined)

  /** An `Authorization` header. `claims` and `header` go over the good ones; `undefined` takes one away. */
  const bearer = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string => {
    const now = Math.floor(Date.now() / 1000)
    const good = {
      iss: issuer,
      aud: 'caravan',
      sub: 'account-1',
      roles: ['member'],
      iat: now,
      exp: now + 600,
    }
    return `Bearer ${jwt.sign(JSON.parse(JSON.stringify({ ...good, ...claims })), privateKey, {
      header: { alg: 'RS256', typ: 'at+jwt', kid, ...header },
    })}`
  }
  return { keys, bearer, publicKey }
}
