import { inquireOrder } from '@caravan/contracts/orders'
import type { Payment } from '@caravan/contracts/payments'
import type { Caller } from '@caravan/service-kit/authenticate'
import { AppError } from '@caravan/service-kit/errors'
import type { Once } from '@caravan/service-kit/idempotency'
import type { Log } from '@caravan/service-kit/log'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { PaymentStore, StoredPayment } from './payment-store.ts'
import type { Provider } from './provider.ts'
import { givenUp } from './resolve.ts'

const noSuchMethod = 'no-such-method'

const conflict = (code: string, message: string, payment?: StoredPayment) =>
  new AppError('conflict', `payments/${code}`, message, {
    ...(payment ? { data: { paymentId: payment.id } } : {}),
    ...(code === 'in-progress' ? { retryAfterSeconds: 1 } : {}),
  })

/** Why no money moved. `code` is the card network's, or one of the two below that are ours. */
const refusal = (code: string): AppError => {
  if (code === noSuchMethod)
    return new AppError(
      'invalid',
      'payments/unknown-payment-method',
      'The provider has no such payment method',
      {
        errors: [{ pointer: '/paymentMethod', detail: 'not one of the provider’s' }],
      },
    )
  if (code === givenUp)
    return conflict(
      'given-up',
      'The provider could not be asked; nothing was charged. Pay again under a new key',
    )
  return new AppError('invalid', 'payments/card-declined', 'The card was declined', {
    status: 402,
    data: { declineCode: code },
  })
}

/** The payment as its owner sees it. */
export const present = ({ accountId: _, ...payment }: StoredPayment): Payment => payment

const outcomeOf = (payment: StoredPayment): Payment => {
  if (payment.status === 'declined') throw refusal(payment.declineCode ?? 'declined')
  return present(payment)
}

/**
 * Asks orders what the caller owes, opens the order's one payment, charges
 * at the provider under the payment's id, and settles. Without an answer in time the payment stays `processing`: the
 * webhook or `resolve` ends it, and it is never charged again. What the provider refuses for our own fault is told as an outage and
 * leaves no payment: the same request makes it once that is mended.
 */
export const createPayOrder =
  (payments: PaymentStore, provider: Provider, sidecar: Sidecar, log: Log) =>
  async (caller: Caller, orderId: string, paymentMethod: string, once: Once): Promise<Payment> => {
    const order = await sidecar.call(inquireOrder, { body: { orderId, accountId: caller.id } })
    if (order.outcome === 'not-found')
      throw new AppError('not-found', 'orders/not-found', 'You have no such order')
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
    if (result.outcome === 'declined' || result.outcome === 'no-such-method') {
      const code = result.outcome === 'declined' ? result.declineCode : noSuchMethod
      await payments.decline(paymentId, code)
      throw refusal(code)
    }
    if (result.outcome === 'refused') {
      log.error(
        { payment_id: paymentId, status: result.status, code: result.code },
        'the provider refused our request',
      )
      // An earlier try may have been charged: then `resolve` ends it.
      if (!live) await payments.withdraw(paymentId)
      throw new AppError('unavailable', 'payments/provider-refused', 'The payment could not be made', {
        retryAfterSeconds: 30,
      })
    }
    // A repeat of this request would find the payment under its id, so the record of its outcome need not be in there.
    const payment =
      result.outcome === 'captured'
        ? await payments.capture(paymentId, result.chargeId)
        : await payments.find(paymentId)
    if (!payment) throw new Error(`payment ${paymentId} is gone`)
    return present(payment)
  }
