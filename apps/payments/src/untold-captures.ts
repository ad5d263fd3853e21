import { recordCaptures } from '@caravan/contracts/orders'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import type { UntoldStore } from './untold-store.ts'

const atOnce = 100

/**
 * Asks orders whether it knows of each captured payment, so that no money is kept for nothing though the broker lost the
 * event. Two leaders at once do no harm: orders takes note of a payment once.
 */
export const untoldCaptures = (untold: UntoldStore, { sidecar, log }: Tools): Background =>
  everyAsLeader(5000, 'untold-captures', { sidecar, log }, async () => {
    for (;;) {
      const due = await untold.due(atOnce)
      if (due.length === 0) return
      const { known } = await sidecar.call(recordCaptures, { body: { payments: due } })
      if (known.length > 0) await untold.told(known)
      const strange = due.filter(({ paymentId }) => !known.includes(paymentId))
      if (strange.length === 0) continue
      for (const { paymentId, orderId } of strange)
        log.error(
          { payment_id: paymentId, order_id: orderId },
          'money was captured for an order that is not there',
        )
      await untold.askLater(strange.map(({ paymentId }) => paymentId))
    }
  })
