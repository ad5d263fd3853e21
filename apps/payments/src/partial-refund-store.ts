import { paymentPartlyRefunded } from '@caravan/contracts/payments'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import { type DueRefund, leaseDue, type PaymentStore } from './payment-store.ts'

/** `id` is of who asks, and is the provider's idempotency key. `amount` is in minor units of the payment's currency. */
export interface PartialRefund {
  readonly id: string
  readonly paymentId: string
  readonly amount: number
}

/** `refused`: the payment has not so much left, or no money at all, or the id came before with another sum. */
export type PartialRefundStatus = 'due' | 'done' | 'refused'

/** Parts of payments that go back. Never more than a payment has is given back, however many ask at once. */
export const createPartialRefundStore = (
  db: Database,
  outbox: Outbox,
  { post }: Pick<PaymentStore, 'post'>,
) => {
  const statusOf = async (
    tx: Transaction,
    { id, paymentId, amount }: PartialRefund,
  ): Promise<PartialRefundStatus | undefined> => {
    const known = await tx('partial_refunds').where({ id }).first()
    if (!known) return undefined
    if (known.payment_id !== paymentId || known.amount !== amount) return 'refused'
    return known.done ? 'done' : 'due'
  }

  /** Takes the sum from the payment at once. One effect a refund id. */
  const demand = async (tx: Transaction, refund: PartialRefund): Promise<PartialRefundStatus> => {
    const { id, paymentId, amount } = refund
    // First, so that repeats of one refund wait for each other here.
    await tx.raw('SELECT id FROM payments WHERE id = ? FOR UPDATE', [paymentId])
    const known = await statusOf(tx, refund)
    if (known) return known
    const [taken] = await tx.raw(
      `UPDATE payments SET partly_refunded = partly_refunded + ?
       WHERE id = ? AND status = 'captured' AND partly_refunded + ? <= amount`,
      [amount, paymentId, amount],
    )
    if (taken.affectedRows === 0) return 'refused'
    await tx('partial_refunds').insert({ id, payment_id: paymentId, amount })
    return 'due'
  }

  const lease = (limit: number): Promise<DueRefund[]> => leaseDue(db, 'partial_refunds', 'r.amount', limit)

  /** The money went back: ledger and event, once. */
  const settle = async ({ id, paymentId, amount }: PartialRefund): Promise<void> => {
    await transaction(db, async (tx) => {
      const [updated] = await tx.raw('UPDATE partial_refunds SET done = TRUE WHERE id = ? AND done = FALSE', [
        id,
      ])
      if (updated.affectedRows === 0) return
      const { order_id: orderId, currency } = await tx('payments').where({ id: paymentId }).first()
      await post(tx, id, { amount, orderId, currency }, 'customers', 'provider')
      const data = { refundId: id, paymentId, orderId, total: { amount, currency } }
      await outbox.add(tx, [fact(paymentPartlyRefunded, data)])
    })
    outbox.wake()
  }

  return {
    ...{ demand, lease, settle },
    demandNow: (refund: PartialRefund) => transaction(db, (tx) => demand(tx, refund)),
  }
}

export type PartialRefundStore = ReturnType<typeof createPartialRefundStore>
