import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createAuthenticator } from '@caravan/service-kit/authenticate'
import jwt from 'jsonwebtoken'
import { createAccessTokens } from './access-tokens.ts'
import { readKeyRing } from './key-ring.ts'

const issuer = 'https://shop.example'
const newKey = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
const privateKey = newKey()
const ring = readKeyRing(privateKey)
const session = '0192f3a4-5b6c-7d8e-8f90-000000000001'
const tokens = createAccessTokens({ ring: () => ring, issuer, memberSeconds: 60 })
const authenticate = createAuthenticator(tokens.key, { issuer })
const id = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
const { kid } = tokens.jwks().keys[0] ?? { kid: '' }

const refused = (token: string) =>
  assert.rejects(authenticate(`Bearer ${token}`), { status: 401, code: 'auth/invalid-token' })
const sign = (changes: jwt.SignOptions & { key?: string }) => {
  const { key = privateKey, header, ...options } = changes
  return jwt.sign({ sub: id, roles: [] }, key, {
    ...{ algorithm: 'RS256', issuer, audience: 'caravan', expiresIn: 60 },
    ...options,
    header: { alg: 'RS256', typ: 'at+jwt', kid, ...header },
  })
}

test('a member’s token holds what RFC 9068 asks for and lives as long as configured', () => {
  const { accessToken, expiresIn } = tokens.forMember(id, session)
  const decoded = jwt.decode(accessToken, { complete: true })
  assert.ok(decoded)
  assert.deepEqual(decoded.header, { alg: 'RS256', typ: 'at+jwt', kid })
  const { iat = 0, exp = 0, jti, ...claims } = decoded.payload as jwt.JwtPayload
  assert.deepEqual(claims, { sid: session, iss: issuer, aud: 'caravan', sub: id })
  assert.equal(exp - iat, 60)
  assert.equal(expiresIn, 60)
  assert.match(String(jti), /^[0-9a-f-]{36}$/)
})

test('every service takes it for that member, and the anonymous one for nobody', async () => {
  const member = await authenticate(`Bearer ${tokens.forMember(id, session).accessToken}`)
  assert.deepEqual([member.kind, member.id, member.session], ['member', id, session])
  const { accessToken, expiresIn } = tokens.forAnonymous()
  const nobody = await authenticate(`Bearer ${accessToken}`)
  assert.deepEqual([nobody.kind, nobody.roles, expiresIn], ['anonymous', [], 900])
})

test('the published key verifies the tokens and holds nothing private', () => {
  const [key] = tokens.jwks().keys
  assert.ok(key)
  assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  const published = createPublicKey({ key: { kty: key.kty, n: key.n, e: key.e }, format: 'jwk' })
  assert.ok(jwt.verify(tokens.forAnonymous().accessToken, published, { algorithms: ['RS256'] }))
})

test('what is not such a token is refused', async () => {
  await authenticate(`Bearer ${sign({})}`)
  const good = tokens.forMember(id, session).accessToken
  const [head = '', payload = '', signature = ''] = good.split('.')
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())

  await refused(`${head}.${encode({ ...claims, roles: ['operator'] })}.${signature}`)
  await refused(`${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.`)
  await refused(`${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.${signature}`)
  await refused(sign({ expiresIn: -1 }))
  await refused(sign({ key: newKey() }))
  await refused(sign({ issuer: 'https://other.example' }))
  await refused(sign({ audience: 'other' }))
  await refused(sign({ header: { alg: 'RS256', typ: 'JWT' } }))
  await refused(sign({ header: { alg: 'RS256', kid: 'unknown' } }))
  await refused(sign({ algorithm: 'RS384', header: { alg: 'RS384' } }))
  // The public key taken for an HMAC secret (RFC 8725, 2.1).
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  await refused(sign({ key: publicPem, algorithm: 'HS256', header: { alg: 'HS256' } }))
})
