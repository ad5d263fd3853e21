import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually, startSandbox } from './fixture.ts'

let psp: Awaited<ReturnType<typeof startSandbox>>
before(async () => {
  psp = await startSandbox()
})
after(() => psp.end('SIGKILL'))

const byKey = async (key: string) => (await psp.call('GET', `/v1/charges?idempotencyKey=${key}`)).body.data

test('a good card is captured and can be read again', async () => {
  const { status, body } = await psp.charge(await psp.tokenise(), 'order-1', { description: 'two mugs' })
  assert.equal(status, 201)
  const { id, createdAt, ...rest } = body
  assert.match(id, /^ch_[0-9a-f]{24}$/)
  assert.equal(new Date(createdAt).toISOString(), createdAt)
  assert.deepEqual(rest, {
    status: 'captured',
    declineCode: null,
    amount: 1999,
    currency: 'EUR',
    reference: 'order-1',
    description: 'two mugs',
    refunded: 0,
    disputed: false,
  })
  assert.deepEqual((await psp.call('GET', `/v1/charges/${id}`)).body, body)
  assert.deepEqual((await psp.call('GET', '/v1/charges?reference=order-1')).body, {
    data: [body],
    hasMore: false,
  })
  assert.deepEqual(await byKey('order-1'), [body])
})

test('a text that the books cannot hold as it came is refused', async () => {
  const method = await psp.tokenise()
  for (const wrong of ['mug\0', 'mug\ud83d'])
    for (const field of ['description', 'reference']) {
      const { status, body } = await psp.charge(method, `text-${field}`, { [field]: wrong })
      assert.deepEqual([status, body.errors[0].pointer], [422, `/${field}`])
    }
})

test('each test card has the outcome that Stripe documents', async () => {
  const outcomes = {
    '4242424242424242': null,
    '5555555555554444': null,
    '4000000000000259': null,
    '4000000000000002': 'generic_decline',
    '4000000000009995': 'insufficient_funds',
    '4000000000000069': 'expired_card',
    '4000000000000127': 'incorrect_cvc',
    '4000000000000119': 'processing_error',
    '4111111111111111': 'test_mode_live_card',
  }
  for (const [number, declineCode] of Object.entries(outcomes)) {
    const { status, body } = await psp.charge(await psp.tokenise(number), number.slice(-6))
    assert.equal(status, declineCode ? 402 : 201, number)
    const [kept] = await byKey(number.slice(-6))
    assert.equal(kept.declineCode, declineCode)
    assert.equal(kept.status, declineCode ? 'declined' : 'captured')
    if (!declineCode) continue
    assert.equal(body.code, 'psp/card-declined')
    assert.equal(body.declineCode, declineCode)
    assert.equal(body.charge, kept.id)
  }
})

test('a token shows the brand and the last four digits', async () => {
  const card = { number: '5555555555554444', expMonth: 1, expYear: 2090, cvc: '999' }
  const { status, body } = await psp.call('POST', '/v1/payment-methods', { card })
  assert.equal(status, 201)
  assert.match(body.id, /^pm_/)
  assert.deepEqual(
    { ...body, id: '' },
    { id: '', brand: 'mastercard', last4: '4444', expMonth: 1, expYear: 2090 },
  )
})

test('a mistyped or expired card gets no token', async () => {
  const good = { number: '4242424242424242', expMonth: 1, expYear: 2090, cvc: '999' }
  for (const [wrong, pointer] of [
    [{ number: '4242424242424241' }, '/card/number'],
    [{ expYear: 2020 }, '/card/expYear'],
    [{ cvc: '12' }, '/card/cvc'],
  ] as const) {
    const { status, body } = await psp.call('POST', '/v1/payment-methods', { card: { ...good, ...wrong } })
    assert.equal(status, 422)
    assert.equal(body.errors[0].pointer, pointer)
  }
})

test('amounts that are no money are refused', async () => {
  const method = await psp.tokenise()
  for (const amount of [0, -1, 1.5, 1e9, '5', null]) {
    const { status, body } = await psp.charge(method, undefined, { amount })
    assert.equal(status, 422)
    assert.equal(body.errors[0].pointer, '/amount')
  }
  assert.equal((await psp.charge(method, undefined, { currency: 'eur' })).status, 422)
  assert.equal((await psp.charge(method, undefined, { extra: 1 })).status, 422)
  assert.equal((await psp.charge('pm_unknown')).body.code, 'psp/payment-method-not-found')
})

test('a key is needed, and belongs to one payload', async () => {
  const method = await psp.tokenise()
  const payload = { amount: 5, currency: 'EUR', paymentMethod: method, reference: 'r' }
  const keyless = await psp.call('POST', '/v1/charges', payload)
  assert.deepEqual([keyless.status, keyless.body.code], [400, 'psp/idempotency-key-missing'])
  const first = await psp.charge(method, 'one-payload')
  const other = await psp.charge(method, 'one-payload', { amount: 2000 })
  assert.deepEqual([other.status, other.body.code], [422, 'psp/idempotency-key-reused'])
  const foreign = await psp.refund(first.body.id, 1, 'one-payload')
  assert.equal(foreign.status, 422)
})

test('the same key replays the first answer, a decline too', async () => {
  for (const number of ['4242424242424242', '4000000000009995']) {
    const method = await psp.tokenise(number)
    const key = crypto.randomUUID()
    const first = await psp.charge(method, key)
    const again = await psp.charge(method, key)
    assert.deepEqual([again.status, again.body], [first.status, first.body])
    assert.equal(first.headers.get('idempotent-replayed'), null)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.equal((await byKey(key)).length, 1)
  }
})

test('of twenty calls at once with one key, one charges and the rest see it in flight', async () => {
  const method = await psp.tokenise(undefined, { delayMs: 60_000 })
  let refused = 0
  const call = async () => {
    const answer = await psp.charge(method, 'at-once')
    if (answer.status === 409) refused += 1
    return answer
  }
  const under = Array.from({ length: 20 }, call)
  await eventually(async () => refused === 19)
  assert.equal((await psp.call('POST', '/sandbox/releases')).status, 204)
  const calls = await Promise.all(under)
  const statuses = calls.map(({ status }) => status).sort()
  assert.deepEqual(statuses, [201, ...Array(19).fill(409)])
  assert.ok(
    calls
      .filter(({ status }) => status === 409)
      .every(({ body }) => body.code === 'psp/idempotency-key-in-flight'),
  )
  assert.equal((await byKey('at-once')).length, 1)
})

test('failFirst fails without effect, then lets the same key through', async () => {
  const method = await psp.tokenise(undefined, { failFirst: 2 })
  assert.equal((await psp.charge(method, 'third-time')).body.code, 'psp/simulated-failure')
  assert.equal((await psp.charge(method, 'third-time')).status, 500)
  assert.deepEqual(await byKey('third-time'), [])
  assert.equal((await psp.charge(method, 'third-time')).status, 201)
  assert.equal((await byKey('third-time')).length, 1)
})

test('timeoutThenSuccess captures, hangs, and answers a retry at once', async () => {
  const method = await psp.tokenise(undefined, { timeoutThenSuccess: true, hangMs: 60_000 })
  let answered = false
  const hanging = psp.charge(method, 'hanging').finally(() => {
    answered = true
  })
  const [captured] = await eventually(async () => {
    const found = await byKey('hanging')
    return found.length > 0 && found
  })
  const retry = await psp.charge(method, 'hanging')
  assert.equal(answered, false, 'the first call still hangs')
  assert.deepEqual([retry.status, retry.body], [201, captured])
  await psp.call('POST', '/sandbox/releases')
  assert.deepEqual((await hanging).body, captured)
})

test('pages lead through all charges once, in order', async () => {
  const method = await psp.tokenise()
  const ids: string[] = []
  for (let n = 0; n < 5; n++)
    ids.push((await psp.charge(method, `page-${n}`, { reference: 'pages' })).body.id)
  const seen: string[] = []
  let path = '/v1/charges?reference=pages&limit=2'
  for (;;) {
    const { data, hasMore } = (await psp.call('GET', path)).body
    seen.push(...data.map(({ id }: { id: string }) => id))
    if (!hasMore) break
    path = `/v1/charges?reference=pages&limit=2&after=${seen.at(-1)}`
  }
  assert.deepEqual(seen, ids)
  assert.equal((await psp.call('GET', '/v1/charges?reference=pages&limit=5')).body.hasMore, false)
  assert.equal((await psp.call('GET', '/v1/charges?after=ch_unknown')).body.code, 'psp/unknown-cursor')
  assert.equal((await psp.call('GET', '/v1/charges?limit=101')).status, 422)
})

test('defaults turn every payment method that says nothing itself', async () => {
  const own = await startSandbox()
  try {
    const [silent, outspoken] = [await own.tokenise(), await own.tokenise(undefined, { failFirst: 0 })]
    const { body } = await own.call('PUT', '/sandbox/knobs', { failFirst: 1, webhook: { copies: 2 } })
    assert.deepEqual([body.failFirst, body.webhook.copies, body.hangMs], [1, 2, 30_000])
    assert.deepEqual((await own.call('GET', '/sandbox/knobs')).body, body)
    assert.equal((await own.charge(silent)).status, 500)
    assert.equal((await own.charge(outspoken)).status, 201)
    assert.equal((await own.call('PUT', '/sandbox/knobs', { webhook: { copies: 6 } })).status, 422)
  } finally {
    await own.end('SIGKILL')
  }
})
