import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from './errors.ts'
import { onceThere } from './once-there.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
const failing = (...errors: Error[]) => {
  let tries = 0
  const work = async () => {
    const error = errors[tries]
    tries += 1
    if (error) throw error
    return 'there'
  }
  return { work, tries: () => tries }
}

test('what is away is asked again until it is there', async () => {
  const { work, tries } = failing(refused, new AppError('unavailable', 'sidecar/unavailable', 'Not yet'))
  assert.equal(await onceThere(work), 'there')
  assert.equal(tries(), 3)
})

test('what stays away is told in the end', async () => {
  const { work, tries } = failing(...Array<Error>(100).fill(refused))
  await assert.rejects(onceThere(work, 200), refused)
  assert.ok(tries() > 1)
})

test('a defect, or a password that is wrong, is told at once', async () => {
  const denied = Object.assign(new Error('Access denied'), { code: 'ER_ACCESS_DENIED_ERROR', fatal: true })
  for (const error of [new TypeError('x is not a function'), denied]) {
    const { work, tries } = failing(error)
    await assert.rejects(onceThere(work), error)
    assert.equal(tries(), 1)
  }
})
