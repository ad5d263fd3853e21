import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mutants } from '../drills/mutants/mutants.ts'
import { mutated } from '../drills/mutants/tree.ts'
import { mutants as simulated } from '../simulation/mutants.ts'
import { read, root } from './repository.ts'

test('each mutant of the mutation check and of the simulation still changes the sources', () => {
  assert.ok(mutants.length > 0 && simulated.length > 0)
  for (const { name, edits } of [...mutants, ...simulated])
    for (const [path, text] of mutated(edits)) assert.notEqual(text, read(path), name)
})

test('each test that is to catch a mutant is there', () => {
  for (const { name, tests } of mutants)
    for (const file of tests) assert.ok(existsSync(join(root, file)), `${name}: ${file}`)
})
