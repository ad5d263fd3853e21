import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { line, optionalLine, password, prose } from '@caravan/contracts/line'
import { z } from 'zod'
import { looseText } from './text-fields.ts'

test('an operation takes no text that a database, an event or a mail would not hold, and no name that cannot be seen', () => {
  const found = operations.flatMap(({ id, params, query, body }) =>
    [params, query, body].flatMap((schema) =>
      schema ? looseText(schema).map((path) => `${id} ${path}`) : [],
    ),
  )
  assert.ok(operations.length > 40)
  assert.deepEqual(found, [])
})

test('the rule sees a text however deep, and names of members too', () => {
  const object = (field: string, type: z.ZodType) => z.strictObject({ [field]: type })
  for (const [schema, path] of [
    [object('name', z.string().trim().min(1).max(9)), '/name'],
    [object('name', z.string().regex(/^.+$/)), '/name'],
    [object('name', z.string().optional()), '/name'],
    [object('names', z.array(z.string().nullable())), '/names'],
    [object('a', z.union([z.int(), object('b', z.string())])), '/a/b'],
    [object('a', z.record(z.string(), z.int())), '/a'],
    [object('a', z.record(line(9), z.string())), '/a'],
    [object('note', password(0, 9)), '/note'],
  ] as const)
    assert.deepEqual(looseText(schema), [path])
  for (const schema of [
    object('name', line(9)),
    object('line2', optionalLine(9).optional()),
    object('a', z.array(z.record(line(9), prose(9)))),
    object('newPassword', password(9, 99)),
    object('id', z.uuid()),
    object('how', z.enum(['a', 'b'])),
    object('sku', z.string().regex(/^[A-Z-]{3,9}$/)),
  ])
    assert.deepEqual(looseText(schema), [])
})
