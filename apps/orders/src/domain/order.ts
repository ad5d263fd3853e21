import type { Address } from '@caravan/contracts/address'
import type { CancelReason, OrderLine, OrderStatus } from '@caravan/contracts/orders'
import {
  orderCancelled,
  orderConfirmed,
  orderPaid,
  orderPlaced,
  orderRefundDue,
} from '@caravan/contracts/orders'
import type { Quote, QuoteLine } from '@caravan/contracts/quotes'
import { AppError } from '@caravan/service-kit/errors'
import { type Fact, fact } from '@caravan/service-kit/outbox'
import { orderNumberOf } from './order-number.ts'

export interface Order {
  readonly id: string
  /** Absent in an order from before there were numbers, until it gets one. */
  readonly number?: string
  readonly accountId: string
  readonly status: OrderStatus
  readonly currency: string
  /** Minor units. */
  readonly total: number
  readonly lines: readonly OrderLine[]
  /** What it costs, part by part. Absent in an order from before there were quotes. */
  readonly quote?: Quote
  readonly shippingAddress: Address
  readonly placedAt: Date
  readonly payBefore: Date
  readonly cancelReason?: CancelReason
  readonly payment?: { readonly id: string; readonly status: 'captured' | 'refund-due' | 'refunded' }
  readonly history: readonly Entry[]
}

interface Entry {
  readonly what: string
  readonly at: string
  /** Which second payment it is about. */
  readonly payment?: string
  /** Of the request or event that did it. */
  readonly traceId?: string | undefined
}

/** What a change leaves: the order, and the facts to publish with it. The same order object means that nothing changed. */
export interface Change {
  readonly order: Order
  readonly facts: readonly Fact[]
}

/** The only legal moves. */
export const transitions: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  'pending-payment': ['paid', 'cancelled'],
  paid: ['confirmed', 'cancelled'],
  confirmed: [],
  cancelled: [],
}

const same = (order: Order): Change => ({ order, facts: [] })

/** One entry more, never before the last: clocks of two replicas differ, and one may be set back. */
const note = (order: Order, what: string, now: Date, payment?: string): Order['history'] => {
  const last = order.history.at(-1)?.at ?? ''
  const at = now.toISOString()
  return [...order.history, { what, at: at < last ? last : at, ...(payment ? { payment } : {}) }]
}

/** Payments beside the order's own one about which the history says this. */
const secondPayments = ({ history }: Order, what: string): string[] =>
  history.flatMap((entry) => (entry.what === what && entry.payment ? [entry.payment] : []))

/** The payments whose money is to go back, as far as is known here. */
export const openRefunds = (order: Order): string[] => {
  const back = new Set(secondPayments(order, 'second-payment-refunded'))
  return [
    ...(order.payment?.status === 'refund-due' ? [order.payment.id] : []),
    ...secondPayments(order, 'second-payment-refund-due').filter((paymentId) => !back.has(paymentId)),
  ]
}

/** Whether an answer is missing: a paid order waits for its stock, an open refund for its end. */
export const isWaiting = (order: Order): boolean => order.status === 'paid' || openRefunds(order).length > 0

/**
 * When an order of a closed account has no use for its address any more. Undefined while it may still be sent, or its money is on
 * the way back; what is confirmed is being delivered for so many days.
 */
export const addressUntil = (order: Order, deliveryDays: number): Date | undefined => {
  if (openRefunds(order).length > 0) return undefined
  const ended = order.history.findLast(({ what }) => what === order.status)?.at ?? ''
  if (order.status === 'cancelled') return new Date(ended)
  if (order.status === 'confirmed') return new Date(Date.parse(ended) + deliveryDays * 86_400_000)
  return undefined
}

/** Units of stock, of all lines. */
export const unitsOf = (lines: readonly Pick<OrderLine, 'quantity'>[]): number =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0)

export const sellersOf = ({ quote }: Order): string[] => [
  ...new Set(quote?.lines.flatMap(({ seller }) => seller ?? [])),
]

const move = (order: Order, status: OrderStatus, now: Date): Order => {
  if (!transitions[order.status].includes(status))
    throw new Error(`an order cannot go ${order.status} → ${status}`)
  return { ...order, status, history: note(order, status, now) }
}

const itemsOf = (order: Order) => order.lines.map(({ sku, quantity }) => ({ sku, quantity }))

export interface Placement {
  readonly id: string
  readonly accountId: string
  readonly quote: Quote
  readonly shippingAddress: Address
}

const lineOf = ({ sku, productId, title, quantity, unitPrice, subtotal }: QuoteLine): OrderLine => ({
  ...{ sku, productId, title, quantity, unitPrice },
  total: subtotal,
})

/** A paid order: its stock may be sold. */
const paidFact = (order: Order, paymentId?: string) => {
  const { id: orderId, accountId } = order
  return fact(orderPaid, { orderId, accountId, items: itemsOf(order), ...(paymentId ? { paymentId } : {}) })
}

/** One of which nothing is to be paid is paid at once. */
export const place = (
  { quote, ...placement }: Placement,
  now: Date,
  paymentWindowSeconds: number,
): Change => {
  const { currency, total } = quote
  const number = orderNumberOf(placement.id)
  const order: Order = {
    ...placement,
    number,
    status: 'pending-payment',
    ...{ currency, total, quote, lines: quote.lines.map(lineOf) },
    placedAt: now,
    payBefore: new Date(now.getTime() + paymentWindowSeconds * 1000),
    history: [{ what: 'placed', at: now.toISOString() }],
  }
  const data = {
    orderId: order.id,
    number,
    accountId: order.accountId,
    total: { amount: total, currency },
    items: itemsOf(order),
  }
  const placed = fact(orderPlaced, data)
  if (total > 0) return { order, facts: [placed] }
  const paid = move(order, 'paid', now)
  return { order: paid, facts: [placed, paidFact(paid)] }
}

/** A placement under its next number: another order has that of the attempt before. */
export const renumber = ({ order, facts }: Change, attempt: number): Change => {
  const number = orderNumberOf(order.id, attempt)
  const told = facts.map((each) =>
    each.definition === orderPlaced ? { ...each, data: { ...(each.data as object), number } } : each,
  )
  return { order: { ...order, number }, facts: told }
}

const refundDue = (order: Order, paymentId: string, reason: CancelReason) =>
  fact(orderRefundDue, { orderId: order.id, paymentId, reason })

/**
 * The money of an order is captured. One that was cancelled meanwhile gets it back, and so does a second payment of an
 * order that has one, and any of one that needed none.
 */
export const capture = (order: Order, paymentId: string, now: Date): Change => {
  if (order.payment?.id === paymentId) return same(order)
  if (order.payment || order.status === 'paid' || order.status === 'confirmed') {
    if (secondPayments(order, 'second-payment-refund-due').includes(paymentId)) return same(order)
    return {
      order: { ...order, history: note(order, 'second-payment-refund-due', now, paymentId) },
      facts: [refundDue(order, paymentId, order.cancelReason ?? 'shopper')],
    }
  }
  if (order.status === 'cancelled') {
    return {
      order: {
        ...order,
        payment: { id: paymentId, status: 'refund-due' },
        history: note(order, 'refund-due', now),
      },
      facts: [refundDue(order, paymentId, order.cancelReason ?? 'shopper')],
    }
  }
  const paid = { ...move(order, 'paid', now), payment: { id: paymentId, status: 'captured' as const } }
  return { order: paid, facts: [paidFact(paid, paymentId)] }
}

/** The stock of a paid order is sold. */
export const confirm = (order: Order, now: Date): Change => {
  if (order.status !== 'paid') return same(order)
  return {
    order: move(order, 'confirmed', now),
    facts: [fact(orderConfirmed, { orderId: order.id, accountId: order.accountId })],
  }
}

const cancelled = (order: Order, reason: CancelReason, now: Date): Change => ({
  order: { ...move(order, 'cancelled', now), cancelReason: reason },
  facts: [fact(orderCancelled, { orderId: order.id, accountId: order.accountId, reason })],
})

/** By the shopper, or because nobody paid in time. Throws 409 once it is paid. */
export const cancel = (order: Order, reason: CancelReason, now: Date): Change => {
  if (order.status === 'cancelled') return same(order)
  if (order.status !== 'pending-payment') {
    throw new AppError('conflict', 'orders/not-cancellable', `A ${order.status} order cannot be cancelled`)
  }
  return cancelled(order, reason, now)
}

/** A paid order whose stock is gone: cancelled, and the money, if any was paid, goes back. */
export const failFulfilment = (order: Order, now: Date): Change => {
  if (order.status !== 'paid') return same(order)
  const change = cancelled(order, 'out-of-stock', now)
  if (!order.payment) return change
  return {
    order: {
      ...change.order,
      payment: { id: order.payment.id, status: 'refund-due' },
      history: note(change.order, 'refund-due', now),
    },
    facts: [...change.facts, refundDue(order, order.payment.id, 'out-of-stock')],
  }
}

/** A payment's money went back. */
export const refund = (order: Order, paymentId: string, now: Date): Change => {
  if (order.payment?.id === paymentId) {
    if (order.payment.status === 'refunded') return same(order)
    const payment = { id: paymentId, status: 'refunded' } as const
    return { order: { ...order, payment, history: note(order, 'refunded', now) }, facts: [] }
  }
  if (secondPayments(order, 'second-payment-refunded').includes(paymentId)) return same(order)
  return {
    order: { ...order, history: note(order, 'second-payment-refunded', now, paymentId) },
    facts: [],
  }
}
