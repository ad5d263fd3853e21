import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'
import { newAddress } from '../support/door.ts'
import { rows, shop } from '../support/stack.ts'

const newPerson = () => ({ email: `mei-${newId()}@example.com`, password: newId(), name: '美 Mei' })
const register = (body: object) => shop.door('POST', '/v1/accounts', { body })
const signIn = (email: string, password: string) =>
  shop.door('POST', '/v1/sessions', {
    body: { email, password },
    headers: { 'x-forwarded-for': newAddress() },
  })

test('a shopper registers, signs in and is who they are', async () => {
  const person = newPerson()
  const registered = await register(person)
  assert.equal(registered.status, 201, registered.text)
  const { id, createdAt, ...rest } = registered.body
  assert.deepEqual(rest, { email: person.email, name: person.name, locale: 'en', roles: ['shopper'] })
  assert.ok(id && Date.parse(createdAt) <= Date.now())
  assert.ok(!registered.text.includes(person.password))

  const session = await signIn(person.email, person.password)
  assert.equal(session.status, 201, session.text)
  const { accessToken, tokenType, expiresIn } = session.body
  assert.equal(tokenType, 'Bearer')
  assert.ok(expiresIn > 0 && expiresIn <= 900)
  const me = await shop.door('GET', '/v1/me', { token: accessToken })
  assert.deepEqual([me.status, me.body], [200, registered.body])
})

test('an address is one account’s, however it is written', async () => {
  const person = newPerson()
  assert.equal((await register(person)).status, 201)
  for (const email of [person.email, person.email.toUpperCase(), ` ${person.email} `]) {
    const again = await register({ ...newPerson(), email })
    assert.equal(again.status, 409, again.text)
    assert.equal(again.body.code, 'identity/email-taken')
  }
  const session = await signIn(person.email.toUpperCase(), person.password)
  assert.equal(session.status, 201, session.text)
})

test('five at once with one address: one account', async () => {
  const person = newPerson()
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => shop.persistently(() => register(person))),
  )
  for (const { status } of answers) assert.ok(status === 201 || status === 409, `${status}`)
  assert.ok(answers.filter(({ status }) => status === 201).length <= 1)
  assert.equal((await rows('identity', 'SELECT id FROM accounts WHERE email = ?', person.email)).length, 1)
})

test('a wrong password and an unknown address get the same answer', async () => {
  const person = newPerson()
  await register(person)
  const wrong = await signIn(person.email, `${person.password}x`)
  const unknown = await signIn(newPerson().email, person.password)
  assert.equal(wrong.status, 401)
  const shown = ({ status, headers, body: { traceId: _, ...body } }: typeof wrong) => ({
    status,
    body,
    headers: [...headers.keys()].sort(),
  })
  assert.deepEqual(shown(unknown), shown(wrong))
  assert.equal(wrong.body.code, 'identity/wrong-credentials')
})

test('a password of nine characters, an address that is none and a missing name are pointed at', async () => {
  for (const [changes, pointer] of [
    [{ password: 'nine char' }, '/password'],
    [{ password: 'x'.repeat(129) }, '/password'],
    [{ email: 'mei' }, '/email'],
    [{ name: ' ' }, '/name'],
    [{ roles: ['operator'] }, '/roles'],
  ] as const) {
    const refused = await register({ ...newPerson(), ...changes })
    assert.equal(refused.status, 422, refused.text)
    assert.deepEqual(
      refused.body.errors.map((each: { pointer: string }) => each.pointer),
      [pointer],
    )
  }
})

test('anybody can verify a token by the published keys, which the discovery document names', async () => {
  const discovery = await shop.door('GET', '/.well-known/openid-configuration')
  assert.equal(discovery.status, 200, discovery.text)
  const { issuer, jwks_uri } = discovery.body
  assert.equal(new URL(jwks_uri).origin, new URL(issuer).origin)
  const jwks = await shop.door('GET', new URL(jwks_uri).pathname)
  assert.equal(jwks.status, 200, jwks.text)
  const keys = jwks.body.keys as JsonWebKey[]
  for (const key of keys) assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])

  const { id, token } = await shop.newShopper()
  const kid = jwt.decode(token, { complete: true })?.header.kid
  const key = keys.find((each) => each.kid === kid)
  assert.ok(key)
  const claims = jwt.verify(token, createPublicKey({ key, format: 'jwk' }), {
    ...{ algorithms: ['RS256'], issuer, audience: 'caravan' },
  })
  assert.equal(claims.sub, id)
})
