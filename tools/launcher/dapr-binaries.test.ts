import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertBuilt, daprVersion, pinnedVersion, sameMinor } from './dapr-binaries.ts'
import { builtComponents } from './dapr-build.ts'
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

const binaries = { daprd: '/built/daprd', placement: '', scheduler: '', sentry: '' }
const find = (...patterns: string[]) =>
  globSync(patterns, { cwd: repository }).map((file) => join(repository, file))
const resources = find('{components,dapr,deploy}/**/*.{yaml,yml}')

test('the daprd that is built here has every component that the repository names', () => {
  assert.ok(resources.length > 20, `only ${resources.length} files were found`)
  assertBuilt({ ...binaries, components: builtComponents(repository) }, resources)
})

const kinds = 'bindings|configuration|crypto|lock|middleware.http|nameresolution|pubsub|secretstores|state'

test('so has it those of every other text from which somebody could make YAML', () => {
  const files = find('{components,dapr,deploy,docs}/**/*.{yaml,yml,md}', '*.{yaml,yml,md}')
  const named = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(RegExp(`\\btype: *['"]?((?:${kinds})\\.[\\w.-]+)`, 'g'))].map(
      ([, type = '']) => type,
    ),
  )
  assert.ok(named.includes('pubsub.kafka') && named.includes('middleware.http.oauth2clientcredentials'))
  const components = builtComponents(repository)
  assert.deepEqual(
    named.filter((type) => !components.includes(type)),
    [],
  )
})

test('one that lacks a component is refused by name; an official one has all', () => {
  const components = builtComponents(repository).filter((type) => type !== 'middleware.http.bearer')
  assert.throws(() => assertBuilt({ ...binaries, components }, resources), /has no middleware\.http\.bearer/)
  assertBuilt(binaries, resources)
})
