import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { logLines } from '../support/log-lines.ts'
import { mint, shop } from '../support/stack.ts'

test('one trace id runs through a checkout: requests, invocations and events', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const shopper = mint.member()
  const traceId = randomBytes(16).toString('hex')
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` }
  const order = await shop.tryOrder(shopper, [line], { headers })
  assert.equal(order.status, 201, order.text)
  const paid = await shop.tryPay(shopper, order.body.id, await shop.tokenise(), { headers })
  assert.equal(paid.status, 201, paid.text)
  await shop.settled(shopper, order.body.id)

  const inTrace = (name: string) => logLines(name).filter((entry) => entry.trace_id === traceId)
  const handled = (name: string) =>
    inTrace(name)
      .filter((entry) => entry.msg === 'event handled')
      .map((entry) => entry.topic)
  const requested = (name: string) =>
    inTrace(name)
      .filter((entry) => entry.msg === 'request')
      .map((entry) => entry.route)

  for (const [app, seen, what] of [
    ['gateway', requested, 'POST /v1/orders'],
    ['gateway', requested, 'POST /v1/orders/:orderId/payments'],
    ['orders', requested, 'POST /operations/placeOrder'],
    ['orders', requested, 'POST /operations/inquireOrder'],
    ['inventory', requested, 'POST /operations/reserve'],
    ['payments', requested, 'POST /operations/payOrder'],
    ['orders', handled, 'payment.captured'],
    ['inventory', handled, 'order.paid'],
    ['orders', handled, 'reservation.fulfilled'],
    ['carts', handled, 'order.paid'],
  ] as const)
    await eventually(`${app} has logged ${what}`, () => seen(app).includes(what))
  assert.equal(requested('gateway').length, 2)
})
