import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as requestPlain } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { WebSocket, WebSocketServer } from 'ws'
import { type Nginx, startNginx } from '../support/nginx.ts'

/** What stands behind nginx here: tells what it was asked, `/held` when the test says so, and echoes over WebSocket. */
const waiting: (() => void)[] = []
const echo = createServer(async (asked, answer) => {
  const body = await text(asked)
  if (asked.url === '/held') await new Promise<void>((release) => waiting.push(release))
  answer.setHeader('content-type', 'application/json')
  answer.setHeader('strict-transport-security', 'max-age=1')
  answer.end(
    JSON.stringify({ url: asked.url, headers: asked.headers, bytes: body.length, padding: 'x'.repeat(2000) }),
  )
})
const sockets = new WebSocketServer({ server: echo })
sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`echo ${message}`)))

let upstream = ''
let nginx: Nginx
/** Lets a test be a client of any address. */
const anyAddress = { 'proxies.conf': 'set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;' }

before(async () => {
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  upstream = `127.0.0.1:${(echo.address() as AddressInfo).port}`
  nginx = await startNginx({
    upstream,
    lists: {
      ...anyAddress,
      'allow.conf': 'allow 203.0.113.7;',
      'deny.conf': 'deny 203.0.113.0/24; deny 2001:db8:bad::/48;',
    },
  })
})
after(async () => {
  await nginx?.stop()
  sockets.close()
  echo.closeAllConnections()
  echo.close()
})

interface Asked {
  readonly from?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: Buffer
  readonly door?: Nginx
}

const ask = async (path: string, { from, method = 'GET', headers = {}, body, door = nginx }: Asked = {}) => {
  const sent = request(door.origin + path, {
    ...{ method, ca: door.ca, agent: false },
    headers: { ...(from ? { 'x-test-address': from } : {}), ...headers },
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const received = await text(answer)
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: received,
    json: () => JSON.parse(received),
  }
}

test('HTTP/2 is spoken, and plain HTTP is sent on to the encrypted door whatever host it names', async () => {
  const session = connectHttp2(nginx.origin, { ca: nginx.ca })
  const stream = session.request({ ':path': '/v1/products?limit=1' })
  const [head] = await once(stream, 'response')
  const { url, headers } = JSON.parse(await text(stream))
  session.close()
  assert.equal(session.alpnProtocol, 'h2')
  assert.deepEqual([head[':status'], url], [200, '/v1/products?limit=1'])
  assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-for']], ['https', '127.0.0.1'])

  const plain = requestPlain(`${nginx.httpOrigin}/v1/me?a=1`, { headers: { host: 'evil.example' } }).end()
  const [moved] = (await once(plain, 'response')) as [IncomingMessage]
  assert.deepEqual([moved.statusCode, moved.headers.location], [308, `${nginx.origin}/v1/me?a=1`])
  moved.resume()
})

test('of TLS 1.2 only ciphers with forward secrecy and authenticated encryption are spoken', async () => {
  const speak = (ciphers: string) =>
    new Promise<string>((resolve) => {
      const socket = connectTls(
        {
          ...{ port: nginx.httpsPort, ca: nginx.ca, servername: 'localhost', ciphers, maxVersion: 'TLSv1.2' },
        },
        () => {
          resolve(socket.getCipher().name)
          socket.destroy()
        },
      )
      socket.on('error', () => resolve('refused'))
    })
  assert.equal(await speak('ECDHE-ECDSA-AES128-GCM-SHA256'), 'ECDHE-ECDSA-AES128-GCM-SHA256')
  assert.equal(await speak('ECDHE-ECDSA-AES128-SHA256'), 'refused')
})

test('who is on the deny list is refused, unless the allow list names the address', async () => {
  for (const from of ['203.0.113.1', '203.0.113.255', '2001:db8:bad::1']) {
    const refused = await ask('/v1/products', { from })
    assert.equal(refused.status, 403, from)
    assert.equal(refused.headers['content-type'], 'application/problem+json')
    assert.equal(refused.json().code, 'edge/forbidden')
  }
  for (const from of ['203.0.113.7', '203.0.114.1', '2001:db8:900d::1'])
    assert.equal((await ask('/v1/products', { from })).status, 200, from)
})

test('what a client says of its own address and protocol never reaches the gateway', async () => {
  const forged = {
    ...{
      'x-forwarded-for': '198.51.100.1, 10.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'evil.example',
    },
    ...{ forwarded: 'for=198.51.100.1', 'x-real-ip': '198.51.100.1' },
  }
  const { headers } = (await ask('/v1/me', { from: '192.0.2.9', headers: forged })).json()
  assert.equal(headers['x-forwarded-for'], '192.0.2.9')
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-forwarded-host'], undefined)
  assert.equal(headers.forwarded, undefined)
})

test('the gateway hears the host that the client called, with its port, over HTTP/1.1 and HTTP/2', async () => {
  const { host } = new URL(nginx.origin)
  assert.match(host, /:\d+$/)
  assert.equal((await ask('/v1/me')).json().headers.host, host)
  const session = connectHttp2(nginx.origin, { ca: nginx.ca })
  const { headers } = JSON.parse(await text(session.request({ ':path': '/v1/me' })))
  session.close()
  assert.equal(headers.host, host)
  const forged = { host: 'localhost:8443', 'x-forwarded-port': '1' }
  const told = (await ask('/v1/me', { headers: forged })).json().headers
  assert.deepEqual([told.host, told['x-forwarded-port']], ['localhost:8443', undefined])
})

test('a WebSocket passes through, and no other protocol takes over a connection', async () => {
  const socket = new WebSocket(`${nginx.origin.replace('https', 'wss')}/v1/live`, { ca: nginx.ca })
  await once(socket, 'open')
  socket.send('hello')
  const [message] = await once(socket, 'message')
  assert.equal(String(message), 'echo hello')
  socket.close()
  await once(socket, 'close')

  const other = await ask('/v1/me', { headers: { connection: 'upgrade', upgrade: 'h2c' } })
  assert.equal(other.status, 200)
  assert.equal(other.json().headers.upgrade, undefined)
})

test('a body of 256 KiB passes, one of a byte more is 413', async () => {
  const put = (bytes: number) => ask('/v1/orders', { method: 'PUT', body: Buffer.alloc(bytes) })
  assert.equal((await put(262_144)).json().bytes, 262_144)
  const refused = await put(262_145)
  assert.deepEqual([refused.status, refused.json().code], [413, 'request/too-large'])
})

test('every answer has HSTS once, nginx’s own too, and says nothing of versions', async () => {
  const answers = [
    ask('/v1/me'),
    ask('/v1/me', { from: '203.0.113.1' }),
    ask('/metrics'),
    ask('/v1/me', { method: 'TRACE' }),
  ]
  for (const { headers } of await Promise.all(answers)) {
    assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
    assert.equal(headers.server, 'nginx')
  }
})

test('what is the gateway’s own is not at this door', async () => {
  for (const path of [
    '/metrics',
    '/healthz',
    '/readyz',
    '/dapr/subscribe',
    '/events/product.changed',
    '/dapr/../metrics',
    '/%6detrics',
  ])
    assert.equal((await ask(path)).status, 404, path)
})

test('text is compressed for who accepts that', async () => {
  const { headers } = await ask('/v1/products', { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(headers['content-encoding'], 'gzip')
  assert.match(String(headers.vary), /Accept-Encoding/)
})

test('a request has one id: the trace’s, the client’s, or a new one, in the answer, in the log and behind', async () => {
  const id = '0123456789abcdef0123456789abcdef'
  const cases = [
    [{ 'x-request-id': id }, id],
    [{ 'x-request-id': '01234567-89ab-cdef-0123-456789abcdef' }, id],
    [{ traceparent: `00-${'ab'.repeat(16)}-0123456789abcdef-01`, 'x-request-id': id }, 'ab'.repeat(16)],
    [{ traceparent: 'x', 'x-request-id': `${id}"` }, undefined],
    [{ 'x-request-id': '0'.repeat(32) }, undefined],
    [{}, undefined],
  ] as const
  for (const [headers, expected] of cases) {
    const answer = await ask('/v1/me', { headers })
    const own = String(answer.headers['x-request-id'])
    if (expected) assert.equal(own, expected)
    assert.match(own, /^(?!0{32})[0-9a-f]{32}$/)
    assert.equal(answer.json().headers['x-request-id'], own)
    // It writes its line after the answer.
    await eventually('the log has it', () =>
      nginx.lines().some((line) => line.trace_id === own && line.status === 200),
    )
  }
})

test('the log tells who asked for what, and holds nothing that opens a door', async () => {
  const secret = 'f00dfeed'
  const guest = `guest-${secret}${'a'.repeat(24)}`
  const headers = {
    ...{
      authorization: `Bearer ${secret}.b.c`,
      cookie: `session=${secret}`,
      referer: `https://shop.example/?t=${secret}`,
    },
    'idempotency-key': secret,
  }
  await ask(`/v1/carts/${guest}/items?token=${secret}`, { headers, from: '192.0.2.77' })
  await ask(`/v1/carts/${guest}?token=${secret}`, { headers, from: '203.0.113.1' })
  const linesOf = (of: string) =>
    nginx.lines().filter(({ address, path }) => address === of && /guest/.test(String(path)))
  await eventually(
    'both are in the log',
    () => linesOf('192.0.2.77').length + linesOf('203.0.113.1').length > 1,
  )
  const seen = linesOf('192.0.2.77')
  assert.deepEqual(
    seen.map(({ method, path, status, protocol }) => [method, path, status, protocol]),
    [['GET', '/v1/carts/guest-[redacted]/items', 200, 'HTTP/1.1']],
  )
  assert.ok(!nginx.written().includes(secret))
})

test('who asks too much gets 429, by address and by /64, and others are served', async () => {
  const settings = { EDGE_REQUESTS_PER_SECOND: '1', EDGE_REQUEST_BURST: '3' }
  const door = await startNginx({ upstream, lists: anyAddress, settings })
  const many = (of: (n: number) => string) =>
    Promise.all(Array.from({ length: 40 }, (_, n) => ask('/v1/products', { from: of(n), door })))
  try {
    for (const answers of [await many(() => '192.0.2.1'), await many((n) => `2001:db8:1:2::${n + 1}`)]) {
      const refused = answers.filter(({ status }) => status === 429)
      assert.ok(refused.length > 0 && refused.length < 40)
      assert.equal(refused[0]?.json().code, 'edge/too-many-requests')
      assert.equal(refused[0]?.headers['retry-after'], '1')
    }
    assert.ok((await many((n) => `2001:db8:1:${n + 3}::1`)).every(({ status }) => status === 200))
    assert.equal((await ask('/v1/products', { from: '192.0.2.2', door })).status, 200)
  } finally {
    await door.stop()
  }
})

test('who asks for too much at once gets 429', async () => {
  const door = await startNginx({ upstream, lists: anyAddress, settings: { EDGE_CONNECTIONS: '2' } })
  try {
    const held = [ask('/held', { from: '192.0.2.1', door }), ask('/held', { from: '192.0.2.1', door })]
    await eventually('two are under way', () => waiting.length === 2)
    assert.equal((await ask('/v1/products', { from: '192.0.2.1', door })).status, 429)
    assert.equal((await ask('/v1/products', { from: '192.0.2.2', door })).status, 200)
    for (const release of waiting.splice(0)) release()
    assert.deepEqual(
      (await Promise.all(held)).map(({ status }) => status),
      [200, 200],
    )
  } finally {
    await door.stop()
  }
})

test('while the gateway is away the answer is 503 with Retry-After', async () => {
  const alone = await startNginx({ upstream: '127.0.0.1:1' })
  try {
    const answer = await ask('/v1/products', { door: alone })
    assert.deepEqual(
      [answer.status, answer.json().code, answer.headers['retry-after']],
      [503, 'gateway/unavailable', '1'],
    )
  } finally {
    await alone.stop()
  }
})
