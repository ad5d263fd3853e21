import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parcelStatus } from '@caravan/contracts/fulfilment'
import { AppError } from '@caravan/service-kit/errors'
import fc from 'fast-check'
import {
  begin,
  cancelUnits,
  type Fulfilment,
  type FulfilmentChange,
  hear,
  mostEntries,
  openOf,
  refundMoney,
  settleRefund,
  ship,
  statusOf,
} from './fulfilment.ts'
import type { Order } from './order.ts'
import { quote } from './quote.ts'
import { grossOf } from './refund-shares.ts'
import { anyCase } from './testing/any-basket.ts'

const now = new Date('2026-11-28T12:00:00.000Z')
const seller = 'seller-a'
const other = 'seller-b'
const line = (sku: string, quantity: number, of: string | undefined) => ({
  ...{ sku, seller: of, ordered: quantity, shipped: 0, cancelled: 0 },
})
const paid = (sku: string, quantity: number, gross: number) => ({
  ...{ sku, quantity, discount: 0, net: gross, tax: 0, gross },
})
const confirmed: Fulfilment = {
  ...{ orderId: 'order', accountId: 'account', paymentId: 'payment', shipments: [], refunds: [] },
  lines: [line('A', 3, seller), line('B', 1, other)],
  left: {
    currency: 'USD',
    lines: [paid('A', 3, 3000), paid('B', 1, 500)],
    delivery: { discount: 0, net: 400, tax: 0, gross: 400 },
  },
}
const parcel = (id: string, sku: string, quantity: number) => ({
  ...{ id, lines: [{ sku, quantity }], carrier: 'dhl', trackingNumber: 'JJD1' },
})
const topics = ({ facts }: FulfilmentChange) => facts.map(({ definition }) => definition.topic)
const stateOf = ({ lines, shipments }: Fulfilment) => statusOf(lines, shipments)
const refused = (code: string) => (error: unknown) => error instanceof AppError && error.code === code

test('parts of an order are sent by themselves, and it ends when all have arrived', () => {
  const first = ship(confirmed, parcel('1', 'A', 2), 'all', now)
  assert.equal(stateOf(first.fulfilment), 'partly-shipped')
  const second = ship(first.fulfilment, parcel('2', 'A', 1), 'all', now)
  const third = ship(second.fulfilment, parcel('3', 'B', 1), 'all', now)
  assert.equal(stateOf(third.fulfilment), 'shipped')
  const at = '2026-11-29T12:00:00.000Z'
  let { fulfilment } = third
  for (const id of ['2', '1']) fulfilment = hear(fulfilment, id, { status: 'delivered', at }).fulfilment
  const last = hear(fulfilment, '3', { status: 'delivered', at })
  assert.equal(stateOf(last.fulfilment), 'delivered')
  assert.deepEqual(topics(last), ['order.delivered'])
  assert.equal(hear(last.fulfilment, '3', { status: 'delivered', at }).fulfilment, last.fulfilment)
})

test('a seller sends its own lines alone, and nobody more than is open', () => {
  const own = new Set([seller])
  assert.throws(() => ship(confirmed, parcel('1', 'B', 1), own, now), refused('orders/more-than-open'))
  assert.throws(() => ship(confirmed, parcel('1', 'A', 4), own, now), refused('orders/more-than-open'))
  const { fulfilment } = ship(confirmed, parcel('1', 'A', 3), own, now)
  assert.throws(() => ship(fulfilment, parcel('2', 'A', 1), own, now), refused('orders/more-than-open'))
  assert.equal(ship(fulfilment, parcel('1', 'A', 3), own, now).fulfilment, fulfilment)
})

test('in whatever order news of a parcel come, and however often, it ends where the carrier left it', () => {
  const { fulfilment } = ship(confirmed, parcel('1', 'A', 3), 'all', now)
  const told = parcelStatus.options.slice(1).map((status, hour) => ({
    ...{ status, at: `2026-11-29T${10 + hour}:00:00.000Z` },
  }))
  const after = (news: typeof told) =>
    news.reduce((before, each) => hear(before, '1', each).fulfilment, fulfilment).shipments[0]?.status
  fc.assert(
    fc.property(
      fc.nat({ max: told.length - 1 }).chain((last) => {
        const some = told.slice(0, last + 1)
        return fc.tuple(
          fc.constant(some.at(-1)?.status),
          fc.shuffledSubarray([...some, ...some], {
            minLength: some.length * 2,
          }),
        )
      }),
      ([last, news]) => assert.equal(after(news), last),
    ),
  )
})

test('cancelled units take their share of the delivery with them, and their stock back', () => {
  const change = cancelUnits(confirmed, 'r1', [{ sku: 'A', quantity: 1 }], now)
  assert.deepEqual(topics(change), ['order.refund-requested', 'order.items-released'])
  // 400 of delivery, by 1000 of 3500.
  assert.partialDeepStrictEqual(change.fulfilment.refunds[0], { amount: 1114, delivery: 114, status: 'due' })
  const { fulfilment } = ship(change.fulfilment, parcel('1', 'A', 2), 'all', now)
  const { fulfilment: last } = hear(fulfilment, '1', { status: 'delivered', at: '2026-11-29T10:00:00.000Z' })
  const end = cancelUnits(last, 'r2', [{ sku: 'B', quantity: 1 }], now)
  assert.deepEqual(topics(end), ['order.refund-requested', 'order.items-released', 'order.delivered'])
  assert.throws(
    () => cancelUnits(end.fulfilment, 'r3', [{ sku: 'A', quantity: 1 }], now),
    refused('orders/more-than-open'),
  )
})

test('all units cancelled give all back that was paid', () => {
  const change = cancelUnits(
    confirmed,
    'r1',
    [
      { sku: 'A', quantity: 3 },
      { sku: 'B', quantity: 1 },
    ],
    now,
  )
  assert.equal(change.fulfilment.refunds[0]?.amount, 3900)
  assert.equal(stateOf(change.fulfilment), 'cancelled')
  assert.throws(
    () => refundMoney(change.fulfilment, 'r2', { amount: 1 }, now),
    refused('orders/more-than-left'),
  )
})

test('units whose money went back before are cancelled for nothing', () => {
  const all = { lines: [{ sku: 'A', quantity: 3 }] }
  const { fulfilment } = refundMoney(confirmed, 'r1', all, now)
  const change = cancelUnits(fulfilment, 'r2', [{ sku: 'A', quantity: 2 }], now)
  assert.deepEqual(topics(change), ['order.items-released'])
  assert.equal(change.fulfilment.refunds.length, 1)
})

test('what was not paid for is not given back', () => {
  const { paymentId: _, ...free } = confirmed
  assert.throws(() => refundMoney(free, 'r1', { delivery: true }, now), refused('orders/nothing-paid'))
  assert.deepEqual(topics(cancelUnits(free, 'r1', [{ sku: 'A', quantity: 1 }], now)), [
    'order.items-released',
  ])
})

test('a refund is settled once', () => {
  const { fulfilment } = refundMoney(confirmed, 'r1', { delivery: true }, now)
  const done = settleRefund(fulfilment, 'r1', 'done')
  assert.equal(done.fulfilment.refunds[0]?.status, 'done')
  assert.equal(settleRefund(done.fulfilment, 'r1', 'refused').fulfilment, done.fulfilment)
  assert.equal(settleRefund(fulfilment, 'r2', 'done').fulfilment, fulfilment)
})

test('what a request asked for once is done once, whoever asks again', () => {
  const all = [{ sku: 'A', quantity: 1 }]
  const cancelled = cancelUnits(confirmed, 'r1', all, now).fulfilment
  assert.equal(cancelUnits(cancelled, 'r1', all, now).fulfilment, cancelled)
  const paidBack = refundMoney(cancelled, 'r2', { amount: 10 }, now).fulfilment
  assert.equal(refundMoney(paidBack, 'r2', { amount: 10 }, now).fulfilment, paidBack)
})

test('what payments refused to give back can be given back another time', () => {
  const { fulfilment } = refundMoney(
    confirmed,
    'r1',
    { lines: [{ sku: 'A', quantity: 3 }], amount: 100 },
    now,
  )
  assert.deepEqual(settleRefund(fulfilment, 'r1', 'refused').fulfilment.left, confirmed.left)
})

test('an order gathers no more than can be read at once', () => {
  let fulfilment = confirmed
  for (let n = 0; n < mostEntries; n += 1)
    fulfilment = refundMoney(fulfilment, `${n}`, { amount: 1 }, now).fulfilment
  assert.throws(() => refundMoney(fulfilment, 'last', { amount: 1 }, now), refused('orders/too-many-entries'))
})

/** What somebody does with an order, in hundredths of what could be done. */
const anyAct = fc.record({
  what: fc.constantFrom('ship', 'cancel', 'lines', 'delivery', 'amount'),
  line: fc.nat({ max: 9 }),
  percent: fc.integer({ min: 1, max: 100 }),
})

test('whatever is done with an order: shipped + cancelled + open = ordered, and no more goes back than was paid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('EUR' as const, 'JPY' as const, 'KWD' as const).chain(anyCase),
      fc.array(anyAct, { maxLength: 12 }),
      ({ basket, settings, promotions }, acts) => {
        const { quote: cost } = quote(basket, settings, promotions)
        const lines = cost.lines.map(({ sku, quantity }) => ({ sku, quantity }))
        const order = {
          id: 'o',
          accountId: 'a',
          lines,
          quote: cost,
          payment: { id: 'p', status: 'captured' },
        }
        let fulfilment = begin(order as unknown as Order)
        for (const [n, { what, line: index, percent }] of acts.entries()) {
          const { sku, ...of } = fulfilment.lines[
            index % fulfilment.lines.length
          ] as Fulfilment['lines'][number]
          const some = [{ sku, quantity: Math.max(1, Math.ceil((openOf({ sku, ...of }) * percent) / 100)) }]
          const step = cost.currency === 'KWD' ? 10 : 1
          const amount = Math.max(step, Math.floor((grossOf(fulfilment.left) * percent) / 100 / step) * step)
          try {
            if (what === 'ship')
              ({ fulfilment } = ship(fulfilment, { ...parcel(`${n}`, sku, 1), lines: some }, 'all', now))
            else if (what === 'cancel') ({ fulfilment } = cancelUnits(fulfilment, `${n}`, some, now))
            else if (what === 'lines')
              ({ fulfilment } = refundMoney(fulfilment, `${n}`, { lines: some }, now))
            else if (what === 'delivery')
              ({ fulfilment } = refundMoney(fulfilment, `${n}`, { delivery: true }, now))
            else ({ fulfilment } = refundMoney(fulfilment, `${n}`, { amount }, now))
          } catch (error) {
            if (!(error instanceof AppError && error.status === 409)) throw error
          }
          const back = fulfilment.refunds.reduce((sum, refund) => sum + refund.amount, 0)
          assert.equal(back + grossOf(fulfilment.left), cost.total)
          for (const { id, amount, lines: parts, delivery } of fulfilment.refunds)
            assert.equal(
              parts.reduce((sum, part) => sum + part.amount, delivery),
              amount,
              id,
            )
          for (const each of fulfilment.lines) assert.ok(openOf(each) >= 0)
          for (const { sku: sent, shipped } of fulfilment.lines) {
            const units = fulfilment.shipments.flatMap((shipment) =>
              shipment.lines.filter((one) => one.sku === sent),
            )
            assert.equal(
              units.reduce((sum, { quantity }) => sum + quantity, 0),
              shipped,
            )
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})
