import {
  addOrderNote,
  exportStaffOrders,
  getOrderTimeline,
  getStaffOrder,
  listOrderNotes,
  listStaffOrders,
} from '@caravan/contracts/staff-orders'
import { AppError } from '@caravan/service-kit/errors'
import { type Route, route } from '@caravan/service-kit/route'
import type { Sharded } from '@caravan/service-kit/shards'
import type { Order } from './domain/order.ts'
import type { Fulfilments } from './fulfilments.ts'
import { inHome } from './in-home.ts'
import type { OrderNoteStore } from './order-note-store.ts'
import type { Orders } from './orders.ts'
import { present } from './present.ts'
import { presentFulfilment } from './present-fulfilment.ts'
import type { ListStaffOrders } from './staff-orders.ts'

/** Orders in a page of a file. */
const exported = 1000

export interface StaffRouteParts {
  readonly orders: Orders
  readonly list: ListStaffOrders
  readonly notes: Sharded<OrderNoteStore>
  readonly fulfilments: Fulfilments
}

export const staffRoutes = ({ orders, list, notes, fulfilments }: StaffRouteParts): Route[] => {
  const find = async (orderId: string): Promise<Order> => {
    const order = await orders.find(orderId)
    if (!order) throw new AppError('not-found', 'orders/not-found', 'There is no such order')
    return order
  }

  return [
    route(listStaffOrders, ({ query: { limit, ...query } }) => list(query, limit)),
    route(exportStaffOrders, ({ query }) => list(query, exported)),

    route(getStaffOrder, async ({ params: { orderId } }) => {
      const order = await find(orderId)
      const shown = { ...present(order), accountId: order.accountId }
      if (order.status !== 'confirmed') return shown
      const fulfilled = await fulfilments.find(orderId, () => undefined)
      return { ...shown, fulfilment: presentFulfilment(fulfilled) }
    }),

    route(getOrderTimeline, async ({ params: { orderId } }) => {
      const { history } = await find(orderId)
      const own = history.map(({ payment, ...entry }) => ({
        ...entry,
        ...(payment ? { about: payment } : {}),
      }))
      const steps = (await Promise.all(notes.map((store) => store.steps(orderId)))).flat()
      return { data: [...own, ...steps].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))) }
    }),

    route(addOrderNote, ({ caller, params: { orderId }, body: { text }, once: { id } }) =>
      inHome(notes, orderId, (store) => store.add(orderId, { id, author: caller.id, text })),
    ),

    route(listOrderNotes, async ({ params: { orderId }, query: { limit, after } }) => {
      await find(orderId)
      const found = (await Promise.all(notes.map((store) => store.list(orderId, limit + 1, after)))).flat()
      const data = found.slice(0, limit)
      const next = found.length > limit ? data.at(-1)?.id : undefined
      return { data, hasMore: next !== undefined, ...(next ? { next } : {}) }
    }),
  ]
}
