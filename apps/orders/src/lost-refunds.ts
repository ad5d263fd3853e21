import { demandPartialRefunds } from '@caravan/contracts/payments'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import { type Fulfilment, settleRefund } from './domain/fulfilment.ts'
import type { FulfilmentStore } from './fulfilment-store.ts'

const atOnce = 20
/** Seconds until payments is asked again. */
const pauseSeconds = 30

const dueOf = ({ paymentId, refunds }: Fulfilment) =>
  refunds.flatMap(({ id, status, amount }) =>
    status === 'due' && paymentId ? [{ refundId: id, paymentId, amount }] : [],
  )

/**
 * Asks payments for refunds of which events should have told, and may have been lost on either way. Asking again changes nothing,
 * so two leaders at once do no harm.
 */
export const lostRefunds = (stores: Sharded<FulfilmentStore>, { sidecar, log }: Tools): Background =>
  everyAsLeader(5000, 'lost-partial-refunds', { sidecar, log }, () =>
    inEach(stores, async (store) => {
      for (;;) {
        const waiting = await store.waiting(atOnce)
        if (waiting.length === 0) return
        for (const fulfilment of waiting) {
          const { orderId } = fulfilment
          const { data } = await sidecar.call(demandPartialRefunds, {
            body: { refunds: dueOf(fulfilment).slice(0, 100) },
          })
          for (const { refundId, status } of data) {
            if (status === 'due') continue
            if (status === 'refused')
              log.error({ order_id: orderId, refund_id: refundId }, 'payments has not so much to give back')
            await store.update(
              orderId,
              () => undefined,
              (now) => settleRefund(now, refundId, status),
            )
          }
        }
        await store.askLater(
          waiting.map(({ orderId }) => orderId),
          pauseSeconds,
        )
      }
    }),
  )
