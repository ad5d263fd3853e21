import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { test } from 'node:test'
import { createAccount, getDiscovery, getKeys, getMe, issueAnonymousToken } from '@caravan/contracts/identity'
import { createSession } from '@caravan/contracts/sessions'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'
import { mint, stack } from '../support/stack.ts'
import { ask, get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('identity')

const issuer = String(stack.sidecarEnvironment.TOKEN_ISSUER)
const asGateway = { through: 'gateway', token: mint.member().token } as const

const register = async () => {
  const [password, email] = [newId(), `contract-${newId()}@example.com`]
  const account = await get(createAccount, { body: { email, password, name: 'Contract' } })
  return { account, email, password }
}

/** Verifies as every service does: RS256, by the published key of that id, issuer and audience. */
const verify = async (token: string) => {
  const { keys } = await get(getKeys)
  const header = jwt.decode(token, { complete: true })?.header
  const key = (keys as JsonWebKey[]).find(({ kid }) => kid === header?.kid)
  assert.ok(key, 'the key that signed the token is published')
  assert.equal(header?.typ, 'at+jwt')
  return jwt.verify(token, createPublicKey({ key, format: 'jwk' }), {
    ...{ algorithms: ['RS256'], issuer, audience: 'caravan' },
  }) as jwt.JwtPayload
}

test('who registers can sign in, and is who they are', async () => {
  const { account, email, password } = await register()
  assert.deepEqual([account.email, account.roles], [email, ['shopper']])
  const session = await get(createSession, { body: { email: ` ${email.toUpperCase()} `, password } })
  assert.deepEqual(await get(getMe, {}, { token: session.accessToken }), account)
})

test('an access token is signed by a published key, and says whose it is and for how long', async () => {
  const { account, email, password } = await register()
  const { accessToken, expiresIn } = await get(createSession, { body: { email, password } })
  const { sub, exp = 0, iat = 0 } = await verify(accessToken)
  assert.deepEqual([sub, exp - iat], [account.id, expiresIn])
})

test('the keys are public keys only', async () => {
  const { keys } = await get(getKeys)
  assert.ok(keys.length > 0)
  for (const key of keys) {
    assert.partialDeepStrictEqual(key, { kty: 'RSA', use: 'sig', alg: 'RS256' })
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.ok(!(secret in key), secret)
  }
})

test('the discovery document is the issuer’s, and names the keys’ place', async () => {
  const document = await get(getDiscovery)
  assert.equal(document.issuer, issuer)
  assert.equal(document.jwks_uri, `${issuer}/.well-known/jwks.json`)
  assert.deepEqual(document.id_token_signing_alg_values_supported, ['RS256'])
})

test('an address has one account', async () => {
  const { email } = await register()
  const body = { email: email.toUpperCase(), password: newId(), name: 'Another' }
  await refused([409, 'identity/email-taken'], createAccount, { body })
})

test('a wrong password and an unknown address get the same answer', async () => {
  const { email } = await register()
  const [wrong, unknown] = await Promise.all(
    [email, `nobody-${newId()}@example.com`].map(async (address) => {
      const { status, body } = await ask(createSession, { body: { email: address, password: 'wrong' } })
      return { status, body: { ...body, traceId: '' } }
    }),
  )
  assert.deepEqual(wrong, unknown)
  assert.deepEqual([wrong?.status, wrong?.body.code], [401, 'identity/wrong-credentials'])
})

test('the gateway gets tokens for callers who are not signed in, with its secret only', async () => {
  const clientSecret = String(stack.secrets['gateway-client-secret'])
  const { accessToken } = await get(issueAnonymousToken, { body: { clientSecret } }, asGateway)
  const { sub } = await verify(accessToken)
  assert.equal(sub, 'anonymous')
  const answer = await ask(issueAnonymousToken, { body: { clientSecret: 'a guess' } }, asGateway)
  assert.equal(answer.status, 401, answer.text)
})

test('an anonymous token is nobody', async () => {
  const clientSecret = String(stack.secrets['gateway-client-secret'])
  const { accessToken } = await get(issueAnonymousToken, { body: { clientSecret } }, asGateway)
  const answer = await ask(getMe, {}, { token: accessToken })
  assert.equal(answer.status, 401, answer.text)
})
