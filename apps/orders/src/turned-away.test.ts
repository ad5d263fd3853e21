import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurnedAway } from './turned-away.ts'

test('an account that was turned away is known for ten minutes, and no other is', () => {
  let now = 0
  const accounts = createTurnedAway(() => now)
  accounts.add('mei')
  now = 599_999
  assert.deepEqual([accounts.has('mei'), accounts.has('li')], [true, false])
  now = 600_000
  assert.equal(accounts.has('mei'), false)
})

test('a flood of accounts costs bounded memory: the oldest is forgotten', () => {
  const accounts = createTurnedAway(() => 0)
  for (let n = 0; n <= 10_000; n += 1) accounts.add(`account-${n}`)
  assert.deepEqual(
    ['account-0', 'account-1', 'account-10000'].map((id) => accounts.has(id)),
    [false, true, true],
  )
})
