import type { Order } from './order.ts'
import { sellersOf } from './order.ts'

export type FoundBy = 'account' | 'sku' | 'seller' | 'currency' | 'code'

/** What never changes of an order, and it is looked for by. */
export const foundBy = (order: Order): { kind: FoundBy; value: string }[] => {
  const values: Record<FoundBy, readonly string[]> = {
    account: [order.accountId],
    sku: order.lines.map(({ sku }) => sku),
    seller: sellersOf(order),
    currency: [order.currency],
    code: order.quote?.discounts.flatMap(({ code }) => code ?? []) ?? [],
  }
  return Object.entries(values).flatMap(([kind, all]) =>
    [...new Set(all)].map((value) => ({ kind: kind as FoundBy, value })),
  )
}
