import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { isPublic } from '@caravan/contracts/operation'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { invoke } from '../contract/ask.ts'
import { sampleOf } from '../contract/samples.ts'
import { shop, stack } from '../support/stack.ts'

type Json = Record<string, unknown>

interface Described extends Json {
  operationId: string
  parameters: { name: string; in: string; required: boolean; schema: Json }[]
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>
  requestBody?: { content: Record<string, { schema: Json; example?: unknown }> }
  security: Record<string, string[]>[]
  'x-access': unknown
}

interface Description extends Json {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, Json>; securitySchemes: Json }
}

const description = async (): Promise<Description> => {
  const answer = await shop.door('GET', '/openapi.json')
  assert.equal(answer.status, 200, answer.text)
  return answer.body
}

/** Each operation under its method and path. */
const listed = ({ paths }: Description): [string, Described][] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, each]): [string, Described] => [
      `${method.toUpperCase()} ${path}`,
      each,
    ]),
  )

/** Under its method and id: the path is another at the door. */
const byId = (description: Description): [string, Described][] =>
  listed(description).map(([what, each]) => [what.replace(/ .*/, ` ${each.operationId}`), each])

/** As apps are asked, through sidecars: with all parameters in the query. */
const asked = ({ parameters, ...rest }: Described) => ({
  ...rest,
  parameters: parameters.map((each) => ({ ...each, in: each.in.replace('path', 'query') })),
})

const isInternal = ({ 'x-access': access }: Described) => access instanceof Object && 'apps' in access

test('the description is what the services serve, all of it and no more, without what is between them', async () => {
  const services = stack.names.flatMap((name) => /^([a-z]+)\.sidecar$/.exec(name)?.[1] ?? [])
  const served = new Map<string, Described>()
  for (const app of services.filter((name) => name !== 'gateway')) {
    const { status, body, text } = await invoke(app, 'GET', '/openapi.json')
    assert.equal(status, 200, `${app}: ${text}`)
    for (const [what, each] of byId(body)) {
      assert.ok(!served.has(what), `${what} is served twice`)
      served.set(what, each)
    }
  }
  const internal = [...served].filter(([, each]) => isInternal(each))
  assert.ok(internal.length >= 3)
  for (const [what] of internal) served.delete(what)
  const told = new Map(byId(await description()))
  assert.ok(told.size > 30)
  assert.deepEqual([...told.keys()].sort(), [...served.keys()].sort())
  for (const [what, each] of told) {
    const own = served.get(what)
    // What is one file at the door an app serves page by page.
    const file = each.responses['200']?.content?.['text/csv']
    if (file) Object.assign(each.responses['200'] ?? {}, { content: own?.responses['200']?.content })
    assert.deepEqual(asked(each), own, what)
  }
})

test('every operation that is described is there, and no other', async () => {
  const told = new Set((await description().then(listed)).map(([, { operationId }]) => operationId))
  for (const operation of operations) {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(String(sampleOf(operation).params?.[name])),
    )
    const { status, body, text } = await shop.door(operation.method, path)
    const what = `${operation.id}: ${status} ${text}`
    const isThere = status !== 405 && body?.code !== 'request/no-such-route'
    assert.equal(isThere, told.has(operation.id), what)
    assert.equal(isThere, isPublic(operation), what)
  }
})

/** Every object in a JSON value. */
const objectsIn = (value: unknown): Json[] =>
  value instanceof Object ? [value as Json, ...Object.values(value).flatMap(objectsIn)] : []

test('the description is valid OpenAPI 3.1', async () => {
  const document = await description()
  assert.match(document.openapi, /^3\.1\.\d+$/)
  assert.ok(document.info.title && document.info.version)

  // A `$ref` may only point into the document itself (RFC 6901).
  for (const { $ref } of objectsIn(document)) {
    if (typeof $ref !== 'string') continue
    assert.match($ref, /^#\//)
    const target = $ref
      .slice(2)
      .split('/')
      .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], document)
    assert.ok(target instanceof Object, $ref)
  }

  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema({ $id: 'document', components: document.components })
  const compile = (schema: Json) =>
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components')))

  const all = listed(document)
  const ids = all.map(([, { operationId }]) => operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const [what, operation] of all) {
    const inPath = [...what.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = operation.parameters.filter((each) => each.in === 'path')
    assert.deepEqual(declared.map(({ name }) => name).sort(), inPath.sort(), what)
    for (const each of declared) assert.equal(each.required, true, what)
    for (const { schema } of operation.parameters) compile(schema)

    const statuses = Object.keys(operation.responses)
    assert.ok(statuses.some((status) => /^2\d\d$/.test(status)) && statuses.includes('503'), what)
    for (const [status, { description, content = {} }] of Object.entries(operation.responses)) {
      assert.match(status, /^[2-5]\d\d$/, what)
      assert.ok(description, what)
      for (const { schema } of Object.values(content)) compile(schema)
    }
    for (const { schema, example } of Object.values(operation.requestBody?.content ?? {})) {
      const validate = compile(schema)
      if (example !== undefined) assert.ok(validate(example), `${what}: ${ajv.errorsText(validate.errors)}`)
    }
    for (const scheme of operation.security.flatMap((each) => Object.keys(each)))
      assert.ok(scheme in document.components.securitySchemes, what)
  }
})

test('the page that shows the description has all it needs', async () => {
  const page = await shop.door('GET', '/docs')
  assert.equal(page.status, 200)
  assert.match(String(page.headers.get('content-type')), /^text\/html/)
  assert.match(String(page.headers.get('content-security-policy')), /script-src 'self'/)
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(assets.length >= 4)
  const types: Record<string, RegExp> = { js: /^text\/javascript/, css: /^text\/css/, png: /^image\/png/ }
  for (const path of assets) {
    const asset = await shop.door('GET', path)
    assert.equal(asset.status, 200, path)
    assert.match(String(asset.headers.get('content-type')), types[path.split('.').at(-1) ?? ''] ?? /^$/, path)
    assert.ok(asset.text.length > 50, path)
  }
  // The page starts with the description of this shop.
  assert.ok((await shop.door('GET', '/docs/start.js')).text.includes('/openapi.json'))
})
