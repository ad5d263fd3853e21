import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { isPublic } from '@caravan/contracts/operation'
import { createAccessFeed } from '@caravan/service-kit/access-feed'
import type { AccessState } from '@caravan/service-kit/access-state'
import { type Authenticate, anonymous, type Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import { createLog } from '@caravan/service-kit/log'
import { registry } from '@caravan/service-kit/metrics'
import { accessOf } from '@caravan/service-kit/testing/access-of'
import { currentTrace } from '@caravan/service-kit/trace'
import { createGateway } from './gateway.ts'
import { createRateLimiter, type RateLimits } from './rate-limits.ts'
import { createReadCache } from './read-cache.ts'

const shop = 'https://shop.example'
const plenty = { quota: 10_000, windowSeconds: 1 }
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Bearer tokens of the form `good.<account>.x` are members'; all others are refused. */
const authenticate: Authenticate = async (authorization) => {
  if (!authorization) return anonymous
  const [, account] = /^Bearer good\.(\w+)\.x$/.exec(authorization ?? '') ?? []
  if (!account) throw new AppError('unauthenticated', 'auth/invalid-token', 'no')
  return { kind: 'member', id: account, roles: [] } satisfies Caller
}

/** Everybody may do everything: who may is asked elsewhere. */
const { state } = await accessOf(operations)
const access: AccessState = { ...state, authorise: (_, caller) => caller }
const feed = createAccessFeed({
  ...{ state, log: createLog('gateway', 'silent') },
  read: async () => ({ version: state.version(), entries: [], hasMore: false }),
})

interface Given {
  readonly limits?: Partial<RateLimits>
  readonly origins?: readonly string[]
  readonly proxies?: readonly string[]
  readonly authenticate?: Authenticate
}

/** Behind a proxy on 127.0.0.1 that it trusts, unless told otherwise; answers 200 to all that is asked of an app. */
const open = async (given: Given = {}) => {
  const traces: (string | undefined)[] = []
  const limiter = createRateLimiter({
    ...{ account: plenty, address: plenty, cached: plenty, webhook: plenty, ...given.limits },
  })
  const app = createGateway({
    ...{ access, feed },
    config: {
      ...{ APP_API_TOKEN: 'an app token of the test' },
      ...{ TRUSTED_PROXIES: given.proxies ?? ['127.0.0.1'], CORS_ORIGINS: given.origins ?? [] },
    },
    ...{ log: createLog('gateway', 'silent'), operations: operations.filter(isPublic), documents: new Map() },
    ...{ cache: createReadCache(), limiter, authenticate: given.authenticate ?? authenticate },
    forward: async () => {
      traces.push(currentTrace()?.traceId)
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from('{}') }
    },
    token: { current: () => 'anonymous', renew: () => undefined },
    healthy: () => true,
  })
  const server = createServer(app.callback())
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(url + path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })
  /** With headers that fetch keeps to itself, such as Host. */
  const askAs = async (path: string, headers: Record<string, string>): Promise<IncomingMessage> => {
    const sent = request(url + path, { method: 'POST', headers })
    sent.end('{"transport":"cookie"}')
    const [answer] = await once(sent, 'response')
    return answer.resume()
  }
  return { ask, askAs, limiter, traces }
}

const from = (address: string) => ({ 'x-forwarded-for': address })
const member = (account: string) => ({ authorization: `Bearer good.${account}.x` })
const few = (quota: number) => ({ quota, windowSeconds: 60 })

test('a request more than the quota is 429 with a problem, Retry-After and the policy; another address is served', async () => {
  const { ask } = await open({ limits: { address: few(2) } })
  const first = await ask('/v1/me', from('203.0.113.1'))
  assert.equal(first.status, 200)
  assert.equal(first.headers.get('ratelimit-policy'), '"address";q=2;w=60')
  assert.equal(first.headers.get('ratelimit'), '"address";r=1;t=30')
  await ask('/v1/me', from('203.0.113.1'))
  const refused = await ask('/v1/me', from('203.0.113.1'))
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('content-type'), 'application/problem+json')
  assert.equal(((await refused.json()) as { code: string }).code, 'gateway/too-many-requests')
  assert.equal(refused.headers.get('ratelimit'), '"address";r=0;t=30')
  assert.equal(refused.headers.get('retry-after'), '30')
  assert.equal((await ask('/v1/me', from('203.0.113.2'))).status, 200)
  assert.match(await registry.metrics(), /rate_limit_refusals_total\{limit="address"\} [1-9]/)
})

test('the addresses of one /64 share a quota', async () => {
  const { ask } = await open({ limits: { address: few(1) } })
  assert.equal((await ask('/v1/me', from('2001:db8:1:2::1'))).status, 200)
  assert.equal((await ask('/v1/me', from('2001:db8:1:2:ffff::9'))).status, 429)
  assert.equal((await ask('/v1/me', from('2001:db8:1:3::1'))).status, 200)
})

test('a member is counted by account, wherever the requests come from and whatever else comes from there', async () => {
  const { ask } = await open({ limits: { account: few(1), address: few(1) } })
  const first = await ask('/v1/me', { ...from('203.0.113.1'), ...member('mei') })
  assert.equal(first.headers.get('ratelimit-policy'), '"account";q=1;w=60')
  assert.equal((await ask('/v1/me', { ...from('203.0.113.2'), ...member('mei') })).status, 429)
  assert.equal((await ask('/v1/me', { ...from('203.0.113.1'), ...member('lin') })).status, 200)
  assert.equal((await ask('/v1/me', from('203.0.113.1'))).status, 200)
})

test('tokens that are not good, each another one, count for the address that sends them', async () => {
  const { ask } = await open({ limits: { address: few(2) } })
  const statuses: number[] = []
  for (const guess of ['a', 'b', 'c'])
    statuses.push(
      (await ask('/v1/me', { ...from('203.0.113.1'), authorization: `Bearer ${guess}.b.c` })).status,
    )
  assert.deepEqual(statuses, [401, 401, 429])
})

test('while no token can be checked, and for tokens of nobody, the address is counted', async () => {
  for (const [check, status] of [
    [() => Promise.reject(new AppError('unavailable', 'x/y', 'down')), 503],
    [async () => anonymous, 200],
  ] as const) {
    const { ask } = await open({ limits: { address: few(1) }, authenticate: check })
    assert.equal((await ask('/v1/me', { ...from('203.0.113.1'), ...member('mei') })).status, status)
    assert.equal((await ask('/v1/me', { ...from('203.0.113.1'), ...member('lin') })).status, 429)
  }
})

test('reads from memory have a quota of their own, for the address; beyond it they count like any other', async () => {
  const { ask } = await open({ limits: { cached: few(1), address: few(2) } })
  const policies: (string | null)[] = []
  for (let n = 0; n < 4; n += 1)
    policies.push((await ask('/v1/categories', from('203.0.113.1'))).headers.get('ratelimit-policy'))
  const [address, cached] = ['"address";q=2;w=60', '"cached";q=1;w=60']
  assert.deepEqual(policies, [address, cached, address, address])
  assert.equal((await ask('/v1/categories', from('203.0.113.1'))).status, 429)
  assert.equal((await ask('/v1/categories', from('203.0.113.2'))).status, 200)
})

test('signed webhooks and what the own sidecar sends do not use up an address’s quota', async () => {
  const { ask } = await open({ limits: { address: few(1), webhook: few(2) } })
  const sent: number[] = []
  for (let n = 0; n < 3; n += 1)
    sent.push((await ask('/v1/webhooks/psp', from('203.0.113.1'), 'POST')).status)
  assert.deepEqual(sent, [200, 200, 429])
  for (let n = 0; n < 3; n += 1) assert.equal((await ask('/healthz')).status, 204)
  assert.equal((await ask('/v1/me', from('203.0.113.1'))).status, 200)
})

test('new limits count at once, and nobody carries old debts over', async () => {
  const { ask, limiter } = await open({ limits: { address: few(1) } })
  assert.equal((await ask('/v1/me')).status, 200)
  assert.equal((await ask('/v1/me')).status, 429)
  limiter.change({ account: plenty, address: few(2), cached: plenty, webhook: plenty })
  assert.deepEqual([(await ask('/v1/me')).status, (await ask('/v1/me')).status], [200, 200])
  assert.equal((await ask('/v1/me')).headers.get('ratelimit-policy'), '"address";q=2;w=60')
})

test('a listed origin may call with credentials and read the headers; answers from memory vary by origin too', async () => {
  const { ask } = await open({ origins: [shop] })
  for (const path of ['/v1/categories', '/v1/categories', '/v1/nothing']) {
    const { headers } = await ask(path, { origin: shop })
    assert.equal(headers.get('access-control-allow-origin'), shop, path)
    assert.equal(headers.get('access-control-allow-credentials'), 'true', path)
    assert.match(String(headers.get('access-control-expose-headers')), /RateLimit,RateLimit-Policy/)
    assert.equal(headers.get('vary'), 'Origin', path)
  }
  assert.equal((await ask('/v1/categories')).headers.get('vary'), 'Origin')
})

test('no other origin is let in, however alike, and none where none is listed', async () => {
  const { ask } = await open({ origins: [shop] })
  const alike = [
    'https://shop.example.evil.example',
    'https://SHOP.example',
    'http://shop.example',
    'null',
    `${shop}:444`,
  ]
  for (const origin of alike) {
    const { headers } = await ask('/v1/categories', { origin })
    assert.equal(headers.get('access-control-allow-origin'), null, origin)
    assert.equal(headers.get('access-control-allow-credentials'), null, origin)
  }
  const closed = await open()
  const { headers } = await closed.ask('/v1/categories', { origin: shop })
  assert.deepEqual([headers.get('access-control-allow-origin'), headers.get('vary')], [null, null])
})

test('a preflight is answered without asking anyone, for ten minutes, and only to a listed origin', async () => {
  const { ask, traces } = await open({ origins: [shop] })
  const wanted = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-anything' }
  const { status, headers } = await ask('/v1/orders', { origin: shop, ...wanted }, 'OPTIONS')
  assert.equal(status, 204)
  assert.equal(headers.get('access-control-allow-origin'), shop)
  assert.equal(headers.get('access-control-max-age'), '600')
  assert.equal(headers.get('access-control-allow-methods'), 'GET,POST,PUT,DELETE')
  assert.match(String(headers.get('access-control-allow-headers')), /^Authorization,/)
  assert.doesNotMatch(String(headers.get('access-control-allow-headers')), /anything/)
  const other = await ask('/v1/orders', { origin: 'https://evil.example', ...wanted }, 'OPTIONS')
  assert.equal(other.status, 405)
  assert.equal(other.headers.get('access-control-allow-origin'), null)
  assert.equal(traces.length, 0)
})

test('every answer has the headers that keep browsers from doing harm, and HSTS where the client’s connection is encrypted', async () => {
  const { ask } = await open()
  for (const path of ['/v1/categories', '/v1/categories', '/v1/nothing', '/healthz']) {
    const { headers } = await ask(path)
    assert.equal(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'", path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
    assert.equal(headers.get('x-powered-by'), null)
    assert.equal(headers.get('strict-transport-security'), null)
    const secure = await ask(path, { 'x-forwarded-proto': 'https' })
    assert.match(
      String(secure.headers.get('strict-transport-security')),
      /^max-age=31536000; includeSubDomains$/,
    )
  }
  assert.equal((await ask('/v1/me')).headers.get('cache-control'), 'no-store')
  const picture = await ask('/pictures/tea.svg')
  assert.equal(picture.headers.get('cross-origin-resource-policy'), 'cross-origin')
})

test('a request’s id is its trace id: the client’s, where that is a UUID or 32 hexadecimal digits, else a new one', async () => {
  const { ask, traces } = await open()
  const id = '0123456789abcdef0123456789abcdef'
  const uuid = '01234567-89ab-cdef-0123-456789abcdef'
  for (const given of [id, uuid]) {
    const { headers } = await ask('/v1/me', { 'x-request-id': given })
    assert.deepEqual([headers.get('x-request-id'), traces.at(-1)], [id, id])
  }
  const strange = [
    '',
    '1',
    'x'.repeat(32),
    `${id}0`,
    '0'.repeat(32),
    'ABCDEF01'.repeat(4),
    `${id}\t{"level":"error"}`,
    'a'.repeat(4000),
  ]
  for (const given of strange) {
    const own = (await ask('/v1/me', { 'x-request-id': given })).headers.get('x-request-id')
    assert.match(String(own), /^[0-9a-f]{32}$/)
    assert.equal(own, traces.at(-1))
    assert.notEqual(own, given)
  }
  const traceparent = `00-${'ab'.repeat(16)}-0123456789abcdef-01`
  const both = await ask('/v1/me', { traceparent, 'x-request-id': id })
  assert.equal(both.headers.get('x-request-id'), 'ab'.repeat(16))
  const unknown = await ask('/v1/nothing', { 'x-request-id': id })
  assert.equal(unknown.headers.get('x-request-id'), id)
  assert.equal(((await unknown.json()) as { traceId: string }).traceId, id)
})

test('a request with more than a hundred headers is 431', async () => {
  const { ask } = await open()
  const headers = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, '1']))
  assert.equal((await ask('/v1/me', headers(90))).status, 200)
  const refused = await ask('/v1/me', headers(101))
  assert.equal(refused.status, 431)
  assert.equal(((await refused.json()) as { code: string }).code, 'request/too-many-headers')
})

test('a path that an app would not take is 414, here', async () => {
  const { ask } = await open()
  const long = await ask(`/v1/availability?skus=${'A'.repeat(6000)}`)
  assert.equal(long.status, 414)
  assert.equal(((await long.json()) as { code: string }).code, 'request/uri-too-long')
  assert.equal((await ask(`/v1/availability?skus=${'A'.repeat(5900)}`)).status, 200)
})

test('a page of this door may keep its session in a cookie, whichever way proxies tell the door’s name', async () => {
  const { askAs } = await open({ origins: ['https://elsewhere.example'] })
  const signIn = async (origin: string, headers: Record<string, string>) =>
    (await askAs('/v1/sessions', { origin, ...headers })).statusCode
  const https = { 'x-forwarded-proto': 'https' }
  for (const [origin, headers] of [
    ['https://shop.example', { ...https, host: 'shop.example' }],
    ['https://shop.example', { ...https, host: 'shop.example:443' }],
    ['https://shop.example:8443', { ...https, host: 'shop.example:8443' }],
    ['https://shop.example:8443', { ...https, host: 'shop.example', 'x-forwarded-port': '8443' }],
    ['https://shop.example', { ...https, host: 'shop.example', 'x-forwarded-port': '443' }],
    ['https://shop.example', { ...https, host: 'shop.example', 'x-forwarded-port': '10443' }],
    ['https://shop.example', { ...https, host: 'gateway:8080', 'x-forwarded-host': 'SHOP.example' }],
    ['https://shop.example:8443', { ...https, host: 'a', 'x-forwarded-host': 'shop.example:8443, inner' }],
    [
      'https://shop.example:8443',
      { ...https, host: 'a', 'x-forwarded-host': 'shop.example', 'x-forwarded-port': '8443,80' },
    ],
    ['https://shop.example', { 'x-forwarded-proto': 'HTTPS, http', host: 'shop.example' }],
    ['https://[2001:db8::1]:8443', { ...https, host: '[2001:db8::1]:8443' }],
    ['http://shop.example:8080', { host: 'shop.example:8080' }],
    ['http://shop.example', { host: 'shop.example:80' }],
    ['https://elsewhere.example', { host: 'shop.example' }],
  ] as const)
    assert.equal(await signIn(origin, headers), 200, `${origin} ${JSON.stringify(headers)}`)
  for (const [origin, headers] of [
    ['https://evil.example', { ...https, host: 'shop.example' }],
    ['https://shop.example', { ...https, host: 'shop.example:8443' }],
    ['https://shop.example:8443', { ...https, host: 'shop.example' }],
    ['https://shop.example.evil.example', { ...https, host: 'shop.example' }],
    ['http://shop.example', { ...https, host: 'shop.example' }],
    ['https://gateway', { ...https, host: 'gateway', 'x-forwarded-host': 'shop.example' }],
    ['null', { ...https, host: 'shop.example' }],
    ['', { ...https, host: 'shop.example' }],
    ['app://shop.example', { host: 'shop.example' }],
  ] as const)
    assert.equal(await signIn(origin, headers), 403, `${origin} ${JSON.stringify(headers)}`)
})

test('what somebody else than a proxy says of the door’s name counts for nothing', async () => {
  const { askAs } = await open({ proxies: [] })
  const headers = { origin: 'https://evil.example', host: 'shop.example', 'x-forwarded-host': 'evil.example' }
  assert.equal((await askAs('/v1/sessions', headers)).statusCode, 403)
})
