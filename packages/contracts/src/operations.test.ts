import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { operations } from './all.ts'
import { isPublic, parametersOf } from './operation.ts'
import { comparedMembers } from './taking-back.ts'

const unique = (values: readonly string[]) => {
  const twice = values.filter((value, index) => values.indexOf(value) !== index)
  assert.deepEqual(twice, [])
}

test('operation ids are unique', () => unique(operations.map((op) => op.id)))

test('no two operations share a method and a path, whatever its parameters are called', () =>
  unique(operations.map((op) => `${op.method} ${op.path.replace(/\{\w+\}/g, '{}')}`)))

test('the parameters of a path are those of its schema', () => {
  for (const op of operations) {
    const inPath = parametersOf(op)
    const inSchema = op.params instanceof z.ZodObject ? Object.keys(op.params.shape) : []
    assert.deepEqual(inPath.sort(), inSchema.sort(), op.id)
  }
})

test('no parameter of a path has the name of a query parameter: an app gets both in the query', () => {
  for (const op of operations) {
    const inQuery = op.query instanceof z.ZodObject ? Object.keys(op.query.shape) : []
    unique([...parametersOf(op), ...inQuery])
  }
})

test('every schema has a JSON Schema that says something', () => {
  for (const op of operations) {
    for (const [part, io] of [
      ['params', 'input'],
      ['query', 'input'],
      ['body', 'input'],
      ['response', 'output'],
    ] as const) {
      const schema = op[part]
      if (!schema) continue
      const json = z.toJSONSchema(schema, { io })
      assert.ok(json.type === 'object' || json.oneOf || json.anyOf, `${op.id} ${part}`)
    }
  }
})

test('every example is valid', () => {
  let examples = 0
  for (const op of operations) {
    for (const part of ['body', 'response'] as const) {
      if (op.example?.[part] === undefined) continue
      examples += 1
      const result = op[part]?.safeParse(op.example[part])
      assert.ok(result?.success, `${op.id} ${part}: ${result?.error}`)
    }
  }
  assert.ok(examples >= 3)
})

test('requests are strict: an unknown field is refused, not ignored', () => {
  for (const op of operations) {
    for (const part of ['params', 'query', 'body'] as const) {
      const schema = op[part]
      if (!schema) continue
      const json = z.toJSONSchema(schema, { io: 'input' })
      assert.equal(json.additionalProperties, false, `${op.id} ${part}`)
    }
  }
})

test('204 has no response, every other status has one, or media', () => {
  for (const op of operations)
    assert.equal(op.response === undefined, op.status === 204 || op.media !== undefined, op.id)
})

test('a problem code is a service and a word, and a public path has a version or is well known', () => {
  for (const op of operations) {
    for (const code of Object.keys(op.problems ?? {})) assert.match(code, /^[a-z-]+\/[a-z-]+$/, op.id)
    if (isPublic(op)) assert.match(op.path, /^\/(v1|\.well-known)\//, op.id)
  }
})

test('what only apps may call is not public, everything else is', () => {
  assert.equal(isPublic({ access: { apps: ['orders'] } }), false)
  for (const access of ['anyone', 'member', { roles: ['operator'] }] as const)
    assert.equal(isPublic({ access }), true)
})

/** PUTs that replace nothing which could be read before, and why. */
const noReplacements: Readonly<Record<string, string>> = {
  adjustStock: 'adds to what is there',
  changePassword: 'goes by the password before',
  putGrant: 'is there or not',
  putPublicRoute: 'is there or not',
  setItem: 'a line is as the shopper wants it last',
}

test('a replacement keeps to conditions, and is read at its path with the tag that it goes by', () => {
  const puts = operations.filter(({ method }) => method === 'PUT')
  for (const { id, path, tagged } of puts) {
    assert.equal(tagged ?? false, !(id in noReplacements), id)
    const read = operations.find((op) => op.method === 'GET' && op.path === path)
    if (tagged) assert.equal(read?.tagged, true, `${id} has no read with a tag`)
  }
  const known = puts.map(({ id }) => id)
  for (const id of Object.keys(noReplacements)) assert.ok(known.includes(id), id)
})

test('what is read with a tag is deleted under conditions on that tag', () => {
  for (const { id, path, response } of operations.filter(
    ({ method, tagged }) => method === 'GET' && tagged,
  )) {
    const deletion = operations.find((op) => op.method === 'DELETE' && op.path === path)
    if (deletion) assert.equal(deletion.tagged, response, `${deletion.id} is not about what ${id} shows`)
  }
})

test('a replacement fills in nothing that its body leaves out', () => {
  for (const { id, method, body } of operations)
    if (method === 'PUT' && body)
      assert.doesNotMatch(JSON.stringify(z.toJSONSchema(body, { io: 'input' })), /"default":/, id)
})

test('a replacement takes back all that its answer holds', () => {
  for (const { id, tagged, body, response } of operations) {
    if (!tagged || !body || !response) continue
    const { properties: taken = {} } = z.toJSONSchema(body, { io: 'input' })
    const { properties: given = {} } = z.toJSONSchema(response, { io: 'output' })
    assert.deepEqual(
      Object.keys(given).filter((name) => !(name in taken)),
      [],
      id,
    )
  }
})

test('a replacement knows the member of its answer that its path repeats', () => {
  for (const op of operations) {
    if (op.method !== 'PUT' || !op.tagged || !op.body || !(op.response instanceof z.ZodObject)) continue
    const { named = {} } = comparedMembers(op.body) ?? {}
    assert.deepEqual(Object.values(named), parametersOf(op), op.id)
    for (const member of Object.keys(named)) assert.ok(member in op.response.shape, `${op.id} ${member}`)
  }
})
