import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswords } from './passwords.ts'

const passwords = await createPasswords()
const stored = await passwords.hash('a long passphrase')

test('a hash is Argon2id with 19 MiB, two passes, one lane, and salted', async () => {
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.notEqual(await passwords.hash('a long passphrase'), stored)
})

test('only the password itself matches', async () => {
  assert.equal(await passwords.matches(stored, 'a long passphrase'), true)
  assert.equal(await passwords.matches(stored, 'a long passphrasE'), false)
  assert.equal(await passwords.matches(stored, ''), false)
})

test('without an account nothing matches, after as much work', async () => {
  // Of the processors: whatever else the machine does takes none of it.
  const workOf = async (hash: string | undefined) => {
    const before = process.cpuUsage()
    for (let n = 0; n < 5; n += 1) assert.equal(await passwords.matches(hash, 'wrong'), false)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  const ratio = (await workOf(undefined)) / (await workOf(stored))
  assert.ok(ratio > 0.5, `unknown takes ${ratio} times as long as wrong`)
})

test('composed and decomposed letters are one password', async () => {
  const composed = await passwords.hash('caf\u00e9 caf\u00e9 caf\u00e9')
  assert.equal(await passwords.matches(composed, 'cafe\u0301 cafe\u0301 cafe\u0301'), true)
})
