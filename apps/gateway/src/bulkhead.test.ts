import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from './answer.ts'
import { withBulkhead } from './bulkhead.ts'

const request = { method: 'GET', path: '/', headers: {} } as const
const done: Answer = { status: 204, headers: {}, body: Buffer.alloc(0) }

test('an app that hangs is unavailable to those who get no place, and others are served', async () => {
  const hang = Promise.withResolvers<Answer>()
  const forward = withBulkhead((app) => (app === 'orders' ? hang.promise : Promise.resolve(done)), {
    places: 2,
    patienceMs: 20,
  })
  const running = [forward('orders', request), forward('orders', request)]
  await assert.rejects(forward('orders', request), { code: 'orders/unavailable', status: 503 })
  assert.equal(await forward('catalog', request), done)
  hang.resolve(done)
  assert.deepEqual(await Promise.all(running), [done, done])
  assert.equal(await forward('orders', request), done)
})

test('those who wait go in order, never more at a time than there are places, and failures free theirs', async () => {
  const order: number[] = []
  let running = 0
  let most = 0
  const forward = withBulkhead(
    async (_, { path }) => {
      running += 1
      most = Math.max(most, running)
      order.push(Number(path))
      await new Promise(setImmediate)
      running -= 1
      if (Number(path) % 3 === 0) throw new Error('failed')
      return done
    },
    { places: 4 },
  )
  const all = Array.from({ length: 100 }, (_, at) => forward('orders', { ...request, path: String(at) }))
  const outcomes = await Promise.allSettled(all)
  assert.equal(most, 4)
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 34)
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, at) => at),
  )
})
