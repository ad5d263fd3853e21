import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBoundedQueue } from './bounded-queue.ts'

const gate = () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('no more than the allowed number run at a time, first come first served', async () => {
  const queue = createBoundedQueue({ concurrent: 2, waiting: 10 })
  let running = 0
  let most = 0
  const order: number[] = []
  const work = (n: number) => async () => {
    order.push(n)
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    return n
  }
  const results = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((n) => queue(work(n))))
  assert.equal(most, 2)
  assert.deepEqual(order, results)
})

test('who comes when the queue is full is refused with 429, and who waits is served', async () => {
  const queue = createBoundedQueue({ concurrent: 1, waiting: 1 })
  const { open, opened } = gate()
  const first = queue(() => opened)
  const second = queue(async () => 'served')
  await assert.rejects(
    queue(async () => 'never'),
    { code: 'identity/busy', status: 429, details: { retryAfterSeconds: 1 } },
  )
  open()
  await first
  assert.equal(await second, 'served')
})

test('work that fails gives its place back', async () => {
  const queue = createBoundedQueue({ concurrent: 1, waiting: 0 })
  await assert.rejects(queue(() => Promise.reject(new Error('no'))))
  assert.equal(await queue(async () => 'yes'), 'yes')
})
