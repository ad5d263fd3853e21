import { orderItemsReleased } from '@caravan/contracts/fulfilment'
import { chargeStep } from '@caravan/contracts/price'
import type { OrderReturn, ReturnStatus } from '@caravan/contracts/returns'
import { AppError } from '@caravan/service-kit/errors'
import { fact } from '@caravan/service-kit/outbox'
import {
  assertRoom,
  type Fulfilment,
  type FulfilmentChange,
  giveBack,
  same,
  summed,
  type Units,
  unitsLeft,
  unitsOf,
} from './fulfilment.ts'
import { grossOf, putBack, takeUnits } from './refund-shares.ts'

/** How a shop takes goods back. */
export interface ReturnRules {
  /** By currency, minor units up to which nobody is asked. */
  readonly approvedUpTo: Readonly<Record<string, number>>
  /** To answer what is requested. */
  readonly answerSeconds: number
  /** From the approval until the goods are here. */
  readonly goodsSeconds: number
}

/** The only legal moves. */
export const transitions: Readonly<Record<ReturnStatus, readonly ReturnStatus[]>> = {
  requested: ['approved', 'rejected', 'cancelled', 'lapsed'],
  approved: ['received', 'cancelled', 'lapsed'],
  received: ['refunded', 'exchanged'],
  refunded: [],
  exchanged: [],
  rejected: [],
  cancelled: [],
  lapsed: [],
}

/** Whether somebody is waited for. */
export const isAwaited = (status: ReturnStatus): boolean => status === 'requested' || status === 'approved'
export const isOver = (status: ReturnStatus): boolean => transitions[status].length === 0
const gaveUp: ReadonlySet<ReturnStatus> = new Set(['rejected', 'cancelled', 'lapsed'])

export const findReturn = ({ returns }: Fulfilment, id: string): OrderReturn | undefined =>
  returns?.find((each) => each.id === id)

/** Throws 404 where the order has no such return. */
export const returnOf = (fulfilment: Fulfilment, id: string): OrderReturn => {
  const found = findReturn(fulfilment, id)
  if (found) return found
  throw new AppError('not-found', 'orders/return-not-found', 'This order has no such return')
}

/** Units of a line that were sent and are in no return. */
const returnableOf = ({ lines, returns = [] }: Fulfilment, sku: string): number => {
  const shipped = lines.find((line) => line.sku === sku)?.shipped ?? 0
  const open = returns.filter(({ status }) => !gaveUp.has(status)).flatMap((each) => each.lines)
  return open.reduce((left, line) => (line.sku === sku ? left - line.quantity : left), shipped)
}

const later = (now: Date, seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString()

interface Offered {
  readonly sku: string
  readonly unitPrice: number
  readonly currency: string
}

export interface ReturnRequest extends Pick<OrderReturn, 'id' | 'reason' | 'comment'> {
  readonly lines: Units
  /** What is wanted instead, as it is offered now. */
  readonly exchangeFor?: Offered | undefined
}

/** As many units as come back. The same SKU is never dearer than it was. */
const exchangeOf = (
  units: ReadonlyMap<string, number>,
  amount: number,
  { sku, unitPrice, currency }: Offered,
): NonNullable<OrderReturn['exchange']> => {
  const quantity = [...units.values()].reduce((sum, some) => sum + some, 0)
  const isSame = units.size === 1 && units.has(sku)
  const asked = isSame ? Math.min(amount, unitPrice * quantity) : unitPrice * quantity
  const price = asked - (asked % chargeStep(currency))
  if (price <= amount) return { sku, quantity, price }
  throw new AppError(
    'conflict',
    'orders/exchange-costs-more',
    `${quantity} ${sku} cost ${price}, not ${amount}`,
  )
}

/** Of an order, so that a return is not divided to pass the rule. */
const approvedByRule = ({ returns = [] }: Fulfilment): number =>
  returns
    .filter(
      ({ approvedBy, status }) => approvedBy === 'rule' && status !== 'cancelled' && status !== 'lapsed',
    )
    .reduce((sum, { amount }) => sum + amount, 0)

/** Goods are to come back; by rule that is approved at once. One effect an id. Throws 409 for more units than can be returned. */
export const requestReturn = (
  before: Fulfilment,
  { id, lines, exchangeFor, ...why }: ReturnRequest,
  rules: ReturnRules,
  now: Date,
): FulfilmentChange => {
  if (findReturn(before, id)) return same(before)
  assertRoom(before.returns)
  const units = summed(lines)
  const errors = lines.flatMap(({ sku }, index) => {
    const left = returnableOf(before, sku)
    return Number(units.get(sku)) > left
      ? [{ pointer: `/lines/${index}/quantity`, detail: `${left} can be returned` }]
      : []
  })
  if (errors.length > 0)
    throw new AppError('conflict', 'orders/more-than-sent', 'Not so many units can be returned', { errors })
  const amount = grossOf(takeUnits(before.left, unitsLeft(before.left, units)).part)
  const byRule = amount + approvedByRule(before) <= (rules.approvedUpTo[before.left.currency] ?? -1)
  const at = now.toISOString()
  const made: OrderReturn = {
    ...{ id, orderId: before.orderId, ...why, lines: unitsOf(units), amount, requestedAt: at, statusAt: at },
    ...(exchangeFor ? { exchange: exchangeOf(units, amount, exchangeFor) } : {}),
    ...(byRule
      ? { status: 'approved', approvedBy: 'rule', until: later(now, rules.goodsSeconds) }
      : { status: 'requested', until: later(now, rules.answerSeconds) }),
  }
  return { fulfilment: { ...before, returns: [...(before.returns ?? []), made] }, facts: [] }
}

/** Throws 409 for what is no legal move. */
const move = (
  before: Fulfilment,
  { until: _, ...known }: OrderReturn,
  status: ReturnStatus,
  now: Date,
  more: Partial<OrderReturn> = {},
): Fulfilment => {
  if (!transitions[known.status].includes(status))
    throw new AppError('conflict', 'orders/return-over', `This return is ${known.status}`)
  const moved: OrderReturn = { ...known, status, statusAt: now.toISOString(), ...more }
  return { ...before, returns: before.returns?.map((each) => (each.id === known.id ? moved : each)) ?? [] }
}

export const decide = (
  before: Fulfilment,
  id: string,
  decision: 'approved' | 'rejected',
  { goodsSeconds }: ReturnRules,
  now: Date,
): FulfilmentChange => {
  const known = returnOf(before, id)
  if (known.status === decision) return same(before)
  const approval = { approvedBy: 'staff', until: later(now, goodsSeconds) } as const
  const more = decision === 'approved' ? approval : {}
  return { fulfilment: move(before, known, decision, now, more), facts: [] }
}

export const cancelReturn = (before: Fulfilment, id: string, now: Date): FulfilmentChange => {
  const known = returnOf(before, id)
  if (known.status === 'cancelled') return same(before)
  return { fulfilment: move(before, known, 'cancelled', now), facts: [] }
}

/** The goods are here. What is not resellable is written off: it stays sold. */
export const receive = (
  before: Fulfilment,
  id: string,
  condition: NonNullable<OrderReturn['condition']>,
  now: Date,
): FulfilmentChange => {
  const known = returnOf(before, id)
  if (known.condition === condition) return same(before)
  return { fulfilment: move(before, known, 'received', now, { condition }), facts: [] }
}

/** Ends what nobody answered, or sent, in time. It changes nothing else. */
export const lapse = (before: Fulfilment, id: string, now: Date): FulfilmentChange => {
  const known = returnOf(before, id)
  if (!known.until || known.until > now.toISOString()) return same(before)
  return { fulfilment: move(before, known, 'lapsed', now), facts: [] }
}

/** The units of an exchange are ordered, and open; of the seller that offers them. */
const ordered = (
  lines: Fulfilment['lines'],
  { sku, quantity }: Units[number],
  seller?: string,
): Fulfilment['lines'] => {
  const known = lines.some((line) => line.sku === sku)
  const all = known ? lines : [...lines, { sku, seller, ordered: 0, shipped: 0, cancelled: 0 }]
  return all.map((line) =>
    line.sku === sku
      ? { ...line, ordered: line.ordered + quantity, exchanged: (line.exchanged ?? 0) + quantity }
      : line,
  )
}

/** What came of an exchange: its units are sold to this order, or they are not to be had. */
export interface Exchanged {
  readonly sold: boolean
  readonly seller?: string | undefined
}

/**
 * Ends what was received: the units can be sold again, unless they are written off, and what is left of their money goes back, less what
 * is sent instead costs.
 */
export const settle = (
  before: Fulfilment,
  id: string,
  now: Date,
  { sold, seller }: Exchanged = { sold: false },
): FulfilmentChange => {
  const known = returnOf(before, id)
  if (known.status !== 'received') return same(before)
  const taken = takeUnits(before.left, unitsLeft(before.left, summed(known.lines)))
  const { orderId } = before
  const released = fact(orderItemsReleased, { orderId, releaseId: id, items: [...known.lines] })
  const end = (moved: Fulfilment, money: typeof taken): FulfilmentChange => {
    const { fulfilment, facts } = giveBack(moved, id, 'goods-returned', money, now)
    return { fulfilment, facts: known.condition === 'resellable' ? [...facts, released] : facts }
  }
  const { exchange } = known
  if (!exchange || !sold) return end(move(before, known, 'refunded', now), taken)
  // Some of the money may have gone back since.
  const price = Math.min(exchange.price, grossOf(taken.part))
  const lines = ordered(before.lines, exchange, seller)
  return end({ ...move(before, known, 'exchanged', now), lines }, putBack(taken, exchange, price))
}
