import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { createFindCodes } from './find-codes.ts'

const promotionId = '0192f3a4-0000-7000-8000-000000000001'

/** Promotions, which knows WELCOME alone, and notes what it is asked. */
const promotions = (refusing = false) => {
  const asked: string[][] = []
  const call = async (_: unknown, { body }: { body: { codes: string[] } }) => {
    asked.push(body.codes)
    if (refusing) return { outcome: 'too-many', retryAfterSeconds: 30 }
    const data = body.codes.map((code) =>
      code === 'WELCOME' ? { code, outcome: 'found', promotionId } : { code, outcome: 'not-found' },
    )
    return { outcome: 'answered', data }
  }
  return { asked, findCodes: createFindCodes({ call } as unknown as Sidecar) }
}

test('what a customer found is asked once, what it did not each time, and no code twice; what others found, too', async () => {
  const { asked, findCodes } = promotions()
  const answer = [
    { code: 'WELCOME', promotionId },
    { code: 'WRONG', promotionId: undefined },
  ]
  assert.deepEqual(await findCodes('mei', ['WELCOME', 'WRONG', 'WELCOME']), answer)
  assert.deepEqual(await findCodes('lin', ['WELCOME', 'WRONG']), answer)
  assert.deepEqual(await findCodes('mei', ['WELCOME']), answer.slice(0, 1))
  assert.deepEqual(asked, [
    ['WELCOME', 'WRONG'],
    ['WELCOME', 'WRONG'],
  ])
})

test('who guesses has to wait', async () => {
  const { findCodes } = promotions(true)
  await assert.rejects(findCodes('mei', ['A-1']), {
    ...{ status: 429, code: 'orders/too-many-codes' },
    details: { retryAfterSeconds: 30 },
  })
})
