import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@caravan/service-kit/log'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { createAnonymousToken } from './anonymous-token.ts'

const log = createLog('test', 'silent')

test('it is asked for until identity gives it, renewed after two thirds of its life, and none when it is over', async (t) => {
  const lifeMs = 3000
  const askedAt: number[] = []
  const token = createAnonymousToken(async () => {
    askedAt.push(performance.now())
    if (askedAt.length === 1) throw new Error('identity is not there')
    return { accessToken: `t${askedAt.length}`, expiresIn: lifeMs / 1000 }
  }, log)
  const stop = token.start()
  assert.equal(token.current(), undefined)
  await eventually('identity gave one', () => token.current() === 't2')
  await eventually('it is another one', () => token.current() === 't3')
  const [, second = 0, third = 0] = askedAt
  assert.ok(third - second >= (lifeMs * 2) / 3 - 10 && third - second < lifeMs, `${third - second} ms`)
  await stop()
  assert.equal(token.current(), 't3')
  const later = Date.now() + lifeMs
  t.mock.method(Date, 'now', () => later)
  assert.equal(token.current(), undefined)
  assert.equal(askedAt.length, 3)
})
