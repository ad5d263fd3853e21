import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { openMint } from '../support/tokens.ts'

const quota = 50
const limit = { quota, windowSeconds: 3600 }

/** A shop of its own behind nginx, which it trusts, and whose clients may be of any address. */
let stack: Stack
let nginx: Nginx

before(async () => {
  await eraseStack('edge')
  const limits = { account: limit, address: limit, cached: limit, webhook: limit }
  stack = await startStack({
    ...{ profile: 'edge', ports: 'free' },
    env: { gateway: { TRUSTED_PROXIES: '127.0.0.1', RATE_LIMITS: JSON.stringify(limits) } },
  })
  nginx = await startNginx({
    upstream: new URL(stack.url).host,
    lists: {
      'proxies.conf': 'set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;',
      'deny.conf': 'deny 203.0.113.0/24;',
    },
  })
})
after(async () => {
  await nginx?.stop()
  await stack?.stop()
})

/** Over HTTP/2, as a client of an address. */
const ask = async (path: string, from: string, headers: Record<string, string> = {}, body?: string) => {
  const session = connect(nginx.origin, { ca: nginx.ca })
  const method = body === undefined ? 'GET' : 'POST'
  const stream = session.request({ ':path': path, ':method': method, 'x-test-address': from, ...headers })
  stream.end(body)
  const [head] = await once(stream, 'response')
  const received = await text(stream)
  session.close()
  return { status: head[':status'], head, text: received }
}

const left = ({ head }: Awaited<ReturnType<typeof ask>>) =>
  Number(/^"address";r=(\d+);/.exec(String(head.ratelimit))?.[1])

test('a page comes through nginx over HTTP/2, has HSTS once and says its limits', async () => {
  const page = await ask('/v1/products?limit=1', '192.0.2.1')
  assert.equal(page.status, 200, page.text)
  assert.equal(page.head['strict-transport-security'], 'max-age=31536000; includeSubDomains')
  assert.equal(page.head['ratelimit-policy'], `"address";q=${quota};w=3600`)
  assert.ok(Array.isArray(JSON.parse(page.text).data))
})

test('a forged X-Forwarded-For buys no new quota and takes none from its victim', async () => {
  const forged = (n: number) => ({
    'x-forwarded-for': `198.51.100.${n}`,
    'x-real-ip': `198.51.100.${n}`,
    forwarded: `for=198.51.100.${n}`,
  })
  const seen: number[] = []
  for (let n = 1; n <= 4; n += 1) seen.push(left(await ask('/v1/carts/mine', '192.0.2.2', forged(n))))
  assert.deepEqual(seen, [quota - 1, quota - 2, quota - 3, quota - 4])
  assert.equal(left(await ask('/v1/carts/mine', '198.51.100.1')), quota - 1)
})

test('a page of the shop at a port of its own may keep its session in a cookie, and no other page', async () => {
  assert.notEqual(new URL(nginx.origin).port, '')
  const account = { email: 'mei@example.com', password: 'long enough for a person', name: 'Mei' }
  const from = '192.0.2.10'
  const json = { 'content-type': 'application/json' }
  const registered = await ask('/v1/accounts', from, json, JSON.stringify(account))
  assert.equal(registered.status, 201, registered.text)
  const body = JSON.stringify({ email: account.email, password: account.password, transport: 'cookie' })
  const signIn = (origin: string) => ask('/v1/sessions', from, { ...json, origin }, body)
  const { status, head, text } = await signIn(nginx.origin)
  assert.equal(status, 201, text)
  assert.match(String(head['set-cookie']), /^__Host-refresh=/)
  const { hostname } = new URL(nginx.origin)
  for (const origin of [`https://${hostname}`, `https://${hostname}:1`, 'https://evil.example']) {
    const refused = await signIn(origin)
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, 'gateway/foreign-origin'], origin)
  }
})

test('who is on the deny list is refused and reaches nothing', async () => {
  const refused = await ask('/v1/products?limit=2', '203.0.113.9')
  assert.equal(refused.status, 403, refused.text)
  assert.equal(refused.head.ratelimit, undefined)
})

test('a member has one quota at all addresses; nginx’s request id is that of the gateway', async () => {
  const mint = openMint(
    String(stack.secrets['identity-signing-key']),
    String(stack.sidecarEnvironment.TOKEN_ISSUER),
  )
  const { token } = mint.member()
  const headers = { authorization: `Bearer ${token}` }
  const answers = [
    await ask('/v1/orders', '192.0.2.3', headers),
    await ask('/v1/orders', '192.0.2.4', headers),
  ]
  assert.deepEqual(
    answers.map(({ status, head }) => [status, String(head.ratelimit).split(';t')[0]]),
    [
      [200, `"account";r=${quota - 1}`],
      [200, `"account";r=${quota - 2}`],
    ],
  )
  const id = String(answers[0]?.head['x-request-id'])
  assert.match(id, /^[0-9a-f]{32}$/)
  await eventually('the gateway has logged it', () => stack.logs('gateway').includes(`"trace_id":"${id}"`))
  assert.ok(!nginx.written().includes(token))
})

test('a body that is too large is 413 before it reaches the gateway', async () => {
  const refused = await ask('/v1/sessions', '192.0.2.5', {}, 'x'.repeat(262_145))
  assert.equal(refused.status, 413)
  assert.equal(refused.head.ratelimit, undefined)
})

test('the address that a proxy adds behind thousands of headers still counts', async () => {
  const read = async (headers: string): Promise<string> => {
    const { hostname, port } = new URL(stack.url)
    const socket = connectTcp(Number(port), hostname)
    socket.write(`GET /v1/categories HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`)
    return text(socket)
  }
  const counted = (answer: string) => /^RateLimit: (.+);t=/m.exec(answer)?.[1]
  await read('')
  assert.equal(counted(await read('')), `"cached";r=${quota - 1}`)
  const many = 'a:1\r\n'.repeat(2500)
  assert.equal(counted(await read(`${many}x-forwarded-for: 192.0.2.6\r\n`)), `"cached";r=${quota - 1}`)
  assert.equal(counted(await read('')), `"cached";r=${quota - 2}`)
})
