import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc from 'fast-check'
import type { z } from 'zod'
import { openApi } from './openapi.ts'
import { fromJsonSchema, fromZod, mutated } from './testing/arbitrary-json.ts'

type Json = Record<string, unknown>

/** What a document cannot say, by operation: why, and a body that is valid by it and refused all the same. */
const unsaid: Readonly<Record<string, { readonly why: string; readonly body: unknown }>> = {
  putRule: {
    why: 'an expression must not take exponential time, which is seen by reading it',
    body: { role: 'support', effect: 'allow', method: 'GET', path: '^(a+)+$' },
  },
  createBan: {
    why: 'there is no format of a network in CIDR notation',
    body: { kind: 'address', subject: 'nowhere', reason: 'A test' },
  },
}

const runs = 150
const ajv = new Ajv2020({ strict: false })
formats.default(ajv)

const document = openApi('Caravan', '0', operations) as { paths: Record<string, Record<string, Described>> }
interface Described {
  parameters: { name: string; in: 'path' | 'query' | 'header'; schema: Json }[]
  requestBody?: { content: Record<string, { schema: Json }> }
}
const describedAs = ({ path, method }: { path: string; method: string }) =>
  document.paths[path]?.[method.toLowerCase()] as Described

/** As it goes over the wire. */
const sent = (value: unknown): unknown => {
  const text = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}

/** The parts of a request that a document describes by a schema, each with both of its judges. */
const parts = operations.flatMap((operation) => {
  const { parameters, requestBody } = describedAs(operation)
  const body = requestBody?.content['application/json']?.schema
  const { params, query, example } = operation
  const given: readonly unknown[] = example?.body ? [example.body] : []
  const shapes = { path: params, query } as Record<string, z.ZodObject | undefined>
  return [
    ...(operation.body && body
      ? [{ name: operation.id, said: body, schema: operation.body, inText: false, examples: given }]
      : []),
    ...parameters.flatMap(({ name, in: where, schema: said }) => {
      const schema = shapes[where]?.shape[name] as z.ZodType | undefined
      return schema ? [{ name: `${operation.id} ${name}`, said, schema, inText: true, examples: [] }] : []
    }),
  ]
})

describe('a request is valid by the OpenAPI document when it is by the contract, and only then', () => {
  for (const { name, said, schema, inText, examples } of parts) {
    test(name, () => {
      const judge = ajv.compile(said)
      const isWhole = said.type === 'integer'
      const judged = (value: unknown): [document: boolean, contract: boolean] => {
        if (!inText) return [judge(value), schema.safeParse(value).success]
        const text = String(value)
        const read = isWhole && /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : text
        return [judge(read), schema.safeParse(text).success]
      }
      const plain = fc
        .oneof(...examples.map((each) => fc.constant(each)), fromJsonSchema(said), fromZod(schema))
        .map(sent)
      const values = fc.oneof(plain, plain.chain((value) => mutated(value, said)).map(sent))
      let valid = 0
      fc.assert(
        fc.property(values, (value) => {
          if (value === undefined) return
          const [byDocument, byContract] = judged(value)
          if (byContract) valid += 1
          if (name in unsaid) assert.ok(byDocument || !byContract, JSON.stringify(value))
          else assert.equal(byDocument, byContract, `by the document ${byDocument}: ${JSON.stringify(value)}`)
        }),
        { numRuns: runs },
      )
      assert.ok(valid > 0, 'none of the values was valid')
    })
  }

  test('all of them were looked at', () => assert.ok(parts.length > 60, String(parts.length)))
})

test('what a document cannot say is little, and refused all the same', () => {
  assert.ok(Object.keys(unsaid).length <= 3)
  for (const [id, { body }] of Object.entries(unsaid)) {
    const operation = operations.find((each) => each.id === id)
    assert.ok(operation)
    const said = describedAs(operation).requestBody?.content['application/json']?.schema
    assert.deepEqual(
      [ajv.validate(said as Json, body), operation.body?.safeParse(body).success],
      [true, false],
      id,
    )
  }
})
