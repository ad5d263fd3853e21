import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Answer } from './answer.ts'
import { createReadCache } from './read-cache.ts'

const answer = (text: string, status = 200): Answer => ({ status, headers: {}, body: Buffer.from(text) })
const textOf = ({ body }: Answer) => body.toString()

/** A source whose answers come when the test says so. */
const manualSource = () => {
  const waiting: PromiseWithResolvers<Answer>[] = []
  return {
    waiting,
    load: () => {
      const next = Promise.withResolvers<Answer>()
      waiting.push(next)
      return next.promise
    },
    answer: (at: number, text: string) => waiting[at]?.resolve(answer(text)),
  }
}

const clock = () => {
  let time = 0
  const pass = (ms: number) => {
    time += ms
  }
  return { now: () => time, pass }
}

test('a thousand concurrent misses are one read', async () => {
  const cache = createReadCache()
  const source = manualSource()
  const all = Array.from({ length: 1000 }, () => cache.read('/p', 'page', source.load))
  source.answer(0, 'one')
  assert.deepEqual(new Set((await Promise.all(all)).map(textOf)), new Set(['one']))
  assert.equal(source.waiting.length, 1)
})

for (const group of ['page', 'list'] as const) {
  test(`a ${group} read that began before a change is neither kept nor joined after it`, async () => {
    const cache = createReadCache()
    const source = manualSource()
    const change = () => (group === 'page' ? cache.outdate('/p') : cache.outdateLists())
    const before = cache.read('/p', group, source.load)
    change()
    const after = cache.read('/p', group, source.load)
    assert.equal(source.waiting.length, 2)
    source.answer(1, 'new')
    assert.equal(textOf(await after), 'new')
    source.answer(0, 'old')
    assert.equal(textOf(await before), 'old')
    assert.equal(textOf(cache.fresh('/p') ?? answer('none')), 'new')
  })
}

test('in any order of reads, answers and changes, what is fresh is never older than the last change', async () => {
  const step = fc.constantFrom('read', 'answer', 'change')
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom('page', 'list'),
      async (steps, group) => {
        const cache = createReadCache()
        let version = 0
        const pending: (() => void)[] = []
        const load = () => {
          const seen = answer(String(version))
          return new Promise<Answer>((resolve) => pending.push(() => resolve(seen)))
        }
        for (const each of steps) {
          if (each === 'read') void cache.read('/p', group as 'page' | 'list', load)
          if (each === 'answer') pending.pop()?.()
          if (each === 'change') {
            version += 1
            if (group === 'page') cache.outdate('/p')
            else cache.outdateLists()
          }
          await new Promise(setImmediate)
          const known = cache.fresh('/p')
          if (known) assert.equal(textOf(known), String(version))
        }
      },
    ),
  )
})

test('an answer that is as new as the change stays', async () => {
  const cache = createReadCache()
  await cache.read('/p', 'page', async () => answer('2'))
  cache.outdate('/p', (known) => Number(textOf(known)) < 2)
  assert.ok(cache.fresh('/p'))
  cache.outdate('/p', (known) => Number(textOf(known)) < 3)
  assert.equal(cache.fresh('/p'), undefined)
})

test('200 is fresh for a minute, less a jitter; 404 for two seconds; others not at all', async () => {
  const { now, pass } = clock()
  const cache = createReadCache({ now, random: () => 0.5 })
  await cache.read('/ok', 'page', async () => answer('ok'))
  await cache.read('/none', 'page', async () => answer('none', 404))
  await cache.read('/bad', 'page', async () => answer('bad', 422))
  assert.equal(cache.fresh('/bad'), undefined)
  pass(1999)
  assert.ok(cache.fresh('/none'))
  pass(1)
  assert.equal(cache.fresh('/none'), undefined)
  pass(52_999)
  assert.ok(cache.fresh('/ok'))
  pass(1)
  assert.equal(cache.fresh('/ok'), undefined)
})

test('while the source fails, what was known stands in for ten minutes, and the source is asked every two seconds', async () => {
  const { now, pass } = clock()
  const cache = createReadCache({ now, random: () => 0 })
  let asked = 0
  const failing = async () => {
    asked += 1
    throw new Error('down')
  }
  await cache.read('/p', 'page', async () => answer('known'))
  pass(60_000)
  assert.equal(textOf(await cache.read('/p', 'page', failing)), 'known')
  assert.equal(textOf(await cache.read('/p', 'page', failing)), 'known')
  assert.equal(asked, 1)
  pass(2000)
  assert.equal(textOf(await cache.read('/p', 'page', async () => answer('busy', 503))), 'known')
  pass(598_000)
  await assert.rejects(cache.read('/p', 'page', failing), /down/)
  await assert.rejects(cache.read('/never-seen', 'page', failing), /down/)
})

test('a failed read is not remembered', async () => {
  const cache = createReadCache()
  await assert.rejects(cache.read('/p', 'page', () => Promise.reject(new Error('down'))))
  assert.equal(textOf(await cache.read('/p', 'page', async () => answer('up'))), 'up')
})

test('it is bounded by entries and bytes; what was used last stays', async () => {
  const cache = createReadCache({ capacity: 3, maxBytes: 100 })
  const put = (key: string, size = 1) => cache.read(key, 'page', async () => answer('x'.repeat(size)))
  await put('a')
  await put('b')
  await put('c')
  cache.fresh('a')
  await put('d')
  assert.equal(cache.fresh('b'), undefined)
  assert.ok(cache.fresh('a') && cache.fresh('c') && cache.fresh('d'))
  await put('e', 99)
  assert.equal(cache.size(), 2)
})
