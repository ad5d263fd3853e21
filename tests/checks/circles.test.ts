import assert from 'node:assert/strict'
import { test } from 'node:test'
import { circles, resolved } from './circles.ts'
import { find, read } from './repository.ts'
import { importsOf } from './source-rules.ts'

const importsIn = (file: string) => importsOf(read(file)).flatMap(({ from }) => resolved(file, from) ?? [])

test('no file leads back to itself by what it imports, types or values', () => {
  const files = find('{apps,packages}/*/src/**/*.ts', '{tests,tools,deploy}/**/*.{ts,mjs}')
  const imports = new Map(files.map((file) => [file, importsIn(file)]))
  const edges = [...imports.values()].flat().filter((file) => imports.has(file))
  assert.ok(
    files.length > 400 && edges.length > 1000,
    `only ${edges.length} imports of ${files.length} files`,
  )
  assert.deepEqual(circles(imports), [])
})

test('a circle of any length is found, and what two of them share is one', () => {
  const imports = (edges: Record<string, string[]>) => circles(new Map(Object.entries(edges)))
  assert.deepEqual(imports({ a: ['b', 'c'], b: ['c', 'd'], c: ['d'], d: [] }), [])
  assert.deepEqual(imports({ a: ['a'] }), [['a']])
  assert.deepEqual(imports({ a: ['b'], b: ['c'], c: ['d', 'b'], d: [] }), [['b', 'c']])
  assert.deepEqual(imports({ a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c'] }), [
    ['c', 'd'],
    ['a', 'b'],
  ])
  assert.deepEqual(imports({ a: ['b'], b: ['c', 'd'], c: ['a'], d: ['b'] }), [['a', 'b', 'c', 'd']])
})

test('an import leads to a file of its folder or of a package', () => {
  assert.equal(resolved('apps/orders/src/main.ts', './domain/order.ts'), 'apps/orders/src/domain/order.ts')
  assert.equal(
    resolved('tests/drills/a.ts', '@caravan/service-kit/testing/x'),
    'packages/service-kit/src/testing/x.ts',
  )
  assert.equal(resolved('tests/drills/a.ts', 'node:fs'), undefined)
})
