import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepareCredentials, prepareSecrets } from './secrets.ts'
import { databasePassword } from './shop-secrets.mjs'

const folder = (t: { after: (end: () => void) => void }) => {
  const dir = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

test('secrets stay between starts while the port of the database changes', (t) => {
  const dir = folder(t)
  const before = prepareSecrets(dir, ['orders'], 1001)
  const after = prepareSecrets(dir, ['orders', 'payments'], 1002)
  assert.equal(after['redis-password'], before['redis-password'])
  assert.equal(databasePassword(after, 'orders'), databasePassword(before, 'orders'))
  assert.match(after['orders-mysql'] ?? '', /^mysql:\/\/orders:[\w-]{32}@127\.0\.0\.1:1002\/orders$/)
  assert.notEqual(databasePassword(after, 'orders'), databasePassword(after, 'payments'))
  const detoured = prepareSecrets(dir, ['orders', 'payments'], 1002, { 'orders-mysql': 7 })
  assert.match(detoured['orders-mysql'] ?? '', /127\.0\.0\.1:7\/orders$/)
  assert.equal(detoured['payments-mysql'], after['payments-mysql'])
})

test('the signing key is RSA with 2048 bits', (t) => {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(
    prepareSecrets(folder(t), [], 1)['identity-signing-key'] ?? '',
  )
  assert.equal(asymmetricKeyType, 'rsa')
  assert.equal(asymmetricKeyDetails?.modulusLength, 2048)
})

test('nobody else can read the files, and API tokens are not among what sidecars read', (t) => {
  const dir = folder(t)
  const { tokens, mysqlAdminPassword } = prepareCredentials(dir, ['orders', 'carts'])
  const secrets = Object.values(prepareSecrets(dir, ['orders'], 1)).join()
  for (const file of ['secrets.json', 'credentials.json'])
    assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600)
  const own = [mysqlAdminPassword, ...Object.values(tokens).flatMap(({ app, dapr }) => [app, dapr])]
  assert.equal(new Set(own).size, 5)
  assert.ok(own.every((token) => !secrets.includes(token)))
})
