import { AppError } from '@caravan/service-kit/errors'
import type { Order } from './domain/order.ts'

/** Throws where the caller may not see an order. */
export type MaySee = (order: Order) => void

export const noSuchOrder = () => new AppError('not-found', 'orders/not-found', 'You have no such order')

export const anybodys: MaySee = () => undefined

/** Another's order is answered as one that does not exist. */
export const ownedBy =
  (accountId: string): MaySee =>
  (order) => {
    if (order.accountId !== accountId) throw noSuchOrder()
  }
