import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daprVersion, pinnedVersion, sameMinor } from './dapr-binaries.ts'
import { repository } from './stack-file.ts'

test('the version is read from a block of requirements and from a single one', () => {
  assert.equal(pinnedVersion('require (\n\tgithub.com/dapr/dapr v1.18.2\n)'), '1.18.2')
  assert.equal(pinnedVersion('require github.com/dapr/dapr v1.18.0-rc.1 // indirect'), '1.18.0-rc.1')
  assert.throws(() => pinnedVersion('tool github.com/dapr/dapr/cmd/daprd'))
})

test('tools/dapr pins one', () => {
  assert.match(daprVersion(repository), /^\d+\.\d+\.\d+$/)
})

test('only an installed Dapr of the same minor version will do', () => {
  assert.ok(sameMinor('1.18.3', '1.18.2'))
  assert.ok(!sameMinor('1.17.9', '1.18.2'))
  assert.ok(!sameMinor('1.1', '1.18.2'))
  assert.ok(!sameMinor('', '1.18.2'))
})
