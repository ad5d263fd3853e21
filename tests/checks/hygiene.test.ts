import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { read, root } from './repository.ts'

const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' })

/** Tracked, and new ones that are not ignored: what a commit would hold. */
const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard')
  .split('\0')
  .filter((file) => file && existsSync(join(root, file)))

const found = (which: RegExp, pattern: RegExp) =>
  files.filter((file) => which.test(file) && pattern.test(read(file)))

test('no file names a path of one machine', () => {
  assert.ok(files.length > 100)
  assert.deepEqual(found(/./, /(?<![\w.~}-])\/(?:root|home|work|Users)\//), [])
})

test('no merge was left half-way', () => {
  assert.deepEqual(found(/./, /^(?:<{7}|\|{7}|>{7})(?: |$)/m), [])
})

test('no test is left out, and none runs alone', () => {
  assert.deepEqual(found(/\.test\.ts$/, /\.(?:only|skip|todo)\(|\b(?:only|skip|todo): /), [])
})

test('no picture carries a script', () => {
  assert.deepEqual(
    found(/\.svg$/, /<script|<foreignObject|\son\w+\s*=|javascript:|href\s*=\s*["'](?!#)/i),
    [],
  )
})

test('what holds secrets is never committed', () => {
  for (const file of ['.env', '.caravan/compose/secrets.json'])
    assert.equal(git('check-ignore', '--no-index', file).trim(), file)
})
