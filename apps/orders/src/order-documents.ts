import { AppError } from '@caravan/service-kit/errors'
import { type Sharded, shardOf } from '@caravan/service-kit/shards'
import type { Order } from './domain/order.ts'
import type { Issued } from './invoice-store.ts'
import type { IssueDocuments, OrderBooks } from './issue-documents.ts'

/** The documents of an order, each issued by then; they are in the order's database. `check` throws where the caller may not see it. */
export const createOrderDocuments =
  (books: Sharded<OrderBooks>, { issue }: Pick<IssueDocuments, 'issue'>) =>
  async (orderId: string, check: (order: Order) => void): Promise<Issued[]> => {
    const home = shardOf(books, orderId)
    for (const each of [home, ...books.filter((other) => other !== home)]) {
      const order = await each.orders.find(orderId)
      if (!order) continue
      check(order)
      await issue(each, await each.invoices.dueOf(orderId))
      return each.invoices.ofOrder(orderId)
    }
    throw new AppError('not-found', 'orders/not-found', 'There is no such order')
  }

export type OrderDocuments = ReturnType<typeof createOrderDocuments>
