import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import { AppError } from '@caravan/service-kit/errors'
import type { Tools } from '@caravan/service-kit/run-service'
import type { PartialRefundStore } from './partial-refund-store.ts'
import type { DueRefund, PaymentStore } from './payment-store.ts'
import type { Provider } from './provider.ts'
import type { Resolve } from './resolve.ts'

/** Seconds that the request itself has to end a payment before the leader asks the provider. */
const patienceSeconds = 10

/** What ends payments and refunds when requests and webhooks did not. */
export const settlement = (
  payments: PaymentStore,
  parts: PartialRefundStore,
  provider: Provider,
  { apply, resolve }: Resolve,
  tools: Tools,
): Background[] => {
  /** A contradiction is for a person to look at; all else heals. */
  const isForPerson = (error: unknown) => error instanceof AppError && error.kind === 'conflict'
  const report = (error: unknown, about: object, message: string): void =>
    tools.log[isForPerson(error) ? 'error' : 'warn']({ err: error, ...about }, message)

  const missingAnswers = everyAsLeader(1000, 'missing-answers', { ...tools, leaseSeconds: 30 }, async () => {
    for (const payment of await payments.unanswered(patienceSeconds, 200)) {
      await resolve(payment).catch((error) =>
        report(error, { payment_id: payment.id }, 'payment not resolved yet'),
      )
    }
  })

  const giveBack = async (due: readonly DueRefund[], settle: (refund: DueRefund) => Promise<void>) => {
    for (const refund of due) {
      const { id, chargeId: charge, amount } = refund
      try {
        // Nothing, where all went back in parts before.
        if (amount > 0) await provider.refund(id, { charge, amount })
        await settle(refund)
      } catch (error) {
        report(error, { refund_id: id }, 'refund not done yet; it will be repeated')
      }
    }
  }

  const dueRefunds = everyAsLeader(500, 'due-refunds', { ...tools, leaseSeconds: 30 }, async () => {
    await giveBack(await payments.leaseRefunds(20), ({ id, paymentId }) =>
      payments.settleRefund(id, paymentId),
    )
    await giveBack(await parts.lease(20), parts.settle)
  })

  /** Reads the provider's books from where it stopped, and captures what nobody told us of. */
  const reconciliation = everyAsLeader(15_000, 'reconciliation', { ...tools, leaseSeconds: 60 }, async () => {
    for (;;) {
      const { data, hasMore } = await provider.chargesAfter(await payments.cursor.read())
      for (const charge of data) {
        const known = await apply(charge).catch((error) => {
          if (!isForPerson(error)) throw error
          report(error, { charge_id: charge.id }, 'a charge does not fit its payment')
          return true
        })
        // As after a restore to an earlier moment.
        if (!known && charge.status === 'captured')
          tools.log.error(
            { charge_id: charge.id, payment_id: charge.reference },
            'the provider holds money for a payment that is not there',
          )
      }
      const last = data.at(-1)
      if (last) await payments.cursor.write(last.id)
      if (!hasMore) return
    }
  })

  return [missingAnswers, dueRefunds, reconciliation]
}
