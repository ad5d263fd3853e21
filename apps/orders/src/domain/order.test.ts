import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderRefundDue } from '@caravan/contracts/orders'
import { AppError } from '@caravan/service-kit/errors'
import fc from 'fast-check'
import {
  type Change,
  cancel,
  capture,
  confirm,
  failFulfilment,
  isWaiting,
  type Order,
  openRefunds,
  place,
  refund,
  transitions,
} from './order.ts'
import { plainQuote } from './testing/plain-quote.ts'

const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const [first, second] = [id(901), id(902)]
const start = new Date('2026-11-01T08:00:00.000Z')

const anyLines = fc.uniqueArray(
  fc
    .record({
      sku: fc.stringMatching(/^[A-Z]{3,6}$/),
      quantity: fc.integer({ min: 1, max: 1000 }),
      unitPrice: fc.integer({ min: 1, max: 1_000_000_000 }),
    })
    .map((line) => ({
      ...line,
      productId: id(1),
      title: { en: 'Thing', zh: '物' },
      total: line.unitPrice * line.quantity,
    })),
  { selector: ({ sku }) => sku, minLength: 1, maxLength: 100 },
)

const address = { name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' }

const placed = (lines = fc.sample(anyLines, { numRuns: 1, seed: 1 })[0] ?? []): Change =>
  place({ id: id(1), accountId: id(2), quote: plainQuote(lines), shippingAddress: address }, start, 1800)

type Action = readonly [name: string, apply: (order: Order, now: Date) => Change]

const actions: readonly Action[] = [
  ['the shopper cancels', (order, now) => cancel(order, 'shopper', now)],
  ['nobody paid in time', (order, now) => cancel(order, 'unpaid', now)],
  ['a payment is captured', (order, now) => capture(order, first, now)],
  ['the payment is refunded', (order, now) => refund(order, first, now)],
  ['the stock is sold', confirm],
  ['the stock is gone', failFulfilment],
  ['a second payment is captured', (order, now) => capture(order, second, now)],
  ['the second payment is refunded', (order, now) => refund(order, second, now)],
]
/** What may come of one payment. */
const ofOnePayment = actions.slice(0, 6)

const anyStory = (of: readonly Action[]) => fc.array(fc.constantFrom(...of), { maxLength: 12 })

/** Applies an action; a refusal leaves all as it was, and only a cancellation of a paid order is refused. */
const attempt = (order: Order, [name, apply]: Action, now: Date): Change => {
  try {
    return apply(order, now)
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'orders/not-cancellable', `${name}: ${error}`)
    assert.ok(order.status === 'paid' || order.status === 'confirmed', `${name} at ${order.status}`)
    return { order, facts: [] }
  }
}

/** The order after each action, one second apart unless said otherwise, with all facts so far. */
const tell = (begin: Change, story: readonly Action[], secondsAt = (n: number) => n): Change[] => {
  const steps = [begin]
  for (const [n, action] of story.entries()) {
    const { order, facts } = steps[n] as Change
    const next = attempt(order, action, new Date(start.getTime() + 1000 * secondsAt(n + 1)))
    steps.push({ order: next.order, facts: [...facts, ...next.facts] })
  }
  return steps
}

const refundsDue = ({ facts }: Change, paymentId: string): number =>
  facts.filter(
    ({ definition, data }) =>
      definition.topic === orderRefundDue.topic && (data as { paymentId: string }).paymentId === paymentId,
  ).length

test('an order’s total is the sum of its lines, and its facts say the same', () => {
  fc.assert(
    fc.property(anyLines, (lines) => {
      const { order, facts } = placed(lines)
      const sum = lines.reduce((total, { unitPrice, quantity }) => total + BigInt(unitPrice * quantity), 0n)
      assert.equal(BigInt(order.total), sum)
      assert.deepEqual(
        facts.map(({ definition }) => definition.topic),
        ['order.placed'],
      )
      assert.partialDeepStrictEqual(facts[0]?.data, {
        total: { amount: order.total, currency: 'USD' },
        items: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      })
    }),
  )
})

test('an order is paid within its window', () => {
  const { order } = placed()
  assert.equal(order.payBefore.getTime() - order.placedAt.getTime(), 1_800_000)
})

test('whatever happens, in any order, a status goes only where the table lets it', () => {
  fc.assert(
    fc.property(anyStory(actions), (story) => {
      const steps = tell(placed(), story)
      for (const [n, { order }] of steps.entries()) {
        const before = steps[n - 1]?.order
        if (!before || before.status === order.status) continue
        assert.ok(transitions[before.status].includes(order.status), `${before.status} → ${order.status}`)
      }
    }),
    { numRuns: 1000 },
  )
})

test('the history only grows, in order of time whatever the clock does, and tells each status once', () => {
  fc.assert(
    fc.property(anyStory(actions), fc.func(fc.integer({ min: -3600, max: 3600 })), (story, clock) => {
      const steps = tell(placed(), story, clock)
      for (const [n, { order }] of steps.entries()) {
        const before = steps[n - 1]?.order.history ?? []
        assert.deepEqual(order.history.slice(0, before.length), before)
        const times = order.history.map(({ at }) => at)
        assert.deepEqual(times, times.toSorted())
      }
      const visited = steps.map(({ order }) => order.status).filter((status, n, all) => status !== all[n - 1])
      const told = steps.at(-1)?.order.history.map(({ what }) => what)
      assert.deepEqual(
        told?.filter((what) => what in transitions),
        visited.slice(1),
      )
    }),
    { numRuns: 1000 },
  )
})

test('money is due back exactly when it was captured and the order is cancelled', () => {
  fc.assert(
    fc.property(anyStory(ofOnePayment), (story) => {
      for (const step of tell(placed(), story)) {
        const { status, payment } = step.order
        assert.equal(refundsDue(step, first), status === 'cancelled' && payment ? 1 : 0)
      }
    }),
    { numRuns: 1000 },
  )
})

test('of two payments of one order one is due back, and both when it is cancelled', () => {
  fc.assert(
    fc.property(anyStory(actions.slice(0, 7)), (story) => {
      const steps = tell(placed(), story)
      const last = steps.at(-1) as Change
      const taken = [first, second].filter((paymentId) =>
        story.some(([name]) => name === `a ${paymentId === first ? '' : 'second '}payment is captured`),
      )
      const owed = taken.filter((paymentId) => refundsDue(last, paymentId) > 0)
      if (last.order.status === 'cancelled') assert.deepEqual(owed, taken)
      else assert.equal(owed.length, Math.max(0, taken.length - 1))
    }),
    { numRuns: 1000 },
  )
})

test('an order waits while it is paid, and while money that is due back has not come back', () => {
  fc.assert(
    fc.property(anyStory(actions), (story) => {
      for (const step of tell(placed(), story)) {
        const { order } = step
        const came = (payment: string) =>
          order.payment?.id === payment
            ? order.payment.status === 'refunded'
            : order.history.some(
                (entry) => entry.what === 'second-payment-refunded' && entry.payment === payment,
              )
        const open = [first, second].filter((payment) => refundsDue(step, payment) > 0 && !came(payment))
        assert.deepEqual(openRefunds(order).toSorted(), open)
        assert.equal(isWaiting(order), order.status === 'paid' || open.length > 0)
      }
    }),
    { numRuns: 1000 },
  )
})

test('what comes a second time changes nothing', () => {
  fc.assert(
    fc.property(anyStory(actions), fc.constantFrom(...actions), (story, action) => {
      const { order } = tell(placed(), story).at(-1) as Change
      const once = attempt(order, action, start).order
      const twice = attempt(once, action, start)
      assert.equal(twice.order, once)
      assert.deepEqual(twice.facts, [])
    }),
    { numRuns: 1000 },
  )
})

test('the lines, the total and the address of a placed order never change', () => {
  fc.assert(
    fc.property(anyStory(actions), (story) => {
      const begin = placed()
      const { order } = tell(begin, story).at(-1) as Change
      const frozen = ({ lines, total, shippingAddress, accountId, placedAt, payBefore }: Order) => ({
        lines,
        total,
        shippingAddress,
        accountId,
        placedAt,
        payBefore,
      })
      assert.deepEqual(frozen(order), frozen(begin.order))
    }),
  )
})

test('every fact is a valid event of its topic', () => {
  fc.assert(
    fc.property(anyStory(actions), (story) => {
      for (const { definition, data } of tell(placed(), story).at(-1)?.facts ?? []) {
        const parsed = definition.data.safeParse(data)
        assert.ok(parsed.success, `${definition.topic}: ${parsed.error}`)
        assert.deepEqual(parsed.data, data)
      }
    }),
  )
})

test('a paid order is not cancelled by its shopper', () => {
  const { order } = capture(placed().order, first, start)
  assert.throws(() => cancel(order, 'shopper', start), { code: 'orders/not-cancellable', status: 409 })
})

const topicsOf = ({ facts }: Change) => facts.map(({ definition }) => definition.topic)
const gift = (): Change => {
  const lines = fc.sample(anyLines, { numRuns: 1, seed: 1 })[0] ?? []
  const quote = { ...plainQuote(lines), total: 0, net: 0 }
  return place({ id: id(1), accountId: id(2), quote, shippingAddress: address }, start, 1800)
}

test('an order of which nothing is to be paid is paid as it is placed, without a payment, and waits for its stock', () => {
  const begin = gift()
  assert.deepEqual(topicsOf(begin), ['order.placed', 'order.paid'])
  assert.ok(!Object.keys(begin.facts[1]?.data ?? {}).includes('paymentId'))
  assert.equal(isWaiting(begin.order), true)
  assert.deepEqual(topicsOf(confirm(begin.order, start)), ['order.confirmed'])
})

test('an order without a payment whose stock is gone is cancelled, and nothing is due back', () => {
  const { order, facts } = failFulfilment(gift().order, start)
  assert.equal(order.status, 'cancelled')
  assert.deepEqual(topicsOf({ order, facts }), ['order.cancelled'])
  assert.deepEqual(openRefunds(order), [])
})

test('money that was captured for an order of which nothing was to be paid goes back', () => {
  for (const { order } of [gift(), confirm(gift().order, start)]) {
    const charged = capture(order, first, start)
    assert.equal(refundsDue(charged, first), 1)
    assert.deepEqual(openRefunds(charged.order), [first])
    assert.equal(capture(charged.order, first, start).order, charged.order)
    assert.deepEqual(openRefunds(refund(charged.order, first, start).order), [])
  }
})

test('paid, then sold: the order is confirmed', () => {
  const last = tell(placed(), [actions[2] as Action, actions[4] as Action]).at(-1) as Change
  assert.deepEqual(
    last.facts.map(({ definition }) => definition.topic),
    ['order.placed', 'order.paid', 'order.confirmed'],
  )
  assert.deepEqual(
    last.order.history.map(({ what }) => what),
    ['placed', 'paid', 'confirmed'],
  )
})
