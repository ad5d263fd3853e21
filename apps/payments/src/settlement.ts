import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import { AppError } from '@caravan/service-kit/errors'
import type { Tools } from '@caravan/service-kit/run-service'
import type { PaymentStore } from './payment-store.ts'
import type { Provider } from './provider.ts'
import type { Resolve } from './resolve.ts'

/** Seconds that the request itself has to end a payment before the leader asks the provider. */
const patienceSeconds = 10

/** What ends payments and refunds when requests and webhooks did not. */
export const settlement = (
  payments: PaymentStore,
  provider: Provider,
  { apply, resolve }: Resolve,
  tools: Tools,
): Background[] => {
  const missingAnswers = everyAsLeader(1000, 'missing-answers', { ...tools, leaseSeconds: 30 }, async () => {
    for (const payment of await payments.unanswered(patienceSeconds, 50)) await resolve(payment)
  })

  const dueRefunds = everyAsLeader(500, 'due-refunds', { ...tools, leaseSeconds: 30 }, async () => {
    for (const { id, paymentId, chargeId, amount } of await payments.leaseRefunds(20)) {
      try {
        await provider.refund(id, { charge: chargeId, amount })
        await payments.settleRefund(id, paymentId)
      } catch (error) {
        tools.log.warn({ err: error, refund_id: id }, 'refund not done yet; it will be repeated')
      }
    }
  })

  /** Reads the provider's books from where it stopped, and captures what nobody told us of. */
  const reconciliation = everyAsLeader(15_000, 'reconciliation', { ...tools, leaseSeconds: 60 }, async () => {
    for (;;) {
      const { data, hasMore } = await provider.chargesAfter(await payments.cursor.read())
      for (const charge of data) {
        await apply(charge).catch((error) => {
          if (!(error instanceof AppError) || error.kind !== 'conflict') throw error
          tools.log.error(
            { err: error, charge_id: charge.id },
            'a charge does not fit its payment; a person must look',
          )
        })
      }
      const last = data.at(-1)
      if (last) await payments.cursor.write(last.id)
      if (!hasMore) return
    }
  })

  return [missingAnswers, dueRefunds, reconciliation]
}
