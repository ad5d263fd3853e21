import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { find } from './repository.ts'

// Files are noted by name, so both were applied once, in whatever order a shop met them.
const twins = ['apps/catalog/migrations/0003-search-documents.sql']

test('a migration has a number of its own, one above the last: their order is that of their names', () => {
  const folders = Map.groupBy(find('{apps,packages}/*/migrations/*'), (file) => dirname(file))
  assert.ok(folders.size > 5)
  for (const [folder, files] of folders) {
    const numbers = files.filter((file) => !twins.includes(file)).map((file) => basename(file).slice(0, 5))
    assert.deepEqual(
      numbers,
      numbers.map((_, n) => `${String(n + 1).padStart(4, '0')}-`),
      folder,
    )
    for (const file of files) assert.match(basename(file), /^\d{4}(-[a-z0-9]+)+\.sql$/)
  }
})
