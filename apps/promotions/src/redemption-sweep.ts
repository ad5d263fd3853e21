import { inquireOrders, type OrderStatus } from '@caravan/contracts/orders'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { RedemptionStore } from './redemption-store.ts'

/** What an order's status means for what it redeemed. */
const fates = {
  'pending-payment': 'open',
  paid: 'paid',
  confirmed: 'done',
  cancelled: 'gone',
} as const satisfies Record<OrderStatus, string>

/** Orders in a question. */
const batch = 100

/** Redemptions in a transaction: few locks, and soon free again. */
const trimmed = 500

/**
 * Asks orders what became of the orders whose end no event told while their redemptions' time to live ran: of those that never came
 * to be, as their process died between redeeming and committing, and of those whose events are lost.
 */
export const redemptionSweep = (redemptions: RedemptionStore, { sidecar, log }: Tools): Background =>
  everyAsLeader(1000, 'redemption-sweep', { sidecar, log }, async () => {
    const orderIds = await redemptions.unsettled(batch)
    if (orderIds.length === 0) return
    const { data } = await sidecar.call(inquireOrders, { body: { orderIds } })
    const known = new Map(data.map(({ orderId, status }) => [orderId, fates[status]]))
    // What orders does not know never came to be.
    const {
      gone = [],
      open = [],
      paid = [],
      done = [],
    } = Object.groupBy(orderIds, (id) => known.get(id) ?? 'gone')
    await redemptions.settle({ gone, open, paid, done })
    if (gone.length > 0) log.info({ orders: gone.length }, 'redemptions of no order were released')
  })

export const redemptionTrim = (
  redemptions: RedemptionStore,
  retentionDays: number,
  tools: Tools,
): Background =>
  everyAsLeader(60_000, 'redemption-trim', { ...tools, leaseSeconds: 60 }, async () => {
    while ((await redemptions.trimReleased(retentionDays, trimmed)) === trimmed);
  })
