import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTokenBuckets } from './token-buckets.ts'

const clock = () => {
  let time = 1_000_000
  const pass = (ms: number) => {
    time += ms
  }
  return { now: () => time, pass }
}

test('a full bucket gives its quota at once, then one token each time a token’s share of the window has passed', () => {
  const { now, pass } = clock()
  const buckets = createTokenBuckets({ quota: 4, windowSeconds: 2 }, { now })
  const remaining = () => buckets.take('a').remaining
  assert.deepEqual([remaining(), remaining(), remaining(), remaining()], [3, 2, 1, 0])
  const next = () => {
    const { allowed, nextMs } = buckets.take('a')
    return [allowed, Math.round(nextMs)]
  }
  assert.deepEqual(next(), [false, 500])
  pass(499)
  assert.deepEqual(next(), [false, 1])
  pass(1)
  assert.deepEqual(next(), [true, 500])
  pass(2000)
  assert.equal(remaining(), 3)
})

test('each key has a bucket of its own', () => {
  const buckets = createTokenBuckets({ quota: 1, windowSeconds: 60 })
  assert.ok(buckets.take('a').allowed)
  assert.ok(buckets.take('b').allowed)
  assert.ok(!buckets.take('a').allowed)
})

test('whoever is told to wait gets a token after that time, and not before', () => {
  const { now, pass } = clock()
  const quota = { quota: fc.integer({ min: 1, max: 5000 }), windowSeconds: fc.integer({ min: 1, max: 600 }) }
  fc.assert(
    fc.property(fc.record(quota), (policy) => {
      const buckets = createTokenBuckets(policy, { now })
      for (let n = 0; n < policy.quota; n += 1) assert.ok(buckets.take('a').allowed)
      const { allowed, nextMs } = buckets.take('a')
      assert.ok(!allowed && nextMs > 0)
      pass(nextMs * 0.99)
      assert.ok(!buckets.take('a').allowed)
      pass(nextMs * 0.02)
      assert.ok(buckets.take('a').allowed)
    }),
  )
})

test('in no stretch of time does anyone get more than the quota and what that time adds', () => {
  const steps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9000 })), {
    minLength: 1,
    maxLength: 100,
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (pauses, quota) => {
      const { now, pass } = clock()
      const buckets = createTokenBuckets({ quota, windowSeconds: 5 }, { now })
      const given: number[] = []
      for (const pause of pauses) {
        pass(pause)
        if (buckets.take('a').allowed) given.push(now())
        given.forEach((since, at) => {
          assert.ok(given.length - at <= quota + ((now() - since) * quota) / 5000 + 1e-2)
        })
      }
    }),
  )
})

test('a debt outlives the change of generations, and what is full is forgotten', () => {
  const { now, pass } = clock()
  const buckets = createTokenBuckets({ quota: 2, windowSeconds: 10 }, { now })
  pass(9999)
  for (const key of ['a', 'a', 'b']) buckets.take(key)
  pass(1)
  assert.ok(!buckets.take('a').allowed)
  pass(10_000)
  buckets.take('c')
  assert.equal(buckets.size(), 2)
})

test('however many callers come, memory is bounded, and those who were seen last are still known', () => {
  const buckets = createTokenBuckets({ quota: 1, windowSeconds: 3600 }, { capacity: 100 })
  for (let n = 0; n < 10_000; n += 1) buckets.take(`stranger ${n}`)
  assert.ok(buckets.size() <= 200)
  for (let n = 9900; n < 10_000; n += 1) assert.ok(!buckets.take(`stranger ${n}`).allowed)
})
