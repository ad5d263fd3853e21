import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { find, read, root } from './repository.ts'

const scripts = find('findings/*.sh')

test('there are findings, and all of them stand in their list', () => {
  assert.ok(scripts.length > 10)
  const listed = [...read('findings/README.md').matchAll(/^\| \[[\w-]+\]\(([\w.-]+)\)/gm)].map(
    ([, file]) => file,
  )
  assert.deepEqual(
    listed,
    scripts.map((file) => basename(file)),
  )
})

for (const file of scripts)
  test(`${file} can be run, says what was guessed of which version, and leaves nothing behind`, () => {
    assert.ok(statSync(join(root, file)).mode & 0o111, 'it is not executable')
    const text = read(file)
    const [, of = '', guess = '', behaviour = ''] = text.split('\n')
    const versions = of.match(/\d+\.\d+\.\d+/g) ?? []
    assert.ok(versions.length > 0, 'no version in the first line')
    const body = text.split('\n').slice(4).join('\n')
    for (const version of versions) assert.ok(body.includes(version), `${version} is not what is installed`)
    assert.match(guess, /^# Guess: /)
    assert.match(behaviour, /^# Behaviour: /)
    assert.match(body, /^set -euo pipefail\nfolder=\$\(mktemp -d\)$/m)
    assert.match(body, /^trap '.*rm -rf "\$folder"' EXIT$/m)
    assert.match(body, /\| tee seen\ndiff seen - /)
  })
