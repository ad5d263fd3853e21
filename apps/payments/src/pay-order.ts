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

/**
 * Asks orders what is owed (as the caller, so that another's order is not found), opens the order's one payment, charges
 * at the provider under the payment's id, and settles. Without an answer in time the payment stays `processing`: the
 * webhook or `resolve` ends it, and it is never charged again.
 */
export const createPayOrder =
  (payments: PaymentStore, provider: Provider, sidecar: Sidecar) =>
  async (caller: Caller, orderId: string, paymentMethod: string, once: Once): Promise<Payment> => {
    const authorization = caller.authorization as string
    const order = await sidecar.call(getOrder, { params: { orderId } }, { authorization })
    if (order.status === 'paid' || order.status === 'confirmed')
      throw conflict('already-paid', 'This order is paid')
    if (order.status !== 'pending-payment')
      throw conflict('order-not-payable', `This order is ${order.status}`)

    const payment = await payments.open({
      id: once.id,
      orderId,
      accountId: caller.id,
      amount: order.total,
      currency: order.currency,
    })
    if (payment.id !== once.id) {
      if (payment.status === 'processing')
        throw conflict('in-progress', 'Another payment is being made', payment)
      throw conflict('already-paid', 'This order is paid', payment)
    }
    // A repeat, after a crash, of a request that got as far as an answer.
    if (payment.status === 'declined') throw declined(payment.declineCode ?? 'declined')
    if (payment.status !== 'processing') return present(payment)

    const { id: paymentId, amount, currency } = payment
    const result = await provider.charge({ paymentId, amount, currency, paymentMethod })
    if (result.outcome === 'declined') {
      await payments.decline(paymentId, result.declineCode)
      throw declined(result.declineCode)
    }
    if (result.outcome === 'unknown') return present(payment)
    // A repeat of this request would find the payment under its id, so the record of its outcome need not be in there.
    const captured = await payments.capture(paymentId, result.chargeId)
    return present(captured ?? payment)
  }
