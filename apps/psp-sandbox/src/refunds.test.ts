import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { eventually, startSandbox } from './fixture.ts'

let psp: Awaited<ReturnType<typeof startSandbox>>
before(async () => {
  psp = await startSandbox()
})
after(() => psp.end('SIGKILL'))

const captured = async (amount: number, ...card: Parameters<typeof psp.tokenise>) =>
  (await psp.charge(await psp.tokenise(...card), undefined, { amount })).body.id as string

test('a refund gives back a part and can be read again', async () => {
  const charge = await captured(1000)
  const { status, body } = await psp.refund(charge, 300, 'return-1')
  assert.equal(status, 201)
  const { id, createdAt, ...rest } = body
  assert.match(id, /^re_/)
  assert.deepEqual(rest, { charge, status: 'succeeded', amount: 300, currency: 'EUR', reference: 'return' })
  assert.deepEqual((await psp.call('GET', `/v1/refunds/${id}`)).body, body)
  assert.deepEqual((await psp.call('GET', `/v1/refunds?charge=${charge}`)).body, {
    data: [body],
    hasMore: false,
  })
  assert.deepEqual((await psp.call('GET', '/v1/refunds?idempotencyKey=return-1')).body.data, [body])
  assert.equal((await psp.call('GET', `/v1/charges/${charge}`)).body.refunded, 300)
})

test('a refund past the rest is refused, tells the rest, and is replayed as refused', async () => {
  const charge = await captured(1000)
  await psp.refund(charge, 600)
  const refused = await psp.refund(charge, 401, 'too-much')
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.refundable],
    [409, 'psp/refund-exceeds-charge', 400],
  )
  assert.deepEqual((await psp.refund(charge, 401, 'too-much')).body, refused.body)
  assert.equal((await psp.refund(charge, 400)).status, 201)
})

test('a declined charge has nothing to give back', async () => {
  const method = await psp.tokenise('4000000000000002')
  const { charge } = (await psp.charge(method)).body
  const { status, body } = await psp.refund(charge, 1)
  assert.deepEqual([status, body.refundable], [409, 0])
  assert.equal((await psp.refund('ch_unknown', 1)).status, 404)
})

test('refund knobs turn refunds alone', async () => {
  const charge = await captured(100, undefined, {
    refund: { failFirst: 1, timeoutThenSuccess: true, hangMs: 60_000 },
  })
  assert.equal((await psp.refund(charge, 40, 'lost')).status, 500)
  void psp.refund(charge, 40, 'lost').catch(() => {}) // hangs until the server is gone
  await eventually(async () => (await psp.call('GET', `/v1/charges/${charge}`)).body.refunded === 40)
  assert.equal((await psp.refund(charge, 40, 'lost')).status, 201)
  assert.equal((await psp.call('GET', `/v1/charges/${charge}`)).body.refunded, 40)
})

test('refunds at once never give back more than was captured, and the books add up', async () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), amounts, async (amount, parts) => {
      const charge = await captured(amount, undefined, { refund: { delayMs: 5 } })
      const replies = await Promise.all(parts.map((part) => psp.refund(charge, part)))
      const given = replies.reduce((sum, { status, body }) => sum + (status === 201 ? body.amount : 0), 0)
      assert.ok(given <= amount)
      assert.ok(replies.every(({ status, body }) => status === 201 || body.refundable < 600))
      assert.equal((await psp.call('GET', `/v1/charges/${charge}`)).body.refunded, given)
      const { data } = (await psp.call('GET', `/v1/refunds?charge=${charge}`)).body
      assert.equal(
        data.reduce((sum: number, refund: { amount: number }) => sum + refund.amount, 0),
        given,
      )
    }),
    { numRuns: 40 },
  )
})
