import assert from 'node:assert/strict'
import { createServer, request as rawRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { productChanged } from '@caravan/contracts/catalog'
import { isPublic } from '@caravan/contracts/operation'
import { createAccessFeed } from '@caravan/service-kit/access-feed'
import { createAuthenticator } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { accessOf } from '@caravan/service-kit/testing/access-of'
import { createTokenIssuer, issuer } from '@caravan/service-kit/testing/token-issuer'
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

const tokens = createTokenIssuer()
const { state: access, tell } = await accessOf(operations)
const feed = createAccessFeed({
  ...{ state: access, log: createLog('gateway', 'silent') },
  read: async () => ({ version: access.version(), entries: [], hasMore: false }),
})
const app = createGateway({
  ...{ access, feed },
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
  authenticate: createAuthenticator(tokens.keys, { issuer }),
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

test('an app is asked under a path that is the same whatever the request is about', async () => {
  const authorization = tokens.bearer()
  for (const item of ['A-1', 'B:2'])
    await fetch(`${url}/v1/carts/mine/items/${item}?x=%201`, { method: 'DELETE', headers: { authorization } })
  await get('/pictures/a.svg')
  const asked = forwarded.map(({ request }) => request.path)
  assert.deepEqual(asked, [
    '/operations/removeItem?cartId=mine&sku=A-1&x=%201',
    '/operations/removeItem?cartId=mine&sku=B%3A2&x=%201',
    '/operations/getPicture?file=a.svg',
  ])
})

test('a query that names a parameter of the path is 422', async () => {
  for (const name of ['sku', 'cartId', '%63artId']) {
    const path = `/v1/carts/mine/items/A-1?${name}=other`
    const headers = { authorization: tokens.bearer() }
    const response = await fetch(url + path, { method: 'DELETE', headers })
    const { code, errors } = (await response.json()) as { code: string; errors: { pointer: string }[] }
    assert.deepEqual([response.status, code], [422, 'carts/invalid-request'])
    assert.deepEqual(
      errors.map(({ pointer }) => pointer),
      [`query/${decodeURIComponent(name)}`],
    )
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
  assert.equal(only?.request.path, '/operations/receiveProviderWebhook?x=%201')
  assert.equal(only?.request.body?.toString(), body)
  const { 'idempotency-key': _, ...headers } = only?.request.headers ?? {}
  assert.deepEqual(headers, {
    'content-type': 'application/json',
    accept: '*/*',
    'accept-language': '*',
    'psp-signature': 't=1,v1=ff',
    'user-agent': 'node',
    authorization: 'Bearer anonymous',
    'caravan-client-address': '127.0.0.1',
  })
})

test('an app that refuses the gateway’s own token is no fault of the client', async () => {
  const problem = Buffer.from('{"code":"auth/invalid-token","status":401}')
  respond = async () => ({ status: 401, headers: json, body: problem })
  const response = await fetch(`${url}/v1/search?q=refused`)
  assert.deepEqual([response.status, renewed], [503, 1])
  const asMember = { headers: { authorization: tokens.bearer() } }
  assert.equal((await fetch(`${url}/v1/orders`, asMember)).status, 401)
  assert.equal(renewed, 1)
})

test('the caller’s own token is passed on; another scheme than Bearer is 401', async () => {
  const authorization = tokens.bearer()
  await fetch(`${url}/v1/me`, { headers: { authorization } })
  assert.equal(forwarded[0]?.request.headers.authorization, authorization)
  const basic = `Basic ${btoa('dapr-app-id:inventory')}`
  const response = await fetch(`${url}/v1/me`, { headers: { authorization: basic } })
  assert.equal(response.status, 401)
  assert.equal(forwarded.length, 1)
})

test('when our own token is refused the client sees 503, and a new one is asked for', async () => {
  respond = () => Promise.reject(new AppError('unauthenticated', 'auth/invalid-token', 'no'))
  assert.equal((await fetch(`${url}/v1/availability?skus=A-1`)).status, 503)
  assert.equal(renewed, 1)
  const asMember = { headers: { authorization: tokens.bearer() } }
  assert.equal((await fetch(`${url}/v1/me`, asMember)).status, 401)
})

test('a write gets a key for the sidecar’s repeats, unless the client has to send one', async () => {
  const keyOf = async (path: string, headers: Record<string, string> = {}) => {
    const authorization = tokens.bearer()
    await fetch(url + path, { method: 'POST', body: '{}', headers: { authorization, ...headers } })
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
  assert.equal(forwarded[0]?.request.path, '/operations/searchProducts?limit=5&q=green+tea')
})

test('ids in capitals are the same ids: one copy, and an app is asked in lower case', async () => {
  const own = newId()
  const capitals = own.toUpperCase()
  for (const path of [`/v1/products/${capitals}`, `/v1/products/${own}`, `/v1/products/${capitals}`])
    assert.equal((await fetch(url + path)).status, 200)
  for (const seller of [capitals, own]) await fetch(`${url}/v1/products?seller=${seller}`)
  await fetch(`${url}/v1/carts/${capitals}`)
  assert.deepEqual(
    forwarded.map(({ request }) => request.path),
    [
      `/operations/getProduct?productId=${own}`,
      `/operations/listProducts?seller=${own}`,
      `/operations/getCart?cartId=${own}`,
    ],
  )
})

test('a query that is not UTF-8 finds no copy of what it would be mended to', async () => {
  assert.equal((await fetch(`${url}/v1/search?q=%EF%BF%BD`)).status, 200)
  for (const wrong of ['%E9', '%']) assert.equal((await fetch(`${url}/v1/search?q=${wrong}`)).status, 400)
  assert.equal(forwarded.length, 1)
})

test('a query that means nothing makes no copy of a page', async () => {
  await fetch(`${url}/v1/sellers/${id}?a=1`)
  await fetch(`${url}/v1/sellers/${id}?a=2`)
  assert.equal(forwarded.length, 1)
  assert.equal(forwarded[0]?.request.path, `/operations/getSeller?sellerId=${id}`)
})

const refusal = async (path: string, init: RequestInit = {}): Promise<string> => {
  const response = await fetch(url + path, init)
  return `${response.status} ${((await response.json()) as { code: string }).code}`
}

const staff = () => ({ authorization: tokens.bearer({ sub: 'editor' }) })

test('what only some may see is asked for in their name each time, never kept, and never given to others', async () => {
  await tell({
    kind: 'grant',
    id: 'editor catalogue-manager',
    value: { account: 'editor', role: 'catalogue-manager' },
  })
  for (const path of [`/v1/products/${newId()}`, '/v1/products?limit=7', '/v1/search?q=hidden']) {
    const hidden = `${path}${path.includes('?') ? '&' : '?'}status=any`
    respond = async () => ({ status: 200, headers: json, body: Buffer.from('{"seen":"by staff"}') })
    assert.equal(await refusal(hidden), '401 auth/sign-in-needed')
    assert.equal(await refusal(hidden, { headers: { authorization: tokens.bearer() } }), '403 auth/forbidden')
    assert.equal(forwarded.length, 0)
    const headers = staff()
    for (let n = 0; n < 2; n += 1)
      assert.equal(await (await fetch(url + hidden, { headers })).text(), '{"seen":"by staff"}')
    assert.equal(forwarded.length, 2)
    for (const { request } of forwarded) {
      assert.match(request.path, /[?&]status=any$/)
      assert.equal(request.headers.authorization, headers.authorization)
    }
    assert.equal(await refusal(hidden), '401 auth/sign-in-needed')
    respond = async () => ({ status: 200, headers: json, body: Buffer.from('{"seen":"by all"}') })
    for (const by of [{}, headers])
      assert.equal(await (await fetch(url + path, { headers: by })).text(), '{"seen":"by all"}')
    assert.equal(await refusal(hidden), '401 auth/sign-in-needed')
    forwarded.length = 0
  }
  await tell({ kind: 'grant', id: 'editor catalogue-manager', value: null })
})

test('a write’s conditions reach the app; whoever wrote, or is told that they do not hold, finds the page as it is', async () => {
  const grant = { account: 'editor', role: 'catalogue-manager' }
  await tell({ kind: 'grant', id: 'editor catalogue-manager', value: grant })
  let name = 'old'
  let written = 412
  respond = async ({ method }) =>
    method === 'GET'
      ? { status: 200, headers: json, body: Buffer.from(name) }
      : { status: written, headers: { ...json, ETag: '"a"' }, body: Buffer.from('{}') }
  const own = newId()
  const path = `${url}/v1/sellers/${own}`
  const read = async () => (await fetch(path)).text()
  assert.equal(await read(), 'old')
  name = 'new'
  assert.equal(await read(), 'old')
  const headers = { ...staff(), 'if-match': '"a", W/"b"', 'if-none-match': '*' }
  assert.equal((await fetch(path, { method: 'PUT', body: '{}', headers })).status, 412)
  assert.partialDeepStrictEqual(forwarded.at(-1)?.request.headers, {
    'if-match': '"a", W/"b"',
    'if-none-match': '*',
  })
  assert.equal(await read(), 'new')
  written = 200
  name = 'newer'
  const inCapitals = path.replace(own, own.toUpperCase())
  assert.equal((await fetch(inCapitals, { method: 'PUT', body: '{}', headers })).status, 200)
  assert.equal(await read(), 'newer')
  await tell({ kind: 'grant', id: 'editor catalogue-manager', value: null })
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

test('what the caller may not do costs no hop', async () => {
  const as = (authorization: string, method = 'GET') => ({ method, headers: { authorization } })
  assert.equal(await refusal('/v1/orders'), '401 auth/sign-in-needed')
  assert.equal(await refusal('/v1/orders', as('Bearer a.b.c')), '401 auth/invalid-token')
  const operator = tokens.bearer({ roles: ['operator', 'administrator'] })
  assert.equal(await refusal('/v1/dead-letters/orders', as(operator)), '403 auth/forbidden')
  assert.equal(await refusal(`/v1/products/${id}`, as(operator, 'PUT')), '403 auth/forbidden')
  assert.equal(forwarded.length, 0)
})

test('a banned account is refused also where nobody needs to sign in, and without a hop', async () => {
  const headers = { authorization: tokens.bearer({ sub: 'mallory' }) }
  assert.equal((await fetch(`${url}/v1/availability?skus=A-1`, { headers })).status, 200)
  await tell({ kind: 'ban', id: 'm', value: { kind: 'account', subject: 'mallory' } })
  forwarded.length = 0
  assert.equal(await refusal('/v1/availability?skus=A-1', { headers }), '403 auth/banned')
  assert.equal(forwarded.length, 0)
  await tell({ kind: 'ban', id: 'm', value: null })
})

test('a banned address gets nothing, not even what is cached; probes and the sidecar go on', async () => {
  const page = '/v1/search?q=banned'
  assert.equal((await fetch(url + page)).status, 200)
  await tell({ kind: 'ban', id: 'a', value: { kind: 'address', subject: '127.0.0.0/8' } })
  for (const path of [page, '/v1/orders', '/v1/nothing', '/docs'])
    assert.equal(await refusal(path), '403 auth/banned')
  assert.equal((await fetch(`${url}/healthz`)).status, 204)
  const headers = { 'dapr-api-token': appToken }
  assert.equal((await fetch(`${url}/dapr/subscribe`, { headers })).status, 200)
  await tell({ kind: 'ban', id: 'a', value: null })
  assert.equal((await fetch(url + page)).status, 200)
})

test('a cached read that is closed is no longer served from what all share, and is again once it is open', async () => {
  const page = '/v1/search?q=closed'
  const headers = { authorization: tokens.bearer() }
  assert.equal((await fetch(url + page)).status, 200)
  await tell({ kind: 'public-route', id: 'searchProducts', value: null })
  assert.equal(await refusal(page), '401 auth/sign-in-needed')
  assert.equal((await fetch(url + page, { headers })).status, 200)
  assert.equal(forwarded.at(-1)?.request.headers.authorization, headers.authorization)
  assert.equal((await fetch(`${url}/v1/categories`)).status, 200)
  await tell({ kind: 'public-route', id: 'searchProducts', value: {} })
  forwarded.length = 0
  assert.equal((await fetch(url + page)).status, 200)
  assert.equal(forwarded.length, 0)
})

const file = `/v1/promotions/${id}/codes.csv`
const asManager = async () => {
  const value = { account: 'manager', role: 'catalogue-manager' }
  await tell({ kind: 'grant', id: 'manager catalogue-manager', value })
  return { headers: { authorization: tokens.bearer({ sub: 'manager' }) } }
}
const pageOf = (page: object, status = 200) => ({
  ...{ status, headers: json },
  body: Buffer.from(JSON.stringify(page)),
})
const code = (code: string, used: number) => ({ code, status: 'active', used, promotionId: id })

test('a list that is a file comes with all its pages in one, each asked for in the caller’s name', async () => {
  respond = async ({ path }) =>
    path.includes('after')
      ? pageOf({ data: [code('C-3', 0)], hasMore: false })
      : pageOf({ data: [code('A-1', 2), code('B-2', 1)], hasMore: true, next: 'B-2' })
  const response = await fetch(`${url}${file}?batchId=${id}`, await asManager())
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8')
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="codes.csv"')
  const lines = (await response.text()).split('\r\n')
  assert.match(String(lines[0]), /^code,status,uses,customer,/)
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(',').filter((cell) => cell !== '')),
    [['A-1', 'active', id, '2'], ['B-2', 'active', id, '1'], ['C-3', 'active', id, '0'], []],
  )
  const query = `promotionId=${id}&batchId=${id}`
  assert.deepEqual(
    forwarded.map(({ request: { path } }) => path),
    [`/operations/exportCodes?${query}`, `/operations/exportCodes?${query}&after=B-2`],
  )
  assert.equal(new Set(forwarded.map(({ request }) => request.headers.authorization)).size, 1)
})

test('a file of which a page is missing breaks off; what is refused is a problem', async () => {
  respond = async ({ path }) => {
    if (path.includes('after')) throw new AppError('unavailable', 'promotions/unavailable', 'away')
    return pageOf({ data: [code('A-1', 2)], hasMore: true, next: 'A-1' })
  }
  const manager = await asManager()
  await assert.rejects(async () => (await fetch(url + file, manager)).text(), /terminated/)
  respond = async () => pageOf({ code: 'promotions/not-found' }, 404)
  assert.equal((await fetch(url + file, manager)).status, 404)
})
