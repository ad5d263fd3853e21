import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withLock } from './go-build.ts'

const lockFile = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'cache', 'x.lock')
}

test('who comes second waits for the first, and hears who that is', async (t) => {
  const file = lockFile(t)
  const order: string[] = []
  const free = Promise.withResolvers<void>()
  const first = withLock(file, async () => {
    await free.promise
    order.push('first')
  })
  const second = withLock(
    file,
    async () => void order.push('second'),
    (holder) => {
      assert.equal(holder, process.pid)
      free.resolve()
    },
  )
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
  assert.ok(!existsSync(file))
})

test('a failure frees the lock and is thrown', async (t) => {
  const file = lockFile(t)
  await assert.rejects(
    withLock(file, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await withLock(file, async () => 7), 7)
})

test('a lock that a dead process left is none, whoever has its id now', async (t) => {
  const dead = spawnSync(process.execPath, ['--eval', '']).pid
  for (const left of [dead, process.pid]) {
    const file = lockFile(t)
    await withLock(file, async () => {})
    writeFileSync(file, String(left))
    assert.equal(await withLock(file, async () => left), left)
  }
})
