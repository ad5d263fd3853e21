import type { listSellerOrders, fulfilment as publicFulfilment } from '@caravan/contracts/fulfilment'
import type { z } from 'zod'
import { type Fulfilment, type Line, ofSellers, openOf, statusOf } from './domain/fulfilment.ts'
import { grossOf } from './domain/refund-shares.ts'
import type { Fulfilled } from './fulfilment-store.ts'

type SellerOrder = z.infer<NonNullable<typeof listSellerOrders.response>>['data'][number]

const sentOf = (lines: readonly Line[], shipments: Fulfilment['shipments']) => ({
  status: statusOf(lines, shipments),
  lines: lines.map((line) => ({
    ...{ sku: line.sku, ordered: line.ordered, shipped: line.shipped, cancelled: line.cancelled },
    open: openOf(line),
  })),
  shipments: [...shipments],
})

/** As the order's owner and staff see it. */
export const presentFulfilment = ({
  order: { number },
  fulfilment: { orderId, lines, shipments, refunds, returns, left },
}: Fulfilled): z.infer<typeof publicFulfilment> => ({
  ...{ orderId, number, ...sentOf(lines, shipments), refundable: grossOf(left) },
  refunds: refunds.map(({ part: _, ...refund }) => refund),
  returns: [...(returns ?? [])],
})

/** What of it concerns these sellers: nobody else's lines, no money, and of the shopper where it goes. */
export const presentSellerOrder = (
  { order, fulfilment }: Fulfilled,
  sellers: ReadonlySet<string>,
): SellerOrder => {
  const lines = ofSellers(fulfilment.lines, sellers)
  const own = new Set(lines.map(({ sku }) => sku))
  const shipments = fulfilment.shipments.flatMap((shipment) => {
    const some = shipment.lines.filter(({ sku }) => own.has(sku))
    return some.length > 0 ? [{ ...shipment, lines: some }] : []
  })
  return {
    ...{ orderId: order.id, number: order.number, ...sentOf(lines, shipments) },
    ...{ placedAt: order.placedAt.toISOString(), shippingAddress: order.shippingAddress },
  }
}
