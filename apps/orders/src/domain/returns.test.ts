import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '@caravan/service-kit/errors'
import fc from 'fast-check'
import {
  begin,
  cancelUnits,
  type Fulfilment,
  type FulfilmentChange,
  refundMoney,
  ship,
} from './fulfilment.ts'
import type { Order } from './order.ts'
import { quote } from './quote.ts'
import { grossOf } from './refund-shares.ts'
import {
  cancelReturn,
  decide,
  findReturn,
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

test('goods are exchanged for what costs no more: what they cost less goes back, the rest is of the new ones', () => {
  const wanting = (sku: string, unitPrice: number) => {
    const wanted = {
      id: 'r',
      lines: units(2),
      reason: 'wrong-item',
      exchangeFor: { sku, unitPrice, currency: 'USD' },
    }
    return requestReturn(sent, wanted as Parameters<typeof requestReturn>[1], rules, now).fulfilment
  }
  assert.throws(() => wanting('B', 1001), refused('orders/exchange-costs-more'))
  assert.deepEqual(returnOf(wanting('A', 1001), 'r').exchange, { sku: 'A', quantity: 2, price: 2000 })
  const here = receive(
    decide(wanting('B', 700), 'r', 'approved', rules, now).fulfilment,
    'r',
    'damaged',
    now,
  ).fulfilment
  const { fulfilment } = settle(here, 'r', now, { sold: true, seller: 's' })
  assert.equal(statusIn(fulfilment), 'exchanged')
  assert.partialDeepStrictEqual(fulfilment.refunds, [
    { amount: 600, lines: [{ sku: 'A', quantity: 2, amount: 600 }] },
  ])
  assert.deepEqual(fulfilment.lines.at(-1), {
    sku: 'B',
    seller: 's',
    ordered: 2,
    exchanged: 2,
    shipped: 0,
    cancelled: 0,
  })
  assert.partialDeepStrictEqual(fulfilment.left.lines.at(-1), { sku: 'B', quantity: 2, gross: 1400 })
  const again = cancelUnits(fulfilment, 'c', [{ sku: 'B', quantity: 2 }], now).fulfilment
  assert.equal(again.refunds.at(-1)?.lines.at(-1)?.amount, 1400)
  assert.equal(statusIn(settle(here, 'r', now, { sold: false }).fulfilment), 'refunded')
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
    ...([
      'ship',
      'ask',
      'go-on',
      'ship',
      'ask',
      'go-on',
      'go-on',
      'go-on',
      'refund',
      'cancel-units',
    ] as const),
    ...(['decide', 'receive', 'cancel', 'lapse', 'settle'] as const),
  ),
  line: fc.nat({ max: 1 }),
  quantity: fc.integer({ min: 1, max: 2 }),
  price: fc.nat({ max: 2000 }),
  of: fc.nat({ max: 2 }),
  yes: fc.boolean(),
})

const isDone = (status: string) => status === 'refunded' || status === 'exchanged'

test('whatever is done with an order and its returns: no unit comes back twice, and no more goes back than was paid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('EUR' as const, 'JPY' as const, 'KWD' as const).chain(anyCase),
      fc.array(anyAct, { minLength: 20, maxLength: 60, size: 'max' }),
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
        for (const [n, { what, line, quantity, of, yes, price }] of acts.entries()) {
          const { sku } = now.lines[line % now.lines.length] as Fulfilment['lines'][number]
          const some = [{ sku, quantity }]
          const known = now.returns ?? []
          const id = known[of % Math.max(1, known.length)]?.id ?? 'none'
          const at = after(n)
          const exchangeFor = yes ? { sku: 'INSTEAD', unitPrice: price, currency: cost.currency } : undefined
          const goOn = {
            requested: () => decide(now, id, 'approved', rules, at),
            approved: () => receive(now, id, yes ? 'resellable' : 'damaged', at),
          } as Record<string, () => FulfilmentChange>
          const steps: Record<typeof what, () => FulfilmentChange> = {
            'go-on': goOn[findReturn(now, id)?.status ?? ''] ?? (() => settle(now, id, at, { sold: yes })),
            ship: () =>
              ship(now, { id: `${n}`, lines: some, carrier: 'dhl', trackingNumber: 'J' }, 'all', at),
            'cancel-units': () => cancelUnits(now, `${n}`, some, at),
            refund: () => refundMoney(now, `${n}`, { lines: some }, at),
            ask: () =>
              requestReturn(now, { id: `${n}`, lines: some, reason: 'other', exchangeFor }, rules, at),
            decide: () => decide(now, id, yes ? 'approved' : 'rejected', rules, at),
            receive: () => receive(now, id, yes ? 'resellable' : 'damaged', at),
            cancel: () => cancelReturn(now, id, at),
            lapse: () => lapse(now, id, at),
            settle: () => settle(now, id, at, { sold: yes }),
          }
          try {
            const change = steps[what]()
            if (what !== 'cancel-units' && topics(change).includes('order.items-released')) released += 1
            now = change.fulfilment
          } catch (error) {
            if (!(error instanceof AppError && error.status < 500)) throw error
          }
          const back = now.refunds.reduce((sum, refund) => sum + refund.amount, 0)
          assert.equal(back + grossOf(now.left), cost.total)
          const live = (now.returns ?? []).filter(({ status }) => !isOver(status) || isDone(status))
          for (const { sku, shipped } of now.lines) {
            const units = live.flatMap((each) => each.lines.filter((one) => one.sku === sku))
            assert.ok(units.reduce((sum, one) => sum + one.quantity, 0) <= shipped)
          }
          for (const { status, until } of now.returns ?? [])
            assert.equal(until !== undefined, isAwaited(status))
        }
        const again = (now.returns ?? []).filter(
          ({ status, condition }) => isDone(status) && condition === 'resellable',
        )
        assert.equal(again.length, released)
      },
    ),
    { numRuns: 500 },
  )
})
