import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readKeyRing, rotate, signingKeyAt, thumbprint } from './key-ring.ts'

const newKey = (modulusLength = 2048) =>
  generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const minute = 60_000
const noon = Date.parse('2026-11-01T12:00:00.000Z')
const [first, second, third] = [newKey(), newKey(), newKey()]
const kidOf = (pem: string) => readKeyRing(pem)[0]?.kid

test('a bare key is a ring of one that has always signed', () => {
  const ring = readKeyRing(first)
  assert.deepEqual([ring.length, ring[0]?.signsFrom], [1, 0])
  assert.equal(signingKeyAt(ring, noon), ring[0])
})

test('a new key is published at once and signs from its time on', () => {
  const bundle = rotate(first, second, noon + 20 * minute, noon, 15 * minute)
  const ring = readKeyRing(bundle)
  assert.deepEqual(
    ring.map(({ kid }) => kid),
    [kidOf(first), kidOf(second)],
  )
  assert.equal(signingKeyAt(ring, noon + 20 * minute - 1).kid, kidOf(first))
  assert.equal(signingKeyAt(ring, noon + 20 * minute).kid, kidOf(second))
})

test('an old key is published until its last token is over', () => {
  const lead = 20 * minute
  const bundle = rotate(first, second, noon + lead, noon, 15 * minute)
  const kids = (at: number) =>
    readKeyRing(rotate(bundle, third, at + lead, at, 15 * minute)).map(({ kid }) => kid)
  assert.deepEqual(kids(noon + lead + 15 * minute - 1), [kidOf(first), kidOf(second), kidOf(third)])
  assert.deepEqual(kids(noon + lead + 15 * minute), [kidOf(second), kidOf(third)])
})

test('what is published holds nothing private', () => {
  const [key] = readKeyRing(first)
  assert.deepEqual(Object.keys(key?.jwk ?? {}).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
})

test('no key, a short one and another kind are refused', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  for (const bundle of ['', 'a text', newKey(1024), ec.toString(), `Signs-From: soon\n${first}`])
    assert.throws(() => readKeyRing(bundle))
})

test('the key’s id is its RFC 7638 thumbprint: the example of the RFC', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  assert.equal(thumbprint({ kty: 'RSA', n, e: 'AQAB' }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})
