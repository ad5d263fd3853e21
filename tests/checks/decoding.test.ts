import assert from 'node:assert/strict'
import { test } from 'node:test'
import { find, read } from './repository.ts'

/** What makes text of bytes and puts U+FFFD where they are not UTF-8, or leaves bits out. */
const mending =
  /\.toString\(\s*(?:['"`](?:utf-?8|utf-?16le|ucs2|ascii)['"`])?\s*\)|\.setEncoding\(|(?:body|response|answer|request|req|ctx\.req)\.(?:text|json)\(\)|new TextDecoder\((?![^)]*fatal: true)|\bunescape\(|from 'node:querystring'|\bctx\.query\b/

const mends = (source: string): string[] =>
  source.split('\n').filter((line) => mending.test(line) && !/^\s*(?:\*|\/\/)/.test(line))

/** PEM that was made here. */
const harmless = /\bprivateKey\.export\(/

test('bytes from outside become text by decodeText only', () => {
  const files = [...find('packages/*/src/**/*.ts'), ...find('apps/*/src/**/*.ts')].filter(
    (file) => !/\.test\.ts$|\/testing\/|^apps\/(?:mail|psp)-sandbox\//.test(file),
  )
  const found = files.flatMap((file) =>
    mends(read(file))
      .filter((line) => !harmless.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  assert.ok(files.length > 150)
  assert.deepEqual(found, [])
})
