import { inquirePayment } from '@caravan/contracts/payments'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import { cancel, capture } from './domain/order.ts'
import type { OrderStore } from './order-store.ts'

/**
 * Ends orders that nobody paid in time, after asking payments for the truth: an event may be late or lost. While payments
 * cannot say, the order waits. Two leaders at once do no harm: each change is made under the order's row lock.
 */
export const unpaidExpiry = (stores: Sharded<OrderStore>, tools: Tools): Background => {
  const end = async (orders: OrderStore, orderId: string): Promise<void> => {
    const truth = await tools.sidecar.call(inquirePayment, { body: { orderId } })
    if (truth.state === 'processing') return
    await orders.update(orderId, (order) => {
      if (truth.state === 'captured') return capture(order, truth.paymentId, new Date())
      return order.status === 'pending-payment' ? cancel(order, 'unpaid', new Date()) : { order, facts: [] }
    })
  }

  return everyAsLeader(1000, 'unpaid-expiry', tools, () =>
    inEach(stores, async (orders) => {
      for (const orderId of await orders.overdue(500)) {
        // One order that cannot be ended now keeps none of the others waiting.
        await end(orders, orderId).catch((error) =>
          tools.log.warn({ err: error, order_id: orderId }, 'not expired yet'),
        )
      }
    }),
  )
}
