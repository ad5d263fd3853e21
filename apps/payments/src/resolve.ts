import { AppError } from '@caravan/service-kit/errors'
import type { PaymentStore, StoredPayment } from './payment-store.ts'
import type { Charge, Provider } from './provider.ts'

/** Seconds after which a charge that the provider does not know is given up. Longer than any call to it may take. */
const giveUpSeconds = 30

/** Instead of a decline code. */
export const givenUp = 'provider_unreachable'

/**
 * Ends a payment whose answer is missing, by the provider's word alone; it never charges. Should a charge that was given
 * up appear after all, the webhook or the reconciliation captures it, and orders keeps or returns the money.
 */
export const createResolve = (payments: PaymentStore, provider: Provider) => {
  /**
   * Gives false when there is no such payment. Throws when the charge is not of the sum that the payment is for: then a person
   * must look.
   */
  const apply = async (charge: Charge): Promise<boolean> => {
    const payment = await payments.find(charge.reference)
    if (!payment) return false
    if (charge.amount !== payment.amount || charge.currency !== payment.currency) {
      throw new AppError(
        'conflict',
        'payments/wrong-sum',
        `Charge ${charge.id} is not of payment ${payment.id}'s sum`,
      )
    }
    // The usual case: the request had its answer before the webhook came.
    if (payment.status !== 'processing' && payment.status !== 'declined') return true
    if (charge.status === 'captured') await payments.capture(charge.reference, charge.id)
    else if (charge.status === 'declined')
      await payments.decline(charge.reference, charge.declineCode ?? 'declined')
    return true
  }

  const resolve = async (payment: StoredPayment): Promise<void> => {
    const charge = await provider.findCharge(payment.id)
    if (charge) return void (await apply(charge))
    const age = Date.now() - Date.parse(payment.createdAt)
    if (age > giveUpSeconds * 1000) await payments.decline(payment.id, givenUp)
  }

  return { apply, resolve }
}

export type Resolve = ReturnType<typeof createResolve>
