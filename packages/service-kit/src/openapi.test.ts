import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { operation } from '@caravan/contracts/operation'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'
import { openApi } from './openapi.ts'

type Json = Record<string, unknown>
interface Described {
  operationId: string
  description?: string
  security: Json[]
  parameters: { name: string; in: string; required: boolean; schema: Json }[]
  requestBody?: { content: Json }
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>
}

const describeOne = (op: Parameters<typeof openApi>[2][number]): Described => {
  const paths = openApi('t', '1', [op]).paths as Record<string, Record<string, Described>>
  return paths[op.path]?.[op.method.toLowerCase()] as Described
}

const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

describe('the OpenAPI document of all operations', () => {
  const document = JSON.parse(JSON.stringify(openApi('Caravan', '1.0.0', operations)))
  const described = Object.entries(document.paths as Record<string, Record<string, Described>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, op]) => ({ path, method, op })),
  )

  test('has what OpenAPI 3.1 requires', () => {
    assert.match(document.openapi, /^3\.1\.\d$/)
    assert.deepEqual(document.info, { title: 'Caravan', version: '1.0.0' })
    assert.equal(described.length, operations.length)
  })

  test('each operation has an id of its own, a response, and a parameter for each name in its path', () => {
    assert.equal(new Set(described.map(({ op }) => op.operationId)).size, operations.length)
    for (const { path, op } of described) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
      const inPath = op.parameters.filter((each) => each.in === 'path')
      assert.deepEqual(inPath.map(({ name }) => name).sort(), names, op.operationId)
      assert.ok(inPath.every(({ required }) => required))
      assert.ok(Object.keys(op.responses).every((status) => /^[2-5]\d\d$/.test(status)))
      assert.ok(Object.values(op.responses).every(({ description }) => description))
      const unique = new Set(op.parameters.map((each) => `${each.in} ${each.name}`))
      assert.equal(unique.size, op.parameters.length)
    }
  })

  test('every schema in it is a JSON Schema, and every reference leads somewhere', () => {
    let schemas = 0
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      for (const [key, value] of Object.entries(node)) {
        if (key === '$ref') {
          const target = String(value)
            .slice(2)
            .split('/')
            .reduce((at, part) => at?.[part], document)
          assert.ok(target, String(value))
        } else if (key === 'schema' && !(value as Json).$ref) {
          schemas += 1
          ajv.compile(value as Json)
        } else visit(value)
      }
    }
    visit(document.paths)
    assert.ok(schemas > operations.length)
    ajv.compile(document.components.schemas.Problem)
  })

  test('an example in it is valid against its schema', () => {
    const bodies = described.flatMap(({ op }) => Object.values(op.requestBody?.content ?? {}) as Json[])
    const examples = bodies.filter(({ example }) => example)
    assert.ok(examples.length > 2)
    for (const { schema, example } of examples) {
      const valid = ajv.compile(schema as Json)
      assert.ok(valid(example), JSON.stringify(valid.errors))
    }
  })
})

describe('the description of one operation', () => {
  const op = operation({
    app: 'things',
    id: 'putThing',
    method: 'PUT',
    path: '/v1/things/{thingId}',
    summary: 's',
    access: 'member',
    status: 200,
    idempotent: true,
    params: z.strictObject({ thingId: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().max(10).default(5), q: z.string() }),
    body: z.strictObject({ count: z.int().default(1) }),
    response: z.object({ count: z.int().default(1) }),
    problems: { 'things/not-found': 404, 'things/card-declined': 402, 'things/taken': 409 },
  })
  const made = describeOne(op as never)

  test('parameters say where they are, whether they must be, and of what type', () => {
    const found = made.parameters.map((each) => [each.in, each.name, each.required, each.schema.type])
    assert.deepEqual(found, [
      ['path', 'thingId', true, 'string'],
      ['query', 'limit', false, 'integer'],
      ['query', 'q', true, 'string'],
      ['header', 'Idempotency-Key', true, 'string'],
    ])
  })

  test('a default makes a field optional in a request and certain in a response', () => {
    const request = made.requestBody?.content['application/json'] as { schema: Json }
    assert.equal(request.schema.required, undefined)
    assert.deepEqual(made.responses[200]?.content?.['application/json']?.schema.required, ['count'])
  })

  test('every status that the kit and the operation may answer is there, failures as problems', () => {
    const statuses = Object.keys(made.responses)
    assert.deepEqual(statuses, '200 400 401 402 403 404 409 413 414 415 422 429 431 503'.split(' '))
    for (const status of statuses.slice(1).filter((each) => each !== '431'))
      assert.deepEqual(Object.keys(made.responses[status]?.content ?? {}), ['application/problem+json'])
  })

  test('only what is open to anyone may be called without a token', () => {
    assert.deepEqual(made.security, [{ bearer: [] }])
    const open = describeOne({ ...op, access: 'anyone' } as never)
    assert.deepEqual(open.security, [{}, { bearer: [] }])
  })
})
