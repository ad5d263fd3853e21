import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { createAuthenticator } from './authenticate.ts'
import { contentDigest } from './content-digest.ts'
import { AppError } from './errors.ts'
import { type Input, mediaRoute, type Route, route } from './route.ts'
import { startApp } from './testing/start-app.ts'
import { createTokenIssuer, issuer } from './testing/token-issuer.ts'

const base = { app: 'things', summary: '', access: 'anyone', status: 200 } as const
const thing = z.object({ id: z.string(), tags: z.array(z.object({ name: z.string() })) })

const putThing = operation({
  ...base,
  id: 'putThing',
  method: 'PUT',
  path: '/v1/things/{thingId}',
  status: 201,
  params: z.strictObject({ thingId: z.string().regex(/^t\d+$/) }),
  query: z.strictObject({ limit: z.coerce.number().int().max(10).default(5) }),
  body: z.strictObject({
    count: z.int().min(1),
    'a/b~c': z.string().optional(),
    tags: z.array(z.strictObject({ name: z.string().min(1) })).default([]),
  }),
  response: thing,
})
const act = (id: string, more: object = {}) =>
  operation({ ...base, id, method: 'POST', path: `/v1/${id}`, response: z.object({}), ...more })
const removeThing = operation({
  ...base,
  id: 'removeThing',
  method: 'DELETE',
  path: '/v1/things',
  status: 204,
})
const readRaw = operation({
  ...base,
  id: 'readRaw',
  method: 'POST',
  path: '/v1/raw',
  raw: true,
  response: z.object({ hex: z.string() }),
})
const drawThing = operation({
  ...base,
  id: 'drawThing',
  method: 'GET',
  path: '/v1/things/picture',
  media: ['image/png'],
})
const forOrders = act('internal', { access: { apps: ['orders'] } })
const forMembers = act('own', { access: 'member' })

describe('a route', () => {
  const tokens = createTokenIssuer()
  const calls: Input<z.ZodType, z.ZodType, z.ZodType>[] = []
  let result: unknown
  let app: Awaited<ReturnType<typeof startApp>>

  before(async () => {
    const note = async (input: unknown) => {
      calls.push(input as (typeof calls)[number])
      if (result instanceof Error) throw result
      return result as never
    }
    const bodyless = [forOrders, forMembers, act('fail'), removeThing]
    app = await startApp(
      [
        route(putThing, note),
        ...bodyless.map((op) => route(op as typeof forOrders, note)),
        route(readRaw, async ({ raw }) => ({ hex: raw.toString('hex') })),
        mediaRoute(drawThing, async () => {
          if (result instanceof Error) throw result
          return { type: 'image/png', name: 'thing.png', content: Buffer.from([0x89, 0xff]) }
        }),
        route(act('slow'), () => new Promise(() => {})),
      ] as Route[],
      { authenticate: createAuthenticator(tokens.keys, { issuer }), maxBodyBytes: 1000, deadlineMs: 2000 },
    )
  })
  after(() => app.stop())

  const put = (body: unknown, { path = '/operations/putThing?thingId=t1', headers = {} } = {}) => {
    calls.length = 0
    result = { id: 't1', tags: [] }
    return app.request('PUT', path, body, headers)
  }
  const isProblem = (answer: Awaited<ReturnType<typeof put>>, status: number, code: string) => {
    assert.deepEqual([answer.status, answer.body.status, answer.body.code], [status, status, code])
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
    assert.match(String(answer.body.traceId), /^[0-9a-f]{32}$/)
    assert.equal(calls.length, 0)
  }
  const pointers = (answer: Awaited<ReturnType<typeof put>>) =>
    (answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()

  test('gives the handler what the schemas made of the request', async () => {
    const answer = await put({ count: 2 })
    assert.equal(answer.status, 201)
    const [input] = calls
    assert.deepEqual(input?.params, { thingId: 't1' })
    assert.deepEqual(input?.query, { limit: 5 })
    assert.deepEqual(input?.body, { count: 2, tags: [] })
  })

  test('answers only with fields of the response’s schema', async () => {
    calls.length = 0
    result = { id: 't1', passwordHash: 'x', tags: [{ name: 'a', internal: true }] }
    const answer = await app.request('PUT', '/operations/putThing?thingId=t1', { count: 1 })
    assert.deepEqual(answer.body, { id: 't1', tags: [{ name: 'a' }] })
  })

  test('answers with a document as it is, under its name, and with a problem where there is none', async () => {
    result = undefined
    const { status, headers } = await app.request('GET', '/operations/drawThing')
    assert.deepEqual(
      [status, headers.get('content-type'), headers.get('content-length')],
      [200, 'image/png', '2'],
    )
    assert.equal(headers.get('content-disposition'), 'attachment; filename="thing.png"')
    assert.equal(headers.get('content-digest'), contentDigest(Buffer.from([0x89, 0xff])))
    result = new AppError('not-found', 'things/not-found', 'There is none')
    const refused = await app.request('GET', '/operations/drawThing')
    assert.deepEqual([refused.status, refused.body.code], [404, 'things/not-found'])
  })

  test('a result that breaks its own contract is a defect, not an answer', async () => {
    result = { id: 7, secret: 'hunter2' }
    const answer = await app.request('PUT', '/operations/putThing?thingId=t1', { count: 1 })
    assert.deepEqual([answer.status, answer.body.code], [500, 'internal-error'])
    assert.doesNotMatch(answer.text, /hunter2|expected/)
  })

  test('422 points at each faulty field, nested ones and unknown ones too', async () => {
    const answer = await put({
      count: 0,
      tags: [{ name: 'a' }, { name: '', extra: 1 }],
      colour: 'red',
      'a/b~c': 1,
    })
    isProblem(answer, 422, 'things/invalid-request')
    assert.deepEqual(pointers(answer), ['/a~1b~0c', '/colour', '/count', '/tags/1/extra', '/tags/1/name'])
  })

  test('422 for a body of another type, a faulty path and a faulty query', async () => {
    const list = await put([])
    isProblem(list, 422, 'things/invalid-request')
    assert.deepEqual(pointers(list), [''])
    const path = await put({ count: 1 }, { path: '/operations/putThing?thingId=nope' })
    isProblem(path, 422, 'things/invalid-request')
    assert.deepEqual(pointers(path), ['params/thingId'])
    const query = await put({ count: 1 }, { path: '/operations/putThing?thingId=t1&limit=11&page=2' })
    isProblem(query, 422, 'things/invalid-request')
    assert.deepEqual(pointers(query), ['query/limit', 'query/page'])
  })

  test('a parameter that comes twice is 422, and never the second one', async () => {
    const twice = await put({ count: 1 }, { path: '/operations/putThing?thingId=t1&thingId=t2' })
    isProblem(twice, 422, 'things/invalid-request')
    assert.deepEqual(pointers(twice), ['params/thingId'])
  })

  test('an app answers under the path of its operations only', async () => {
    for (const path of ['/v1/things/t1', '/v1/things/t1?thingId=t1', '/operations/putThing/t1'])
      isProblem(await put({ count: 1 }, { path }), 404, 'request/no-such-route')
  })

  test('400 for what is no JSON, with nothing of it in the answer', async () => {
    const answer = await put('hunter2')
    isProblem(answer, 400, 'request/malformed-json')
    assert.doesNotMatch(answer.text, /hunter2/)
  })

  test('415 for what is not said to be JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
      isProblem(await put('{"count":1}', { headers: { 'content-type': type } }), 415, 'request/not-json')
    for (const type of ['application/json; charset=utf-8', 'application/vnd.thing+json', 'Application/JSON'])
      assert.equal((await put('{"count":1}', { headers: { 'content-type': type } })).status, 201)
  })

  test('a body in another charset or coding is refused, and so are bytes that are not UTF-8', async () => {
    const text = '{"count":1,"a/b~c":"José"}'
    const thing = '/operations/putThing?thingId=t1'
    const send = async (bytes: Buffer, headers: Record<string, string> = {}, path = thing) => {
      calls.length = 0
      result = { id: 't1', tags: [], hex: '' }
      const method = path === thing ? 'PUT' : 'POST'
      return app.request(method, path, bytes, { 'content-type': 'application/json', ...headers })
    }
    const latin1 = Buffer.from(text, 'latin1')
    isProblem(await send(latin1), 400, 'request/not-utf-8')
    for (const path of [thing, '/operations/readRaw']) {
      const declared = { 'content-type': 'application/json; charset=ISO-8859-1' }
      isProblem(await send(latin1, declared, path), 415, 'request/other-charset')
      isProblem(await send(gzipSync(text), { 'content-encoding': 'gzip' }, path), 415, 'request/encoded')
    }
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])
    assert.equal((await send(marked)).status, 201)
    assert.partialDeepStrictEqual(calls, [{ body: { 'a/b~c': 'José' } }])
  })

  test('a query whose escapes are none, or not UTF-8, is 400', async () => {
    for (const query of ['limit=%', 'limit=1&x=Caf%E9'])
      isProblem(
        await put({ count: 1 }, { path: `/operations/putThing?thingId=t1&${query}` }),
        400,
        'request/not-utf-8',
      )
  })

  test('413 for a body that is too long, said to be or not, and the client gets to read it', async () => {
    const body = JSON.stringify({ count: 1, 'a/b~c': 'x'.repeat(1000) })
    const answer = await put(body)
    isProblem(answer, 413, 'request/too-large')

    const send = (headers: Record<string, string>, first: string, rest: string) =>
      new Promise((resolve, reject) => {
        const all = { 'content-type': 'application/json', 'dapr-api-token': 'a-token-of-the-app', ...headers }
        const sent = httpRequest(
          `${app.url}/operations/putThing?thingId=t1`,
          { method: 'PUT', headers: all },
          (response) => {
            response.resume()
            // The rest goes out when the answer is there already.
            sent.end(rest, () => resolve(response.statusCode))
          },
        )
        sent.on('error', reject)
        sent.write(first)
      })
    assert.equal(await send({}, body, body), 413)
    assert.equal(await send({ 'content-length': '10000000' }, 'x', 'x'.repeat(9_999_999)), 413)
    assert.equal(calls.length, 0)
  })

  test('a body of exactly the limit is taken', async () => {
    const frame = JSON.stringify({ count: 1, 'a/b~c': '' }).length
    const fits = JSON.stringify({ count: 1, 'a/b~c': 'x'.repeat(1000 - frame) })
    assert.equal((await put(fits)).status, 201)
    isProblem(await put(`${fits} `), 413, 'request/too-large')
  })

  test('raw bytes come as they were sent', async () => {
    const answer = await app.request('POST', '/operations/readRaw', '{ "a" :1}\n', {
      'content-type': 'text/plain',
    })
    assert.equal(Buffer.from(String(answer.body.hex), 'hex').toString(), '{ "a" :1}\n')
  })

  test('204 has no body', async () => {
    result = undefined
    const answer = await app.request('DELETE', '/operations/removeThing')
    assert.deepEqual([answer.status, answer.text], [204, ''])
  })

  test('an expected failure is told with its code, data and Retry-After', async () => {
    result = new AppError('conflict', 'things/taken', 'Taken', { data: { by: 'a' }, retryAfterSeconds: 7 })
    const answer = await app.request('POST', '/operations/fail')
    assert.deepEqual([answer.status, answer.body.code, answer.body.by], [409, 'things/taken', 'a'])
    assert.equal(answer.headers.get('retry-after'), '7')
  })

  test('of an unexpected failure nothing is told', async () => {
    result = new Error('password is hunter2')
    const answer = await app.request('POST', '/operations/fail')
    assert.deepEqual([answer.status, answer.body.code], [500, 'internal-error'])
    assert.doesNotMatch(answer.text, /hunter2/)
  })

  test('503 when the handler takes longer than the deadline', async () => {
    const answer = await app.request('POST', '/operations/slow')
    assert.deepEqual([answer.status, answer.body.code], [503, 'request/timed-out'])
    assert.equal(answer.headers.get('retry-after'), '1')
  })

  test('who may not is refused before the body is looked at', async () => {
    calls.length = 0
    const answer = await app.request('POST', '/operations/own', '{not json')
    isProblem(answer, 401, 'auth/sign-in-needed')
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    const operator = tokens.bearer({ roles: ['operator'] })
    isProblem(
      await app.request('POST', '/operations/internal', undefined, { authorization: operator }),
      403,
      'auth/forbidden',
    )
  })

  test('an app is known by what its sidecar says, and only where apps may call', async () => {
    result = {}
    const from = (caller: string) => ({ 'dapr-caller-app-id': caller })
    assert.equal((await app.request('POST', '/operations/internal', undefined, from('orders'))).status, 200)
    assert.deepEqual(calls.at(-1)?.caller, { kind: 'app', id: 'orders', roles: [] })
    assert.equal((await app.request('POST', '/operations/internal', undefined, from('carts'))).status, 403)
    assert.equal((await app.request('POST', '/operations/own', undefined, from('orders'))).status, 401)
    assert.equal((await app.request('POST', '/operations/fail', undefined, from('orders'))).status, 200)
    assert.equal(calls.at(-1)?.caller.kind, 'anonymous')
  })

  test('a bad token is refused even where none is needed', async () => {
    calls.length = 0
    const answer = await app.request('POST', '/operations/fail', undefined, { authorization: 'Bearer x.y.z' })
    isProblem(answer, 401, 'auth/invalid-token')
  })

  test('what did not come through the sidecar is refused, health is not', async () => {
    for (const token of ['', 'wrong', 'another-token-app1'])
      isProblem(
        await put({ count: 1 }, { headers: { 'dapr-api-token': token } }),
        401,
        'auth/not-through-sidecar',
      )
    assert.equal((await fetch(`${app.url}/healthz`)).status, 204)
    assert.equal((await fetch(`${app.url}/openapi.json`)).status, 401)
  })

  test('404 and 405 are problems too', async () => {
    calls.length = 0
    isProblem(await app.request('GET', '/operations/nothing'), 404, 'request/no-such-route')
    for (const method of ['GET', 'OPTIONS', 'PROPFIND']) {
      const answer = await app.request(method, '/operations/readRaw')
      isProblem(answer, 405, 'request/method-not-allowed')
      assert.equal(answer.headers.get('allow'), 'POST')
    }
  })
})
