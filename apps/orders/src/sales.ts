import { listPromotionSales, listSales } from '@caravan/contracts/sales'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import { decodeCursor, toPage } from '@caravan/service-kit/cursor'
import { type Route, route } from '@caravan/service-kit/route'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import { z } from 'zod'
import type { Position, PromotionFigure, SalesFigure, SalesStore } from './sales-store.ts'

const cursor = z.tuple([z.string(), z.string()])
const positionOf = (after: string | undefined): Position | undefined =>
  after === undefined ? undefined : decodeCursor('orders', cursor, after)

/** Counts what was confirmed and given back. Two leaders at once do no harm: the second waits for the first one's rows, which are gone then. */
export const salesCount = (stores: Sharded<SalesStore>, tools: Tools): Background =>
  everyAsLeader(2000, 'sales-count', tools, () =>
    inEach(stores, async (store) => {
      while ((await store.count()) > 0);
    }),
  )

/** Figures of the same key out of several databases are one, in the order of their keys; each database told at least as many as are shown. */
const merged = <T>(
  all: readonly (readonly T[])[],
  positionOf: (figure: T) => Position,
  plus: (a: T, b: T) => T,
): T[] => {
  const sums = new Map<string, T>()
  for (const figure of all.flat()) {
    const key = JSON.stringify(positionOf(figure))
    const known = sums.get(key)
    sums.set(key, known ? plus(known, figure) : figure)
  }
  const order = (a: T, b: T) => {
    const [one, two] = [positionOf(a), positionOf(b)]
    if (one[0] !== two[0]) return one[0] < two[0] ? -1 : 1
    return one[1] < two[1] ? -1 : 1
  }
  return [...sums.values()].sort(order)
}

type Sums = SalesFigure['sold']
const together = (a: Sums, b: Sums): Sums => ({
  ...{ units: a.units + b.units, discount: a.discount + b.discount },
  ...{ net: a.net + b.net, tax: a.tax + b.tax, gross: a.gross + b.gross },
})

export const salesRoutes = (stores: Sharded<SalesStore>): Route[] => [
  route(listSales, async ({ query }) => {
    const { limit } = query
    const after = positionOf(query.after)
    const found = await Promise.all(stores.map((store) => store.list({ ...query, limit: limit + 1 }, after)))
    const position = ({ key, currency }: SalesFigure): Position => [key, currency]
    const rows = merged(found, position, (a, b) => ({
      ...{ ...a, sold: together(a.sold, b.sold), back: together(a.back, b.back) },
    }))
    return toPage(rows, limit, (row) => row, position)
  }),

  route(listPromotionSales, async ({ query }) => {
    const { limit } = query
    const after = positionOf(query.after)
    const found = await Promise.all(
      stores.map((store) => store.listPromotions({ ...query, limit: limit + 1 }, after)),
    )
    const position = ({ promotionId, currency }: PromotionFigure): Position => [promotionId, currency]
    const rows = merged(found, position, (a, b) => ({
      ...{ ...a, orders: a.orders + b.orders, discount: a.discount + b.discount },
    }))
    return toPage(rows, limit, (row) => row, position)
  }),
]
