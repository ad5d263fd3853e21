import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitting } from './fitting.ts'

test('a page ends before the item that is too much, counted in bytes', () => {
  const items = ['éé', 'éé', 'éé']
  assert.deepEqual(fitting(items, 21), items)
  assert.deepEqual(fitting(items, 20), items.slice(0, 2))
})

test('a page has one item, however large that is, and none where there is none', () => {
  assert.deepEqual(fitting(['x'.repeat(100), 'y'], 10), ['x'.repeat(100)])
  assert.deepEqual(fitting([], 10), [])
})
