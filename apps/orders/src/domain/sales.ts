import type { Fulfilment } from './fulfilment.ts'
import type { Order } from './order.ts'
import { type Shares, type Sums, wholeOf } from './refund-shares.ts'

/** One figure's part of an order: a line, or the delivery, which has neither SKU, category nor seller. */
export interface Sale extends Sums {
  /** UTC, on which the order was confirmed: what goes back of it later is of that day too. */
  readonly day: string
  readonly currency: string
  readonly country: string
  readonly seller: string
  readonly category: string
  readonly sku: string
  readonly units: number
}

const dayOf = ({ history }: Order): string =>
  history.find(({ what }) => what === 'confirmed')?.at.slice(0, 10) ?? ''

const of = (order: Order) => ({
  ...{ day: dayOf(order), currency: order.currency, country: order.shippingAddress.country },
})

const salesOf = (order: Order, { lines, delivery }: Shares): Sale[] => {
  const goods = new Map(order.quote?.lines.map((line) => [line.sku, line]))
  const sale = ({ discount, net, tax, gross }: Sums, units: number, sku = ''): Sale => ({
    ...{ ...of(order), sku, units, discount, net, tax, gross },
    ...{ seller: goods.get(sku)?.seller ?? '', category: goods.get(sku)?.category ?? '' },
  })
  return [...lines.map((line) => sale(line, line.quantity, line.sku)), sale(delivery, 0)].filter(
    ({ units, discount, gross }) => units > 0 || discount > 0 || gross > 0,
  )
}

/** All of a confirmed order that has a quote. */
export const soldOf = (order: Order): Sale[] => (order.quote ? salesOf(order, wholeOf(order.quote)) : [])

/** What went back with one refund. */
export const backOf = (order: Order, { refunds }: Fulfilment, refundId: string): Sale[] => {
  const refund = refunds.find(({ id }) => id === refundId)
  return refund ? salesOf(order, refund.part) : []
}

export const promotedOf = (order: Order) =>
  (order.quote?.discounts ?? []).map(({ promotionId, amount }) => ({
    ...{ ...of(order), promotionId, discount: amount },
  }))
