import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { environment, eventually, newDatabase, secretKey, spawnSandbox, startSandbox } from './fixture.ts'

test('a bad environment ends the start with one clear line', async () => {
  const { PSP_SECRET_KEY: _, ...env } = environment(newDatabase(), 'not a url')
  const { output, exited } = spawnSandbox(env)
  assert.deepEqual(await exited, [1, null])
  assert.match(output(), /^psp-sandbox: bad environment: PSP_SECRET_KEY: .*PSP_WEBHOOK_URL: .*\n$/)
})

test('without HOST it listens on this machine’s own address only', async () => {
  const psp = await startSandbox()
  const elsewhere = psp.url.replace('127.0.0.1', '127.0.0.2')
  await assert.rejects(fetch(`${elsewhere}/healthz`, { signal: AbortSignal.timeout(10_000) }))
  await psp.end('SIGKILL')
})

test('a kill between capture and answer loses nothing: the same key finds the charge', async () => {
  const first = await startSandbox()
  const method = await first.tokenise(undefined, { timeoutThenSuccess: true })
  const lost = first.charge(method, 'killed').catch(() => 'no answer')
  const [captured] = await eventually(async () => {
    const { data } = (await first.call('GET', '/v1/charges?idempotencyKey=killed')).body
    return data.length > 0 && data
  })
  await first.end('SIGKILL')
  assert.equal(await lost, 'no answer')

  const second = await startSandbox({ database: first.database })
  const retry = await second.charge(method, 'killed')
  assert.deepEqual([retry.status, retry.body], [201, captured])
  assert.equal((await second.call('GET', '/v1/charges')).body.data.length, 1)
  await second.end('SIGKILL')
})

test('a kill before the capture leaves nothing: the same key charges anew', async () => {
  const first = await startSandbox()
  const method = await first.tokenise(undefined, { delayMs: 60_000 })
  const lost = first.charge(method, 'early').catch(() => 'no answer')
  await eventually(async () => (await first.charge(method, 'early')).status === 409)
  await first.end('SIGKILL')
  assert.equal(await lost, 'no answer')

  const second = await startSandbox({ database: first.database })
  assert.deepEqual((await second.call('GET', '/v1/charges')).body.data, [])
  const anew = second.charge(method, 'early')
  await eventually(async () => (await second.charge(method, 'early')).status === 409)
  assert.equal((await second.call('POST', '/sandbox/releases')).status, 204)
  assert.equal((await anew).status, 201)
  assert.equal((await second.call('GET', '/v1/charges')).body.data.length, 1)
  await second.end('SIGKILL')
})

test('SIGTERM lets waiting callers have their answer and ends with 0', async () => {
  const psp = await startSandbox()
  const method = await psp.tokenise(undefined, { timeoutThenSuccess: true, hangMs: 60_000 })
  const waiting = psp.charge(method, 'waiting')
  await eventually(async () => (await psp.call('GET', '/v1/charges')).body.data.length === 1)
  const ended = psp.end('SIGTERM')
  assert.equal((await waiting).status, 201)
  assert.deepEqual(await ended, [0, null])
})

test('neither logs nor books hold a card number, a cvc or the key', async () => {
  const psp = await startSandbox()
  const card = { number: '4000000000009995', expMonth: 12, expYear: 2090, cvc: '9473' }
  const { body } = await psp.call('POST', '/v1/payment-methods', { card })
  await psp.charge(body.id)
  await psp.call('POST', '/v1/payment-methods', { card: { ...card, number: '4000000000009994' } })
  await psp.call('POST', '/v1/payment-methods', { card, [card.number]: 1 })
  const folder = dirname(psp.database)
  const books = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('')
  assert.ok(books.includes('insufficient_funds'))
  assert.match(psp.output(), /"path":"\/v1\/payment-methods"/)
  for (const text of [books, psp.output()]) {
    for (const secret of ['400000000000999', '9473', secretKey]) assert.ok(!text.includes(secret), secret)
  }
  await psp.end('SIGKILL')
})

test('the doors: what is public, what needs the key, what is refused', async () => {
  const psp = await startSandbox()
  const open = await fetch(`${psp.url}/healthz`)
  assert.equal(open.status, 200)
  await open.text()
  for (const [method, path] of [
    ['POST', '/v1/charges'],
    ['GET', '/v1/charges'],
    ['GET', '/v1/charges/ch_1'],
    ['POST', '/v1/refunds'],
    ['GET', '/v1/refunds'],
    ['GET', '/v1/refunds/re_1'],
    ['GET', '/sandbox/knobs'],
    ['PUT', '/sandbox/knobs'],
    ['GET', '/sandbox/deliveries?reference=r'],
    ['POST', '/sandbox/webhooks'],
  ] as const) {
    for (const authorization of ['', 'Bearer wrong', secretKey]) {
      const { status, body } = await psp.call(method, path, undefined, { authorization })
      assert.deepEqual([status, body.code], [401, 'psp/unauthenticated'], `${method} ${path}`)
    }
  }
  const preflight = await fetch(`${psp.url}/v1/payment-methods`, { method: 'OPTIONS' })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  const refused = await psp.call('POST', '/v1/payment-methods', { card: 1 }, { authorization: '' })
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [422, '*'])
  assert.equal(refused.headers.get('content-type'), 'application/problem+json')
  assert.equal((await psp.call('GET', '/v1/nothing')).body.code, 'psp/no-such-route')
  assert.equal((await psp.call('DELETE', '/v1/charges')).body.code, 'psp/method-not-allowed')
  assert.equal((await psp.call('GET', '/v1/charges/%ff')).status, 404)
  await psp.end('SIGKILL')
})

test('a body that is no small JSON is refused', async () => {
  const psp = await startSandbox()
  const post = async (body: string | Buffer<ArrayBuffer>, type = 'application/json') => {
    const response = await fetch(`${psp.url}/v1/payment-methods`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  assert.deepEqual(await post('{'), [400, 'psp/malformed-json'])
  for (const type of ['text/plain', 'application/json; charset=iso-8859-1'])
    assert.deepEqual(await post('{}', type), [415, 'psp/unsupported-media-type'])
  assert.deepEqual(await post(Buffer.from('{"a":"é"}', 'latin1')), [400, 'psp/malformed-json'])
  assert.deepEqual(await post(' '.repeat(20_000)), [413, 'psp/body-too-large'])

  const chunked = connect(Number(new URL(psp.url).port), '127.0.0.1')
  let reply = ''
  chunked.on('data', (data) => {
    reply += data
  })
  chunked.write('POST /v1/payment-methods HTTP/1.1\r\nhost: psp\r\ncontent-type: application/json\r\n')
  chunked.write(`transfer-encoding: chunked\r\n\r\n5000\r\n${' '.repeat(0x5000)}\r\n0\r\n\r\n`)
  await eventually(() => reply.startsWith('HTTP/1.1 413'))
  chunked.destroy()
  await psp.end('SIGKILL')
})
