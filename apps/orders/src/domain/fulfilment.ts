import {
  type FulfilmentStatus,
  orderDelivered,
  orderItemsReleased,
  orderShipped,
  type ParcelStatus,
  parcelStatus,
  type Refund,
  type RefundReason,
  type Shipment,
} from '@caravan/contracts/fulfilment'
import { orderRefundRequested } from '@caravan/contracts/orders'
import type { OrderReturn } from '@caravan/contracts/returns'
import { AppError } from '@caravan/service-kit/errors'
import { type Fact, fact } from '@caravan/service-kit/outbox'
import type { Order } from './order.ts'
import {
  grossOf,
  restored,
  type Shares,
  type Taken,
  takeAmount,
  takeDelivery,
  takeUnits,
  together,
  wholeOf,
} from './refund-shares.ts'

export interface Line {
  readonly sku: string
  readonly seller?: string | undefined
  readonly ordered: number
  /** Of these, what came in exchange for others. */
  readonly exchanged?: number | undefined
  readonly shipped: number
  readonly cancelled: number
}

/** With what of the order it is, net and tax, for its credit note. */
export interface GivenBack extends Refund {
  readonly part: Shares
}

/** What became of a confirmed order since: what of it was sent, cancelled and given back. */
export interface Fulfilment {
  readonly orderId: string
  readonly accountId: string
  /** Absent where nothing was to pay. */
  readonly paymentId?: string | undefined
  readonly lines: readonly Line[]
  readonly shipments: readonly Shipment[]
  readonly refunds: readonly GivenBack[]
  /** Their ids; absent before the first. */
  readonly cancellations?: readonly string[]
  /** Absent before the first. */
  readonly returns?: readonly OrderReturn[]
  /** What could still be given back. */
  readonly left: Shares
}

/** What a change leaves. The same object means that nothing changed. */
export interface FulfilmentChange {
  readonly fulfilment: Fulfilment
  readonly facts: readonly Fact[]
}

export type Units = readonly { readonly sku: string; readonly quantity: number }[]

/** By SKU, which may come more than once. */
export const summed = (units: Units): Map<string, number> => {
  const sums = new Map<string, number>()
  for (const { sku, quantity } of units) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  return sums
}

export const unitsOf = (sums: ReadonlyMap<string, number>) =>
  [...sums].map(([sku, quantity]) => ({ sku, quantity }))

/** Whose lines somebody acts for. */
export type Sellers = ReadonlySet<string> | 'all'

/** Of an order from before orders were quoted: it has prices alone. */
const pricesOf = ({ currency, lines }: Order): Shares => ({
  currency,
  lines: lines.map(({ sku, quantity, total }) => ({
    ...{ sku, quantity, discount: 0, net: total, tax: 0, gross: total },
  })),
  delivery: { discount: 0, net: 0, tax: 0, gross: 0 },
})

/** A confirmed order, of which nothing was sent yet. */
export const begin = (order: Order): Fulfilment => {
  const sellers = new Map(order.quote?.lines.map(({ sku, seller }) => [sku, seller]))
  const left = order.quote ? wholeOf(order.quote) : pricesOf(order)
  return {
    ...{ orderId: order.id, accountId: order.accountId, left, shipments: [], refunds: [] },
    ...(order.payment ? { paymentId: order.payment.id } : {}),
    lines: order.lines.map(({ sku, quantity }) => ({
      ...{ sku, seller: sellers.get(sku), ordered: quantity, shipped: 0, cancelled: 0 },
    })),
  }
}

export const same = (fulfilment: Fulfilment): FulfilmentChange => ({ fulfilment, facts: [] })
export const openOf = ({ ordered, shipped, cancelled }: Line): number => ordered - shipped - cancelled

export const ofSellers = (lines: readonly Line[], sellers: Sellers): Line[] =>
  lines.filter(({ seller }) => sellers === 'all' || (seller !== undefined && sellers.has(seller)))

/** Of some lines with their parcels, as of all. */
export const statusOf = (
  lines: readonly Line[],
  shipments: readonly Pick<Shipment, 'status'>[],
): FulfilmentStatus => {
  const shipped = lines.some((line) => line.shipped > 0)
  if (lines.some((line) => openOf(line) > 0)) return shipped ? 'partly-shipped' : 'open'
  if (!shipped) return 'cancelled'
  return shipments.every(({ status }) => status === 'delivered') ? 'delivered' : 'shipped'
}

/** Whether a seller has something to send. */
export const isOpenFor = ({ lines }: Fulfilment, seller: string): boolean =>
  lines.some((line) => line.seller === seller && openOf(line) > 0)

const isDelivered = ({ lines, shipments }: Fulfilment) => statusOf(lines, shipments) === 'delivered'

/** With the fact that it has all arrived, when this change made it so. */
const ended = (before: Fulfilment, { fulfilment, facts }: FulfilmentChange): FulfilmentChange => {
  if (isDelivered(before) || !isDelivered(fulfilment)) return { fulfilment, facts }
  const { orderId, accountId } = fulfilment
  return { fulfilment, facts: [...facts, fact(orderDelivered, { orderId, accountId })] }
}

/**
 * Moves units from open to shipped or cancelled. Throws 409 with how many are open where there are fewer; a line of another seller counts
 * as none.
 */
const move = (
  { lines }: Fulfilment,
  units: Units,
  to: 'shipped' | 'cancelled',
  sellers: Sellers,
): readonly Line[] => {
  const moved = summed(units)
  const open = new Map(ofSellers(lines, sellers).map((line) => [line.sku, openOf(line)]))
  const errors = units.flatMap(({ sku }, index) =>
    Number(moved.get(sku)) > (open.get(sku) ?? 0)
      ? [{ pointer: `/lines/${index}/quantity`, detail: `${open.get(sku) ?? 0} are open` }]
      : [],
  )
  if (errors.length > 0)
    throw new AppError('conflict', 'orders/more-than-open', 'Not so many units are open', { errors })
  return lines.map((line) => ({ ...line, [to]: line[to] + (moved.get(line.sku) ?? 0) }))
}

export interface Parcel {
  readonly id: string
  readonly lines: Units
  readonly carrier: string
  readonly trackingNumber: string
}

/** What an order may gather, so that it stays one that is read at once. */
export const mostEntries = 200

/** Throws 409 once an order has gathered as much of something as it may. */
export const assertRoom = (entries: readonly unknown[] = []): void => {
  if (entries.length >= mostEntries)
    throw new AppError('conflict', 'orders/too-many-entries', `An order has at most ${mostEntries} of these`)
}

/** A parcel is on its way. One effect a shipment id. */
export const ship = (
  before: Fulfilment,
  { id, lines, carrier, trackingNumber }: Parcel,
  sellers: Sellers,
  now: Date,
): FulfilmentChange => {
  if (before.shipments.some((shipment) => shipment.id === id)) return same(before)
  assertRoom(before.shipments)
  const at = now.toISOString()
  const shipment: Shipment = {
    ...{ id, lines: unitsOf(summed(lines)), carrier, trackingNumber },
    ...{ status: 'shipped', shippedAt: at, statusAt: at },
  }
  const { orderId, accountId } = before
  return {
    fulfilment: {
      ...before,
      lines: move(before, lines, 'shipped', sellers),
      shipments: [...before.shipments, shipment],
    },
    facts: [
      fact(orderShipped, {
        orderId,
        accountId,
        shipmentId: id,
        items: shipment.lines,
        carrier,
        trackingNumber,
      }),
    ],
  }
}

/** Of what a carrier says of one moment the further counts. */
const rank = (status: ParcelStatus): number => parcelStatus.options.indexOf(status)

/** What a carrier says. It changes nothing when it is older than what is known, and a parcel that has arrived stays so. */
export const hear = (
  before: Fulfilment,
  shipmentId: string,
  { status, at }: { readonly status: ParcelStatus; readonly at: string },
): FulfilmentChange => {
  const known = before.shipments.find(({ id }) => id === shipmentId)
  if (!known || known.status === 'delivered') return same(before)
  // A parcel may be noted here after the carrier has it.
  const isUnheard = known.statusAt === known.shippedAt
  const isLater = at > known.statusAt || (at === known.statusAt && rank(status) > rank(known.status))
  if (!isUnheard && !isLater && status !== 'delivered') return same(before)
  const shipments = before.shipments.map((each) =>
    each.id === shipmentId ? { ...each, status, statusAt: at } : each,
  )
  return ended(before, { fulfilment: { ...before, shipments }, facts: [] })
}

export const giveBack = (
  before: Fulfilment,
  id: string,
  reason: RefundReason,
  { part, left }: Taken,
  now: Date,
): FulfilmentChange => {
  const { orderId, paymentId } = before
  const amount = grossOf(part)
  if (amount === 0 || !paymentId) return { fulfilment: { ...before, left }, facts: [] }
  const refund: GivenBack = {
    ...{ id, reason, status: 'due', amount, delivery: part.delivery.gross, at: now.toISOString(), part },
    lines: part.lines
      .filter(({ quantity, gross }) => quantity > 0 || gross > 0)
      .map(({ sku, quantity, gross }) => ({ sku, quantity, amount: gross })),
  }
  const total = { amount, currency: left.currency }
  return {
    fulfilment: { ...before, left, refunds: [...before.refunds, refund] },
    facts: [fact(orderRefundRequested, { orderId, paymentId, refundId: id, total })],
  }
}

/** As far as they are left in `Shares`: money of some may have gone back before. */
export const unitsLeft = (
  { lines }: Shares,
  units: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> =>
  new Map(
    [...units].map(([sku, quantity]) => [
      sku,
      Math.min(quantity, lines.find((line) => line.sku === sku)?.quantity ?? 0),
    ]),
  )

/**
 * Units that are not sent yet will not be: their stock can be sold again, their money and their share of the delivery go back. One
 * effect an id.
 */
export const cancelUnits = (before: Fulfilment, id: string, units: Units, now: Date): FulfilmentChange => {
  const { cancellations = [] } = before
  if (cancellations.includes(id)) return same(before)
  assertRoom(cancellations)
  const lines = move(before, units, 'cancelled', 'all')
  const taken = takeUnits(before.left, unitsLeft(before.left, summed(units)), { withDelivery: true })
  const { fulfilment, facts } = giveBack(
    { ...before, lines, cancellations: [...cancellations, id] },
    id,
    'lines-cancelled',
    taken,
    now,
  )
  const released = fact(orderItemsReleased, {
    ...{ orderId: before.orderId, releaseId: id, items: unitsOf(summed(units)) },
  })
  return ended(before, { fulfilment, facts: [...facts, released] })
}

/** Units, all that is left of the delivery, an amount beside them: at least one of these. */
export interface RefundOf {
  readonly lines?: Units | undefined
  readonly delivery?: true | undefined
  readonly amount?: number | undefined
}

/** Throws 409 for more than is left, and where nothing is left of what is asked for. */
const take = (left: Shares, { lines, delivery, amount }: RefundOf): Taken => {
  try {
    const units = takeUnits(left, summed(lines ?? []))
    const withDelivery = delivery ? takeDelivery(units.left) : takeAmount(units.left, 0)
    const beside = takeAmount(withDelivery.left, amount ?? 0)
    return { part: together(units.part, withDelivery.part, beside.part), left: beside.left }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AppError(
      'conflict',
      'orders/more-than-left',
      `Not so much is left to give back: ${error.message}`,
      {
        data: { refundable: { amount: grossOf(left), currency: left.currency } },
      },
    )
  }
}

/**
 * Money goes back while the goods stay where they are. One effect an id. Throws 409 where that would be more than is left, or
 * nothing.
 */
export const refundMoney = (
  before: Fulfilment,
  id: string,
  what: RefundOf,
  now: Date,
  reason: RefundReason = 'goodwill',
): FulfilmentChange => {
  if (before.refunds.some((refund) => refund.id === id)) return same(before)
  assertRoom(before.refunds)
  if (!before.paymentId)
    throw new AppError('conflict', 'orders/nothing-paid', 'Nothing was paid for this order')
  const taken = take(before.left, what)
  if (grossOf(taken.part) === 0)
    throw new AppError('conflict', 'orders/more-than-left', 'Nothing of it is left to give back')
  return giveBack(before, id, reason, taken, now)
}

/** What payments says of a refund. What it refused can be given back another time. */
export const settleRefund = (
  before: Fulfilment,
  refundId: string,
  status: 'done' | 'refused',
): FulfilmentChange => {
  const due = before.refunds.find(({ id, status: known }) => id === refundId && known === 'due')
  if (!due) return same(before)
  const refunds = before.refunds.map((each) => (each.id === refundId ? { ...each, status } : each))
  const left = status === 'refused' ? restored(before.left, due.part) : before.left
  return { fulfilment: { ...before, left, refunds }, facts: [] }
}
