import assert from 'node:assert/strict'
import { createServer, request as rawRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { productChanged } from '@caravan/contracts/catalog'
import { isPublic } from '@caravan/contracts/operation'
import { anonymous } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import { createLog } from '@caravan/service-kit/log'
import type { Answer } from './answer.ts'
import type { Forwarded } from './forward.ts'
import { createGateway } from './gateway.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createReadCache } from './read-cache.ts'

const appToken = 'an app token of the test'
const id = productChanged.example.id
const forwarded: { app: string; request: Forwarded }[] = []
const json = { 'Content-Type': 'application/json; charset=utf-8' }
let respond: (request: Forwarded) => Promise<Answer>
let renewed = 0
const plenty = { quota: 10_000, windowSeconds: 1 }
const renew = () => {
  renewed += 1
}

const app = createGateway({
  config: { APP_API_TOKEN: appToken, TRUSTED_PROXIES: [], CORS_ORIGINS: [] },
  log: createLog('gateway', 'silent'),
  operations: operations.filter(isPublic),
  documents: new Map(),
  cache: createReadCache(),
  forward: (to, request) => {
    forwarded.push({ app: to, request })
    return respond(request)
  },
  token: { current: () => 'anonymous', renew },
  limiter: createRateLimiter({ account: plenty, address: plenty, cached: plenty, webhook: plenty }),
  authenticate: async () => anonymous,
  healthy: () => true,
})
const server = createServer(app.callback())
let url = ''

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  forwarded.length = 0
  renewed = 0
  respond = async () => ({ status: 200, headers: json, body: Buffer.from('{}') })
})

/** Sends the path as it is; fetch would resolve its dots. */
const get = (path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    rawRequest(`${url}`, { path }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })

test('what no public operation lists is 404, and operations between apps are not listed', async () => {
  for (const path of ['/', '/v1/nothing', '/v1/products/', '/V1/products', '/v1.0/invoke/orders/method/x']) {
    assert.equal(await get(path), 404, path)
  }
  for (const { method, path, access } of operations) {
    if (typeof access !== 'object' || !('apps' in access)) continue
    const response = await fetch(url + path, { method, ...(method === 'GET' ? {} : { body: '{}' }) })
    assert.ok([404, 405].includes(response.status), path)
  }
  assert.equal(forwarded.length, 0)
})

test('a path that the sidecar would resolve to another is 404', async () => {
  for (const part of ['..', '.', '%2e%2e', '..%2f..%2fv1%2freservations', 'a%2fb', '%00', 'a;b']) {
    assert.equal(await get(`/v1/payments/${part}`), 404, part)
    assert.equal(await get(`/v1/products/${part}`), 404, part)
  }
  assert.equal(forwarded.length, 0)
})

test('another method on a known path is 405 with Allow', async () => {
  const response = await fetch(`${url}/v1/search`, { method: 'DELETE' })
  assert.equal(response.status, 405)
  assert.equal(response.headers.get('allow'), 'HEAD, GET')
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
})

test('only listed headers reach an app, with the address of the socket and the bytes as they came', async () => {
  const body = '{ "a" :\r\n 1.50 }'
  await fetch(`${url}/v1/webhooks/psp?x=%201`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'psp-signature': 't=1,v1=ff',
      'dapr-app-id': 'inventory',
      'dapr-caller-app-id': 'orders',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'evil.example',
      cookie: 'a=b',
    },
  })
  const [only] = forwarded
  assert.equal(only?.app, 'payments')
  assert.equal(only?.request.path, '/v1/webhooks/psp?x=%201')
  assert.equal(only?.request.body?.toString(), body)
  const { 'idempotency-key': _, ...headers } = only?.request.headers ?? {}
  assert.deepEqual(headers, {
    'content-type': 'application/json',
    accept: '*/*',
    'accept-language': '*',
    'psp-signature': 't=1,v1=ff',
    authorization: 'Bearer anonymous',
    'x-forwarded-for': '127.0.0.1',
  })
})

test('an app that refuses the gateway’s own token is no fault of the client', async () => {
  const problem = Buffer.from('{"code":"auth/invalid-token","status":401}')
  respond = async () => ({ status: 401, headers: json, body: problem })
  const response = await fetch(`${url}/v1/search?q=refused`)
  assert.deepEqual([response.status, renewed], [503, 1])
  assert.equal((await fetch(`${url}/v1/orders`, { headers: { authorization: 'Bearer a.b.c' } })).status, 401)
  assert.equal(renewed, 1)
})

test('the caller’s own token is passed on; another scheme than Bearer is 401', async () => {
  await fetch(`${url}/v1/me`, { headers: { authorization: 'Bearer a.b.c' } })
  assert.equal(forwarded[0]?.request.headers.authorization, 'Bearer a.b.c')
  const basic = `Basic ${btoa('dapr-app-id:inventory')}`
  const response = await fetch(`${url}/v1/me`, { headers: { authorization: basic } })
  assert.equal(response.status, 401)
  assert.equal(forwarded.length, 1)
})

test('when our own token is refused the client sees 503, and a new one is asked for', async () => {
  respond = () => Promise.reject(new AppError('unauthenticated', 'auth/invalid-token', 'no'))
  assert.equal((await fetch(`${url}/v1/me`)).status, 503)
  assert.equal(renewed, 1)
  assert.equal((await fetch(`${url}/v1/me`, { headers: { authorization: 'Bearer a.b.c' } })).status, 401)
})

test('a write gets a key for the sidecar’s repeats, unless the client has to send one', async () => {
  const keyOf = async (path: string, headers: Record<string, string> = {}) => {
    await fetch(url + path, { method: 'POST', body: '{}', headers })
    return forwarded.at(-1)?.request.headers['idempotency-key']
  }
  const own = await keyOf('/v1/carts/mine/items')
  assert.match(String(own), /^[0-9a-f-]{36}$/)
  assert.notEqual(await keyOf('/v1/carts/mine/items'), own)
  assert.equal(await keyOf('/v1/carts/mine/items', { 'idempotency-key': 'mine' }), 'mine')
  assert.equal(await keyOf('/v1/orders'), undefined)
})

test('a body over 256 KiB is 413', async () => {
  const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body: 'x'.repeat(262_145) })
  assert.equal(response.status, 413)
  assert.equal(((await response.json()) as { code: string }).code, 'request/too-large')
  assert.equal(forwarded.length, 0)
})

test('a cached read is asked for once, whatever the order and spelling of its query, and revalidates by ETag', async () => {
  const first = await fetch(`${url}/v1/search?q=green+tea&limit=5`)
  const etag = first.headers.get('etag') ?? ''
  const again = await fetch(`${url}/v1/search?limit=5&q=green%20tea`, {
    headers: { 'if-none-match': `"x", ${etag}` },
  })
  assert.equal(first.status, 200)
  assert.equal(again.status, 304)
  assert.equal(await again.text(), '')
  assert.equal(forwarded.length, 1)
  assert.equal(forwarded[0]?.request.path, '/v1/search?limit=5&q=green+tea')
})

test('a query that means nothing makes no copy of a page', async () => {
  await fetch(`${url}/v1/sellers/${id}?a=1`)
  await fetch(`${url}/v1/sellers/${id}?a=2`)
  assert.equal(forwarded.length, 1)
  assert.equal(forwarded[0]?.request.path, `/v1/sellers/${id}`)
})

test('an event outdates the product’s page and all lists, and needs the app token', async () => {
  let version = 1
  respond = async () => ({ status: 200, headers: json, body: Buffer.from(JSON.stringify({ version })) })
  const read = async (path: string) =>
    ((await (await fetch(url + path)).json()) as { version: number }).version
  const paths = [`/v1/products/${id}`, '/v1/products', '/v1/search?q=tea']
  for (const path of paths) assert.equal(await read(path), 1)
  version = 2
  const send = (token: string) =>
    fetch(`${url}/events/product.changed`, {
      method: 'POST',
      headers: { 'dapr-api-token': token },
      body: JSON.stringify({
        ...{ id: 'e', type: 'product.changed', source: '/catalog' },
        data: { ...productChanged.example, version },
      }),
    })
  assert.equal((await send('a guess')).status, 401)
  for (const path of paths) assert.equal(await read(path), 1)
  assert.deepEqual(await (await send(appToken)).json(), { status: 'SUCCESS' })
  for (const path of paths) assert.equal(await read(path), 2)
})

test('the sidecar’s callbacks and, from elsewhere, the metrics need the app token', async () => {
  assert.equal((await fetch(`${url}/dapr/subscribe`)).status, 401)
  assert.equal((await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 401)
  assert.equal((await fetch(`${url}/metrics`)).status, 200)
})
