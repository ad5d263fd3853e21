import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@caravan/service-kit/log'
import { createAnonymousToken } from './anonymous-token.ts'

const log = createLog('test', 'silent')

test('it is asked for until identity gives it, and renewed after two thirds of its life', async () => {
  let asked = 0
  const token = createAnonymousToken(async () => {
    asked += 1
    if (asked === 1) throw new Error('identity is not there')
    return { accessToken: `t${asked}`, expiresIn: 0.3 }
  }, log)
  const stop = token.start()
  assert.equal(token.current(), undefined)
  await sleep(300)
  assert.equal(token.current(), 't2')
  await sleep(200)
  assert.equal(token.current(), 't3')
  await stop()
  const before = asked
  await sleep(250)
  assert.equal(asked, before)
  assert.equal(token.current(), undefined, 'an expired token is none')
})
