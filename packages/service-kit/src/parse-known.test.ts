import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roleContent, rule } from '@caravan/contracts/access'
import { events, operations } from '@caravan/contracts/all'
import type { Operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { parseKnown } from './parse-known.ts'

/** The value with a field more in each object of it; `attributes` has names of its users' own. */
const grown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(grown)
  if (typeof value !== 'object' || value === null) return value
  return {
    ...Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, key === 'attributes' ? each : grown(each)]),
    ),
    addedLater: { n: [1] },
  }
}

for (const { topic, data, example } of events)
  test(`${topic} may grow by a field in each of its objects`, () => {
    assert.partialDeepStrictEqual(parseKnown(data, grown(example)).data, data.parse(example))
  })

const answered = (operations as readonly Operation[]).filter(({ example }) => example?.response)
for (const { id, response, example } of answered)
  test(`the answer of ${id} may grow by a field in each of its objects`, () => {
    const parsed = parseKnown(response as z.ZodType, grown(example?.response))
    assert.equal(parsed.success, true)
  })

test('so may rules and roles, which a newer identity tells', () => {
  const told = { role: 'support', effect: 'deny', method: 'GET', path: '/v1/me' }
  assert.deepEqual(parseKnown(rule, grown(told)).data, told)
  assert.deepEqual(parseKnown(roleContent, grown({ parents: ['seller'] })).data, { parents: ['seller'] })
})

test('what is known has to be right, and the value is left as it was', () => {
  const schema = z.strictObject({ list: z.array(z.strictObject({ n: z.int() })) })
  const value = { list: [{ n: 1, m: 2 }] }
  assert.deepEqual(parseKnown(schema, value).data, { list: [{ n: 1 }] })
  assert.deepEqual(value, { list: [{ n: 1, m: 2 }] })
  for (const wrong of [{ list: [{ n: '1', m: 2 }] }, { m: 2 }, null])
    assert.equal(parseKnown(schema, wrong).success, false)
})
