import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutants } from './mutants.ts'
import { simulate, tellFailure } from './simulate.ts'

const seed = Math.floor(Math.random() * 2 ** 31)

test(`400 runs of orders, inventory and payments among faults: I1 to I7 hold, seed ${seed}`, async () => {
  const result = await simulate({ seed, runs: 400 })
  assert.equal(result.failure, undefined, `npm run simulate -- ${tellFailure(result).join('\n')}`)
  assert.equal(result.runs, 400)
  for (const kind of [
    'slow',
    'lost',
    'twice',
    'crash-before',
    'crash-after',
    'broken-before',
    'broken-after',
  ])
    assert.ok((result.faults[kind] ?? 0) > 0, `${kind} never happened: ${JSON.stringify(result.faults)}`)
})

test('without refunds the money of cancelled orders is missed, and seed and path lead to the same run again', async () => {
  const edits = mutants.find(({ name }) => name.includes('nobody asks'))?.edits
  assert.ok(edits)
  const { failure } = await simulate({ seed, runs: 2000, edits })
  assert.ok(failure, `not found with seed ${seed}`)
  assert.match(failure.objections.join('\n'), /^I2: order \S+ is cancelled of \d+; the provider holds \d+$/m)
  const again = await simulate({ seed, runs: 1, path: failure.path, edits })
  assert.deepEqual(again.failure?.scenario, failure.scenario)
  assert.deepEqual(again.failure?.objections, failure.objections)
})
