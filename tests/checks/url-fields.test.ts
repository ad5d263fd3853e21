import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { publicUrl } from '@caravan/contracts/public-url'
import { z } from 'zod'
import { find, read } from './repository.ts'
import { loose } from './url-fields.ts'

test('an operation takes an address from a caller only as a publicUrl', () => {
  const found = operations.flatMap(({ id, params, query, body }) =>
    [params, query, body].flatMap((schema) => (schema ? loose(schema).map((path) => `${id} ${path}`) : [])),
  )
  assert.ok(operations.length > 40)
  assert.deepEqual(found, [])
})

test('no contract checks addresses by itself', () => {
  const files = find('packages/contracts/src/*.ts').filter((file) => !/\/public-url(\.test)?\.ts$/.test(file))
  const own = files.filter((file) =>
    /\bz\s*\.\s*(?:url|httpUrl)\s*\(|\.url\s*\(|new URL\(|canParse/.test(read(file)),
  )
  assert.ok(files.length > 10)
  assert.deepEqual(own, [])
})

test('the rule sees an address by its format and by its name, however deep', () => {
  const object = (field: string, type: z.ZodType) => z.strictObject({ [field]: type })
  for (const [schema, path] of [
    [object('target', z.url()), '/target'],
    [object('target', z.httpUrl().optional()), '/target'],
    [object('callbackUrl', z.string()), '/callbackUrl'],
    [object('picture_url', z.string().max(9)), '/picture_url'],
    [object('webhook', z.string().nullable()), '/webhook'],
    [object('links', z.array(z.string())), '/links'],
    [object('a', z.array(object('website', z.string().trim()))), '/a/website'],
    [object('a', z.union([z.int(), object('href', z.string())])), '/a/href'],
    [object('a', z.record(z.string(), z.url())), '/a'],
    [object('url', z.any()), '/url'],
  ] as const)
    assert.deepEqual(loose(schema), [path])
  for (const schema of [
    object('callbackUrl', publicUrl),
    object('links', z.array(publicUrl).max(3).optional()),
    object('webhook', publicUrl.nullable()),
    object('curl', z.string()),
    object('linkedSku', z.string()),
    object('host', z.int()),
  ])
    assert.deepEqual(loose(schema), [])
})
