import { getOrder } from '@caravan/contracts/orders'
import type { Payment } from '@caravan/contracts/payments'
import type { Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import type { Once } from '@caravan/service-kit/idempotency'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { PaymentStore, StoredPayment } from './payment-store.ts'
import type { Provider } from './provider.ts'

const conflict = (code: string, message: string, payment?: StoredPayment) =>
  new AppError('conflict', `payments/${code}`, message, {
    ...(payment ? { data: { paymentId: payment.id } } : {}),
    ...(code === 'in-progress' ? { retryAfterSeconds: 1 } : {}),
  })

export const declined = (code: string) =>
  new AppError('invalid', 'payments/card-declined', 'The card was declined', {
    status: 402,
    data: { declineCode: code },
  })

/** The payment as its owner sees it. */
export const present = ({ accountId: _, ...payment }: StoredPayment): Payment => payment

const outcomeOf = (payment: StoredPayment): Payment => {
  if (payment.status === 'declined') throw declined(payment.declineCode ?? 'declined')
  return present(payment)
}

/**
 * Asks orders what is owed (as the caller, so that another's order is not found), opens the order's one payment, charges
 * at the provider under the payment's id, and settles. Without an answer in time the payment stays `processing`: the
 * webhook or `resolve` ends it, and it is never charged again.
 */
export const createPayOrder =
  (payments: PaymentStore, provider: Provider, sidecar: Sidecar) =>
  async (caller: Caller, orderId: string, paymentMethod: string, once: Once): Promise<Payment> => {
    const authorization = caller.authorization as string
    const order = await sidecar.call(getOrder, { params: { orderId }, query: {} }, { authorization })
    if (order.status !== 'pending-payment') {
      // A repeat, after a crash, of the very request that paid it.
      const own = await payments.find(once.id)
      if (own) return outcomeOf(own)
      if (order.status === 'cancelled') throw conflict('order-not-payable', 'This order is cancelled')
      throw conflict('already-paid', 'This order is paid')
    }

    const request = {
      id: once.id,
      orderId,
      accountId: caller.id,
      amount: order.total,
      currency: order.currency,
    }
    const live = await payments.open(request)
    if (live && live.id !== once.id) {
      if (live.status === 'processing') throw conflict('in-progress', 'Another payment is being made', live)
      throw conflict('already-paid', 'This order is paid', live)
    }
    if (live && live.status !== 'processing') return outcomeOf(live)

    const { id: paymentId, amount, currency } = live ?? request
    const result = await provider.charge({ paymentId, amount, currency, paymentMethod })
    if (result.outcome === 'declined') {
      await payments.decline(paymentId, result.declineCode)
      throw declined(result.declineCode)
    }
    // A repeat of this request would find the payment under its id, so the record of its outcome need not be in there.
    const payment =
      result.outcome === 'captured'
        ? await payments.capture(paymentId, result.chargeId)
        : await payments.find(paymentId)
    if (!payment) throw new Error(`payment ${paymentId} is gone`)
    return present(payment)
  }
