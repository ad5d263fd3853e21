import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { sql } from '../support/books.ts'
import { cards } from '../support/shop.ts'
import { mint, shop, stack } from '../support/stack.ts'

const newOrder = async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const shopper = mint.member()
  const order = await shop.tryOrder(shopper, [line])
  assert.equal(order.status, 201, order.text)
  return { shopper, order: order.body, line }
}

/** The order is confirmed, and charged exactly once by the provider's own books and by ours. */
const paidOnce = async (shopper: { token: string }, orderId: string, total: number) => {
  const end = await shop.settled(shopper, orderId, 45_000)
  assert.equal(end.status, 'confirmed')
  assert.ok(end.payment)
  const charges = await shop.chargesOf(end.payment.id)
  assert.deepEqual(
    charges.map(({ status, amount, refunded }) => ({ status, amount, refunded })),
    [{ status: 'captured', amount: total, refunded: 0 }],
  )
  const ledger = await shop.ledgerOf(orderId)
  assert.deepEqual(
    ledger.map((entry) => entry.amount).sort((a, b) => a - b),
    [-total, total],
  )
}

test('the provider answers late', async () => {
  const { shopper, order } = await newOrder()
  const paid = await shop.tryPay(shopper, order.id, await shop.tokenise(cards.good, { delayMs: 2500 }))
  assert.equal(paid.status, 201, paid.text)
  await paidOnce(shopper, order.id, order.total)
})

test('the provider takes the money and its answer never comes: the webhook tells, and nobody is charged again', async () => {
  const { shopper, order } = await newOrder()
  const method = await shop.tokenise(cards.good, { timeoutThenSuccess: true, hangMs: 20_000 })
  const paid = await shop.tryPay(shopper, order.id, method)
  assert.equal(paid.status, 201, paid.text)
  await paidOnce(shopper, order.id, order.total)
})

test('neither answer nor webhook comes: the provider is asked for the truth', async () => {
  const { shopper, order } = await newOrder()
  const method = await shop.tokenise(cards.good, {
    timeoutThenSuccess: true,
    hangMs: 20_000,
    webhook: { drop: true },
  })
  const paid = await shop.tryPay(shopper, order.id, method)
  assert.equal(paid.status, 201, paid.text)
  // Reconciliation may have found the charge while the shopper waited.
  assert.match(paid.body.status, /^(processing|captured)$/)
  await paidOnce(shopper, order.id, order.total)
})

test('webhooks come three times and in any order, the first before the answer', async () => {
  const { shopper, order } = await newOrder()
  const knobs = { delayMs: 0, webhook: { copies: 3, shuffle: true } }
  const paid = await shop.tryPay(shopper, order.id, await shop.tokenise(cards.good, knobs))
  assert.equal(paid.status, 201, paid.text)
  await paidOnce(shopper, order.id, order.total)
})

test('the provider fails twice, then works: the shopper pays again', async () => {
  const { shopper, order } = await newOrder()
  const failing = await shop.tokenise(cards.good, { failFirst: 2 })
  const first = await shop.tryPay(shopper, order.id, failing)
  assert.equal(first.status, 201, first.text)
  assert.equal(first.body.status, 'processing')
  // While it is open, a second payment of the order is refused.
  const second = await shop.tryPay(shopper, order.id, await shop.tokenise())
  assert.equal(second.status, 409)
  assert.equal(second.body.code, 'payments/in-progress')
  await eventually(
    'the payment that the provider never saw is given up',
    async () => {
      const answer = await shop.door('GET', `/v1/payments/${first.body.id}`, { token: shopper.token })
      return answer.body.status === 'declined'
    },
    60_000,
  )
  const third = await shop.tryPay(shopper, order.id, await shop.tokenise())
  assert.equal(third.status, 201, third.text)
  await paidOnce(shopper, order.id, order.total)
})

test('a declined card costs nothing, and the order can be paid with another', async () => {
  const { shopper, order } = await newOrder()
  const declined = await shop.tryPay(shopper, order.id, await shop.tokenise(cards.insufficientFunds))
  assert.equal(declined.status, 402)
  assert.equal(declined.body.code, 'payments/card-declined')
  assert.equal(declined.body.declineCode, 'insufficient_funds')
  assert.deepEqual(await shop.ledgerOf(order.id), [])
  const paid = await shop.tryPay(shopper, order.id, await shop.tokenise())
  assert.equal(paid.status, 201, paid.text)
  await paidOnce(shopper, order.id, order.total)
})

test('ten payments of one order at once: one charge', async () => {
  const { shopper, order } = await newOrder()
  const method = await shop.tokenise()
  const answers = await Promise.all(Array.from({ length: 10 }, () => shop.tryPay(shopper, order.id, method)))
  assert.equal(answers.filter((answer) => answer.status === 201).length, 1)
  for (const { status, text } of answers) assert.ok(status === 201 || status === 409, text)
  await paidOnce(shopper, order.id, order.total)
})

test('a forged, altered or stale webhook gets 401 and changes nothing', async () => {
  const { shopper, order } = await newOrder()
  // A payment in progress, which a forger would like to see captured.
  const method = await shop.tokenise(cards.good, { failFirst: 5, webhook: { drop: true } })
  const payment = await shop.tryPay(shopper, order.id, method)
  assert.equal(payment.body.status, 'processing', payment.text)

  const secret = String(stack.secrets['psp-webhook-secret'])
  const body = JSON.stringify({
    id: 'evt_forged',
    type: 'charge.captured',
    createdAt: new Date().toISOString(),
    data: {
      charge: {
        id: 'ch_forged',
        status: 'captured',
        amount: order.total,
        currency: order.currency,
        reference: payment.body.id,
      },
    },
  })
  const now = Math.floor(Date.now() / 1000)
  const signed = (t: number, key: string, over = body) =>
    `t=${t},v1=${createHmac('sha256', key).update(`${t}.${over}`).digest('hex')}`
  const attempts: Record<string, Record<string, string>> = {
    'no signature': {},
    'another secret': { 'psp-signature': signed(now, 'x'.repeat(32)) },
    'another body': { 'psp-signature': signed(now, secret, body.replace('captured', 'declined')) },
    'six minutes old': { 'psp-signature': signed(now - 360, secret) },
    'six minutes ahead': { 'psp-signature': signed(now + 360, secret) },
    'no timestamp': { 'psp-signature': signed(now, secret).replace(/t=\d+,/, '') },
  }
  for (const [name, headers] of Object.entries(attempts)) {
    const answer = await shop.door('POST', '/v1/webhooks/psp', { raw: body, headers })
    assert.equal(answer.status, 401, name)
    assert.equal(answer.body.code, 'payments/bad-signature', name)
  }
  const after = await shop.door('GET', `/v1/payments/${payment.body.id}`, { token: shopper.token })
  assert.equal(after.body.status, 'processing')
  assert.deepEqual(await shop.ledgerOf(order.id), [])
  // A body of the same shape with a good signature is believed: the refusals above were for the signature alone.
  const declined = body.replaceAll('captured', 'declined')
  const headers = { 'psp-signature': signed(now, secret, declined) }
  const believed = await shop.door('POST', '/v1/webhooks/psp', { raw: declined, headers })
  assert.equal(believed.status, 204, believed.text)
  const end = await shop.door('GET', `/v1/payments/${payment.body.id}`, { token: shopper.token })
  assert.equal(end.body.status, 'declined')
})

test('a payment repeated with its key after its process died before it noted the answer: the same payment, also when the order is confirmed', async () => {
  const { shopper, order } = await newOrder()
  const [key, method] = [crypto.randomUUID(), await shop.tokenise()]
  const paid = await shop.tryPay(shopper, order.id, method, { key })
  assert.equal(paid.status, 201, paid.text)
  await paidOnce(shopper, order.id, order.total)
  await sql(
    'payments',
    "UPDATE idempotency_keys SET status = NULL, body = NULL, claimed_until = '2000-01-01' WHERE idempotency_key = ?",
    [key],
  )
  const again = await shop.tryPay(shopper, order.id, method, { key })
  assert.deepEqual([again.status, again.body.id], [201, paid.body.id], again.text)
  assert.equal((await shop.tryPay(shopper, order.id, method)).body.code, 'payments/already-paid')
  await paidOnce(shopper, order.id, order.total)
})
