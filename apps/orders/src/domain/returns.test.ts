import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '@caravan/service-kit/errors'
import fc from 'fast-check'
import { begin, cancelUnits, type Fulfilment, refundMoney, ship } from './fulfilment.ts'
import type { Order } from './order.ts'
import { quote } from './quote.ts'
import { grossOf } from './refund-shares.ts'
import {
  cancelReturn,
  decide,
  isAwaited,
  isOver,
  lapse,
  type ReturnRules,
  receive,
  requestReturn,
  returnOf,
  settle,
} from './returns.ts'
import { anyCase } from './testing/any-basket.ts'

const now = new Date('2026-11-28T12:00:00.000Z')
const after = (days: number) => new Date(now.getTime() + days * 86_400_000)
const rules: ReturnRules = { approvedUpTo: {}, answerSeconds: 14 * 86_400, goodsSeconds: 14 * 86_400 }
const sent: Fulfilment = {
  ...{ orderId: 'order', accountId: 'account', paymentId: 'payment', shipments: [], refunds: [] },
  lines: [{ sku: 'A', ordered: 3, shipped: 2, cancelled: 0 }],
  left: {
    currency: 'USD',
    lines: [{ sku: 'A', quantity: 3, discount: 0, net: 3000, tax: 0, gross: 3000 }],
    delivery: { discount: 0, net: 400, tax: 0, gross: 400 },
  },
}
const units = (quantity: number) => [{ sku: 'A', quantity }]
const ask = (before: Fulfilment, id: string, quantity: number, by = rules) =>
  requestReturn(before, { id, lines: units(quantity), reason: 'unwanted' }, by, now).fulfilment
const approved = decide(ask(sent, 'r', 2), 'r', 'approved', rules, now).fulfilment
const received = (condition: 'resellable' | 'damaged') => receive(approved, 'r', condition, now).fulfilment
const topics = ({ facts }: ReturnType<typeof settle>) => facts.map(({ definition }) => definition.topic)
const refused = (code: string) => (error: unknown) => error instanceof AppError && error.code === code
const statusIn = (fulfilment: Fulfilment) => returnOf(fulfilment, 'r').status

test('units that were sent can be returned, once at a time', () => {
  assert.throws(() => ask(sent, 'r', 3), refused('orders/more-than-sent'))
  const asked = ask(sent, 'r', 2)
  assert.equal(ask(asked, 'r', 2), asked)
  assert.throws(() => ask(asked, 's', 1), refused('orders/more-than-sent'))
  const { fulfilment } = decide(asked, 'r', 'rejected', rules, now)
  assert.equal(ask(fulfilment, 's', 2).returns?.length, 2)
})

test('nobody is asked about what is worth no more than the rule says, in its currency', () => {
  const upTo = (approvedUpTo: ReturnRules['approvedUpTo']) =>
    returnOf(ask(sent, 'r', 2, { ...rules, approvedUpTo }), 'r')
  assert.partialDeepStrictEqual(upTo({ USD: 2000 }), { status: 'approved', approvedBy: 'rule', amount: 2000 })
  assert.equal(upTo({ USD: 1999 }).status, 'requested')
  assert.equal(upTo({ EUR: 9999 }).status, 'requested')
})

test('what came back in order is sold again, what did not is written off; the money of both goes back, without the delivery', () => {
  const back = settle(received('resellable'), 'r', now)
  assert.deepEqual(topics(back), ['order.refund-requested', 'order.items-released'])
  assert.partialDeepStrictEqual(back.fulfilment.refunds, [
    { id: 'r', reason: 'goods-returned', amount: 2000, delivery: 0 },
  ])
  assert.equal(settle(back.fulfilment, 'r', now).fulfilment, back.fulfilment)
  const broken = settle(received('damaged'), 'r', now)
  assert.deepEqual(topics(broken), ['order.refund-requested'])
})

test('what was given back before the goods came is not given back again', () => {
  const { fulfilment } = refundMoney(received('resellable'), 'g', { lines: units(3) }, now)
  assert.deepEqual(topics(settle(fulfilment, 'r', now)), ['order.items-released'])
})

test('it lapses when nobody answers, and anew when no goods come, not a moment before', () => {
  const asked = ask(sent, 'r', 2)
  assert.equal(lapse(asked, 'r', after(13.99)).fulfilment, asked)
  assert.equal(statusIn(lapse(asked, 'r', after(14)).fulfilment), 'lapsed')
  const late = decide(asked, 'r', 'approved', rules, after(13)).fulfilment
  assert.equal(lapse(late, 'r', after(26.99)).fulfilment, late)
  const { fulfilment } = lapse(late, 'r', after(27))
  assert.equal(statusIn(fulfilment), 'lapsed')
  assert.throws(() => receive(fulfilment, 'r', 'resellable', now), refused('orders/return-over'))
  assert.equal(lapse(received('damaged'), 'r', after(99)).fulfilment.returns?.[0]?.status, 'received')
})

test('the same again changes nothing, another word is refused', () => {
  assert.equal(decide(approved, 'r', 'approved', rules, now).fulfilment, approved)
  assert.throws(() => decide(approved, 'r', 'rejected', rules, now), refused('orders/return-over'))
  const here = received('damaged')
  assert.equal(receive(here, 'r', 'damaged', now).fulfilment, here)
  assert.throws(() => receive(here, 'r', 'resellable', now), refused('orders/return-over'))
  assert.throws(() => cancelReturn(here, 'r', now), refused('orders/return-over'))
  assert.throws(() => cancelReturn(here, 's', now), refused('orders/return-not-found'))
})

const anyAct = fc.record({
  what: fc.constantFrom(
    'ship',
    'cancel-units',
    'refund',
    'ask',
    'decide',
    'receive',
    'cancel',
    'lapse',
    'settle',
  ),
  line: fc.nat({ max: 9 }),
  quantity: fc.integer({ min: 1, max: 3 }),
  of: fc.nat({ max: 5 }),
  yes: fc.boolean(),
})

test('whatever is done with an order and its returns: no unit comes back twice, and no more goes back than was paid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('EUR' as const, 'JPY' as const, 'KWD' as const).chain(anyCase),
      fc.array(anyAct, { maxLength: 25 }),
      ({ basket, settings, promotions }, acts) => {
        const { quote: cost } = quote(basket, settings, promotions)
        const lines = cost.lines.map(({ sku, quantity }) => ({ sku, quantity }))
        const payment = { id: 'p', status: 'captured' }
        let now: Fulfilment = begin({
          id: 'o',
          accountId: 'a',
          lines,
          quote: cost,
          payment,
        } as unknown as Order)
        let released = 0
        for (const [n, { what, line, quantity, of, yes }] of acts.entries()) {
          const { sku } = now.lines[line % now.lines.length] as Fulfilment['lines'][number]
          const some = [{ sku, quantity }]
          const known = now.returns ?? []
          const id = known[of % Math.max(1, known.length)]?.id ?? 'none'
          const at = after(n)
          const act = {
            ship: () =>
              ship(now, { id: `${n}`, lines: some, carrier: 'dhl', trackingNumber: 'J' }, 'all', at),
            'cancel-units': () => cancelUnits(now, `${n}`, some, at),
            refund: () => refundMoney(now, `${n}`, { lines: some }, at),
            ask: () => requestReturn(now, { id: `${n}`, lines: some, reason: 'other' }, rules, at),
            decide: () => decide(now, id, yes ? 'approved' : 'rejected', rules, at),
            receive: () => receive(now, id, yes ? 'resellable' : 'damaged', at),
            cancel: () => cancelReturn(now, id, at),
            lapse: () => lapse(now, id, at),
            settle: () => settle(now, id, at),
          }[what]
          try {
            const change = act()
            if (what === 'settle' && topics(change).includes('order.items-released')) released += 1
            now = change.fulfilment
          } catch (error) {
            if (!(error instanceof AppError && error.status < 500)) throw error
          }
          const back = now.refunds.reduce((sum, refund) => sum + refund.amount, 0)
          assert.equal(back + grossOf(now.left), cost.total)
          const live = (now.returns ?? []).filter(({ status }) => !isOver(status) || status === 'refunded')
          for (const { sku, shipped } of now.lines) {
            const units = live.flatMap((each) => each.lines.filter((one) => one.sku === sku))
            assert.ok(units.reduce((sum, one) => sum + one.quantity, 0) <= shipped)
          }
          for (const { status, until } of now.returns ?? [])
            assert.equal(until !== undefined, isAwaited(status))
        }
        const again = (now.returns ?? []).filter(
          ({ status, condition }) => status === 'refunded' && condition === 'resellable',
        )
        assert.equal(again.length, released)
      },
    ),
    { numRuns: 1000 },
  )
})
