import type { Address, CancelReason, OrderLine, OrderStatus } from '@caravan/contracts/orders'
import {
  orderCancelled,
  orderConfirmed,
  orderPaid,
  orderPlaced,
  orderRefundDue,
} from '@caravan/contracts/orders'
import { AppError } from '@caravan/service-kit/errors'
import { type Fact, fact } from '@caravan/service-kit/outbox'

export interface Order {
  readonly id: string
  readonly accountId: string
  readonly status: OrderStatus
  readonly currency: string
  /** Minor units. */
  readonly total: number
  readonly lines: readonly OrderLine[]
  readonly shippingAddress: Address
  readonly placedAt: Date
  readonly payBefore: Date
  readonly cancelReason?: CancelReason
  readonly payment?: { readonly id: string; readonly status: 'captured' | 'refund-due' | 'refunded' }
  readonly history: readonly { readonly what: string; readonly at: string }[]
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

const note = (order: Order, what: string, now: Date): Order['history'] => [
  ...order.history,
  { what, at: now.toISOString() },
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
  readonly currency: string
  readonly lines: readonly OrderLine[]
  readonly shippingAddress: Address
}

export const place = (placement: Placement, now: Date, paymentWindowSeconds: number): Change => {
  const total = placement.lines.reduce((sum, line) => sum + line.total, 0)
  const order: Order = {
    ...placement,
    status: 'pending-payment',
    total,
    placedAt: now,
    payBefore: new Date(now.getTime() + paymentWindowSeconds * 1000),
    history: [{ what: 'placed', at: now.toISOString() }],
  }
  const data = {
    orderId: order.id,
    accountId: order.accountId,
    total: { amount: total, currency: order.currency },
    items: itemsOf(order),
  }
  return { order, facts: [fact(orderPlaced, data)] }
}

const refundDue = (order: Order, paymentId: string, reason: CancelReason) =>
  fact(orderRefundDue, { orderId: order.id, paymentId, reason })

/**
 * The money of an order is captured. One that was cancelled meanwhile gets it back, and so does a second payment of an
 * order that has one.
 */
export const capture = (order: Order, paymentId: string, now: Date): Change => {
  if (order.payment?.id === paymentId) return same(order)
  if (order.payment) {
    return {
      order: { ...order, history: note(order, 'second-payment-refund-due', now) },
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
  const data = { orderId: order.id, accountId: order.accountId, paymentId, items: itemsOf(order) }
  return { order: paid, facts: [fact(orderPaid, data)] }
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

/** A paid order whose stock is gone: cancelled, and the money goes back. */
export const failFulfilment = (order: Order, now: Date): Change => {
  if (order.status !== 'paid' || !order.payment) return same(order)
  const change = cancelled(order, 'out-of-stock', now)
  return {
    order: {
      ...change.order,
      payment: { id: order.payment.id, status: 'refund-due' },
      history: note(change.order, 'refund-due', now),
    },
    facts: [...change.facts, refundDue(order, order.payment.id, 'out-of-stock')],
  }
}

export const refund = (order: Order, paymentId: string, now: Date): Change => {
  const history = note(order, order.payment?.id === paymentId ? 'refunded' : 'second-payment-refunded', now)
  if (order.payment?.id !== paymentId) return { order: { ...order, history }, facts: [] }
  if (order.payment.status === 'refunded') return same(order)
  return { order: { ...order, payment: { id: paymentId, status: 'refunded' }, history }, facts: [] }
}
