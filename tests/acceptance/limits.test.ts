import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { logLines } from '../support/log-lines.ts'
import { mint, shop, stack } from '../support/stack.ts'
import { tellRedis } from '../support/tell-redis.ts'

const key = 'gateway.rate-limits'
const plenty = { quota: 100_000, windowSeconds: 1 }
const put = (value: unknown) => tellRedis(stack, 'SET', key, JSON.stringify(value))
const policy = async (token: string) =>
  (await shop.door('GET', '/v1/me', { token })).headers.get('ratelimit-policy')
const metric = async (name: string) =>
  new RegExp(`^${name} (\\S+)$`, 'm').exec((await shop.door('GET', '/metrics')).text)?.[1]

after(() => put({ account: plenty, address: plenty, cached: plenty, webhook: plenty }))

test('limits change while the shop runs; a member who asks too much gets 429 and the others are served', async () => {
  const limit = { quota: 3, windowSeconds: 3600 }
  await put({ account: limit, address: plenty, cached: plenty, webhook: plenty })
  await eventually(
    'the new limit counts',
    async () => (await policy(mint.member().token)) === '"account";q=3;w=3600',
  )

  const eager = mint.member()
  for (const left of [2, 1, 0]) {
    const answer = await shop.door('GET', '/v1/orders', { token: eager.token })
    assert.equal(answer.status, 200, answer.text)
    assert.match(String(answer.headers.get('ratelimit')), new RegExp(`^"account";r=${left};t=\\d+$`))
  }
  const again = mint.sign(eager.id)
  for (const token of [eager.token, again]) {
    const refused = await shop.door('GET', '/v1/orders', { token })
    assert.equal(refused.status, 429, refused.text)
    assert.equal(refused.body.code, 'gateway/too-many-requests')
    assert.ok(Number(refused.headers.get('retry-after')) > 60)
  }
  assert.equal((await shop.door('GET', '/v1/orders', { token: mint.member().token })).status, 200)
  // A forged token of the same account is not the account's.
  const forged = await shop.door('GET', '/v1/orders', { token: mint.forge(eager.id, {}, 'AAAA') })
  assert.equal(forged.status, 401)
  assert.equal(forged.headers.get('ratelimit-policy'), '"address";q=100000;w=1')
})

test('limits that are not valid change nothing, and show', async () => {
  await put({ account: { quota: 5, windowSeconds: 3600 }, address: plenty, cached: plenty, webhook: plenty })
  await eventually(
    'the good limit counts',
    async () => (await policy(mint.member().token)) === '"account";q=5;w=3600',
  )
  await put({ account: { quota: -1, windowSeconds: 1 } })
  await eventually('the fault shows', async () => (await metric('rate_limit_settings_accepted')) === '0')
  assert.equal(await policy(mint.member().token), '"account";q=5;w=3600')
  assert.ok(
    logLines('gateway').some(
      ({ level, msg }) => level === 'error' && String(msg).startsWith('not valid rate limits'),
    ),
  )
  await put({ account: plenty, address: plenty, cached: plenty, webhook: plenty })
  await eventually('it is mended', async () => (await metric('rate_limit_settings_accepted')) === '1')
})

/** What the gateway says to raw bytes before it closes the connection. */
const say = async (bytes: string): Promise<string> => {
  const socket = connect(Number(new URL(shop.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => undefined)
  socket.write(bytes)
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(60_000) })
  await closed.finally(() => socket.destroy())
  return answer
}

test('who sends headers or a body without end is cut off, and too many headers are refused', async () => {
  const begun = 'POST /v1/sessions HTTP/1.1\r\nhost: shop\r\n'
  const [slowHeaders, slowBody, large] = await Promise.all([
    say(`${begun}x-slow: 1`),
    say(`${begun}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`),
    say(`${begun}x-large: ${'x'.repeat(17_000)}\r\n\r\n`),
  ])
  assert.match(slowHeaders, /^HTTP\/1\.1 408 /)
  assert.match(slowBody, /^HTTP\/1\.1 408 /)
  assert.match(large, /^HTTP\/1\.1 431 /)
})

test('support finds a request in the logs of all services by the id that the client has', async () => {
  const id = 'feedc0de'.repeat(4)
  const answer = await shop.door('GET', '/v1/orders', {
    token: mint.member().token,
    headers: { 'x-request-id': id },
  })
  assert.equal(answer.headers.get('x-request-id'), id)
  for (const app of ['gateway', 'orders'])
    await eventually(`${app} has logged it`, () =>
      logLines(app).some(({ trace_id, msg }) => trace_id === id && msg === 'request'),
    )
})
