import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

test('one key: one after another in order, past a failure; another key does not wait', async () => {
  const inTurn = createTurns(9, () => new Error('full'))
  const seen: string[] = []
  const work = (name: string) => async () => {
    seen.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(`${name} ends`)
    if (name === 'a1') throw new Error(name)
  }
  const results = await Promise.allSettled([
    inTurn('a', work('a1')),
    inTurn('a', work('a2')),
    inTurn('b', work('b1')),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
  assert.deepEqual(
    seen.filter((each) => each.startsWith('a')),
    ['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends'],
  )
  assert.ok(seen.indexOf('b1 begins') < seen.indexOf('a1 ends'))
})

test('beyond its bound a key’s queue takes nothing more, until there is room; another key’s does', async () => {
  const inTurn = createTurns(3, () => new Error('full'))
  const { promise: blocked, resolve: free } = Promise.withResolvers<void>()
  const done: number[] = []
  const ask = (key: string, n: number) =>
    inTurn(key, async () => {
      await blocked
      done.push(n)
    })
  const taken = [1, 2, 3, 4].map((n) => ask('a', n))
  for (const n of [5, 6]) await assert.rejects(ask('a', n), /full/)
  taken.push(ask('b', 7))
  free()
  await Promise.all(taken)
  assert.deepEqual(done.toSorted(), [1, 2, 3, 4, 7])
  await ask('a', 8)
  assert.equal(done.at(-1), 8)
})
