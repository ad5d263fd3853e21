import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { newAuthority, trustFiles } from './authority.mjs'

const authority = newAuthority()
const [root, issuer] = [authority.root, authority.issuer].map((pem) => new X509Certificate(pem))
assert.ok(root && issuer)

test('the issuer is signed by the root, the root by itself, and both may sign', () => {
  assert.ok(root.ca && root.checkIssued(root) && root.verify(root.publicKey))
  assert.ok(issuer.ca && issuer.checkIssued(root) && issuer.verify(root.publicKey))
  assert.ok(!root.checkIssued(issuer))
  assert.ok(issuer.checkPrivateKey(createPrivateKey(authority.key)))
  assert.ok(issuer.validToDate.getTime() - issuer.validFromDate.getTime() > 9 * 365 * 86_400_000)
})

test('a token is for one name, and of this authority', () => {
  const files = trustFiles(authority, ['placement', 'carts'])
  const [key] = JSON.parse(files['jwks.json'] ?? '').keys
  const read = (name: string) => {
    const [header = '', claims = '', signature = ''] = String(files[`${name}.token`]).split('.')
    const signed = Buffer.from(`${header}.${claims}`)
    const publicKey = createPublicKey({ key, format: 'jwk' })
    assert.ok(verify(null, signed, publicKey, Buffer.from(signature, 'base64url')))
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).kid, key.kid)
    return JSON.parse(Buffer.from(claims, 'base64url').toString())
  }
  const aud = 'spiffe://caravan/ns/default/dapr-sentry'
  assert.deepEqual(read('carts'), { sub: 'spiffe://public/ns/default/carts', aud })
  assert.deepEqual(read('placement'), { sub: 'spiffe://caravan/ns/default/dapr-placement', aud })
  assert.ok(!('d' in key))
  assert.deepEqual(trustFiles(authority, ['placement', 'carts']), files)
})
