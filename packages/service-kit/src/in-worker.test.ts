import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inWorker } from './in-worker.ts'

const module = new URL('./testing/slow-square.ts', import.meta.url)
const squares = inWorker<{ value: number; ms: number }, number>(module, { mostWaiting: 3 })
after(() => squares.stop())
const square = (value: number, ms = 0) => squares.call({ value, ms })

test('calls run one after another, beside the thread that calls', async () => {
  await square(1)
  let turns = 0
  let over = false
  const all = Promise.all([square(2, 150), square(3, 150)]).finally(() => {
    over = true
  })
  while (!over) {
    await pause(1)
    turns += 1
  }
  assert.deepEqual(await all, [4, 9])
  // While a thread that works for itself takes no turn.
  assert.ok(turns > 10, `${turns} turns`)
})

test('what throws, or kills its thread, is an error of its call alone', async () => {
  await assert.rejects(square(-2), /no square/)
  const [dead, next] = await Promise.allSettled([square(-1), square(4)])
  assert.equal(dead.status, 'rejected')
  assert.deepEqual(next, { status: 'fulfilled', value: 16 })
})

test('what never ends is ended', async () => {
  const brief = inWorker<{ value: number; ms: number }, number>(module, { deadlineMs: 2000 })
  await assert.rejects(brief.call({ value: -3, ms: 0 }), /ended/)
  assert.equal(await brief.call({ value: 5, ms: 0 }), 25)
  await brief.stop()
})

test('more than may wait are refused at once', async () => {
  const some = [1, 2, 3, 4].map((value) => square(value))
  await assert.rejects(square(5), { code: 'request/too-many' })
  assert.deepEqual(await Promise.all(some), [1, 4, 9, 16])
})
