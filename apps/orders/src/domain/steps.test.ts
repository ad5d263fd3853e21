import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { begin, cancelUnits, type Fulfilment, hear, refundMoney, settleRefund, ship } from './fulfilment.ts'
import { capture, place } from './order.ts'
import { stepsOf } from './steps.ts'
import { plainQuote } from './testing/plain-quote.ts'

const now = new Date('2026-11-01T08:00:00.000Z')
const line = {
  ...{ sku: 'GAIWAN-WHITE', productId: newId(), title: { en: 'Gaiwan' }, quantity: 3, unitPrice: 100 },
}
const shippingAddress = {
  ...{ name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' },
}
const placed = place(
  { id: newId(), accountId: newId(), quote: plainQuote([line]), shippingAddress },
  now,
  60,
).order

test('each change of a fulfilment is told once, as what it was', () => {
  const [parcel, refund] = [newId(), newId()]
  const units = (quantity: number) => [{ sku: line.sku, quantity }]
  const sent = { id: parcel, lines: units(1), carrier: 'dhl', trackingNumber: 'JJD0001' }
  const at = '2026-11-02T08:00:00.000Z'
  const changes: [(before: Fulfilment) => Fulfilment, [string, string?][]][] = [
    [(before) => ship(before, sent, 'all', now).fulfilment, [['parcel-shipped', parcel]]],
    [(before) => ship(before, sent, 'all', now).fulfilment, []],
    [
      (before) => hear(before, parcel, { status: 'delivered', at }).fulfilment,
      [['parcel-delivered', parcel]],
    ],
    [(before) => refundMoney(before, refund, { amount: 10 }, now).fulfilment, [['refund-due', refund]]],
    [(before) => settleRefund(before, refund, 'done').fulfilment, [['refund-done', refund]]],
  ]
  let fulfilment = begin(capture(placed, newId(), now).order)
  for (const [apply, told] of changes) {
    const after = apply(fulfilment)
    assert.deepEqual(
      stepsOf(fulfilment, after, now),
      told.map(([what, about]) => ({ what, about, at: now })),
    )
    fulfilment = after
  }
  const cancelled = cancelUnits(fulfilment, newId(), units(1), now).fulfilment
  assert.deepEqual(
    stepsOf(fulfilment, cancelled, now).map(({ what }) => what),
    ['lines-cancelled', 'refund-due'],
  )
})
