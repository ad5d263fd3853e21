import {
  type LedgerEntry,
  type Payment,
  type PaymentStatus,
  paymentCaptured,
  paymentRefunded,
} from '@caravan/contracts/payments'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { fact, type Outbox } from '@caravan/service-kit/outbox'

interface Row {
  id: string
  order_id: string
  account_id: string
  status: PaymentStatus
  amount: number
  currency: string
  charge_id: string | null
  decline_code: string | null
  partly_refunded: number
  created_at: Date
}

export interface StoredPayment extends Payment {
  readonly accountId: string
}

export interface DueRefund {
  readonly id: string
  readonly paymentId: string
  readonly chargeId: string
  /** Minor units. */
  readonly amount: number
}

/** Seconds that the event has to tell orders of a capture before orders is asked whether it knows. */
const patienceSeconds = 10

const toPayment = (row: Row): StoredPayment => ({
  id: row.id,
  orderId: row.order_id,
  accountId: row.account_id,
  status: row.status,
  amount: row.amount,
  currency: row.currency,
  ...(row.decline_code ? { declineCode: row.decline_code } : {}),
  ...(row.partly_refunded > 0 ? { partlyRefunded: row.partly_refunded } : {}),
  createdAt: row.created_at.toISOString(),
})

/** Leases refunds of a table that are due, each of so much; one that fails is due again after a delay that grows to a minute. */
export const leaseDue = (
  db: Database,
  table: 'refunds' | 'partial_refunds',
  amount: 'p.amount - p.partly_refunded' | 'r.amount',
  limit: number,
): Promise<DueRefund[]> =>
  transaction(db, async (tx) => {
    const [rows] = await tx.raw(
      `SELECT r.id, r.payment_id AS paymentId, p.charge_id AS chargeId, ${amount} AS amount FROM ${table} r
       JOIN payments p ON p.id = r.payment_id
       WHERE r.done = FALSE AND r.next_attempt_at <= NOW(3)
       ORDER BY r.next_attempt_at LIMIT ? FOR UPDATE SKIP LOCKED`,
      [limit],
    )
    if (rows.length > 0) {
      await tx.raw(
        `UPDATE ${table} SET attempts = attempts + 1,
           next_attempt_at = NOW(3) + INTERVAL LEAST(60, 10 * POW(2, LEAST(attempts, 5))) SECOND WHERE id IN (?)`,
        [rows.map((row: DueRefund) => row.id)],
      )
    }
    return rows
  })

/** Payments, their refunds and the ledger. Each change is conditional on the status it starts from, so a repeat is none. */
export const createPaymentStore = (db: Database, outbox: Outbox) => {
  const load = async (on: Database | Transaction, id: string): Promise<StoredPayment | undefined> => {
    const row: Row | undefined = await on('payments').where({ id }).first()
    return row && toPayment(row)
  }

  /** Two lines that sum to zero, once a transaction id. Positive is a debit. */
  const post = (
    tx: Transaction,
    transactionId: string,
    payment: Pick<Payment, 'amount' | 'orderId' | 'currency'>,
    debit: string,
    credit: string,
  ) =>
    tx('ledger_entries').insert(
      [
        { account: debit, amount: payment.amount },
        { account: credit, amount: -payment.amount },
      ].map((line) => ({
        ...line,
        transaction_id: transactionId,
        order_id: payment.orderId,
        currency: payment.currency,
      })),
    )

  const factOf = ({ id, orderId, amount, currency }: Payment) => ({
    paymentId: id,
    orderId,
    total: { amount, currency },
  })

  /**
   * Opens a payment for an order; gives the one that the order has, where it has one. The unique key on the live order
   * makes it one, whatever runs at the same moment.
   */
  const open = async (
    payment: Omit<StoredPayment, 'status' | 'createdAt'>,
  ): Promise<StoredPayment | undefined> => {
    const [inserted] = await db.raw(
      `INSERT IGNORE INTO payments (id, order_id, account_id, status, amount, currency, live_order_id)
       VALUES (?, ?, ?, 'processing', ?, ?, ?)`,
      [payment.id, payment.orderId, payment.accountId, payment.amount, payment.currency, payment.orderId],
    )
    if (inserted.affectedRows === 1) return undefined
    const row: Row | undefined =
      (await db('payments').where({ live_order_id: payment.orderId }).first()) ??
      (await db('payments').where({ id: payment.id }).first())
    // The live one was declined between the two statements.
    if (!row)
      throw new AppError('unavailable', 'payments/try-again', 'Try again in a moment', {
        retryAfterSeconds: 1,
      })
    return toPayment(row)
  }

  /**
   * The provider holds the money: ledger and event, once. Also for a payment that was thought declined, because what the
   * provider says is the truth.
   */
  const capture = async (id: string, chargeId: string): Promise<StoredPayment | undefined> => {
    const payment = await transaction(db, async (tx) => {
      const [updated] = await tx.raw(
        `UPDATE payments SET status = 'captured', charge_id = ?, decline_code = NULL,
           ask_at = NOW(3) + INTERVAL ${patienceSeconds} SECOND
         WHERE id = ? AND status IN ('processing', 'declined')`,
        [chargeId, id],
      )
      const current = await load(tx, id)
      if (!current) return undefined
      if (updated.affectedRows === 1) {
        await post(tx, id, current, 'provider', 'customers')
        await outbox.add(tx, [fact(paymentCaptured, factOf(current))])
      }
      return current
    })
    outbox.wake()
    return payment
  }

  /** Frees the order for another payment. */
  const decline = async (id: string, declineCode: string): Promise<void> => {
    await db.raw(
      `UPDATE payments SET status = 'declined', decline_code = ?, live_order_id = NULL WHERE id = ? AND status = 'processing'`,
      [declineCode, id],
    )
  }

  /** Undoes `open` where nothing was charged, and surely never will be. */
  const withdraw = async (id: string): Promise<void> => {
    await db('payments').where({ id, status: 'processing' }).delete()
  }

  /**
   * The money of captured payments is to go back. Gives the payments that are there as they are then; one that is not
   * captured is left as it is.
   */
  const demandRefunds = async (tx: Transaction, ids: readonly string[]): Promise<StoredPayment[]> => {
    const rows: Row[] = await tx('payments')
      .whereIn('id', [...ids])
      .orderBy('id')
      .forUpdate()
    const due = rows.filter(({ status }) => status === 'captured').map(({ id }) => id)
    if (due.length > 0) {
      await tx('payments').whereIn('id', due).update({ status: 'refund-due' })
      await tx('refunds').insert(due.map((id) => ({ id: newId(), payment_id: id })))
    }
    return rows.map((row) => toPayment(due.includes(row.id) ? { ...row, status: 'refund-due' } : row))
  }

  /** Of payments as a whole: each of what its payment has left. */
  const leaseRefunds = (limit: number): Promise<DueRefund[]> =>
    leaseDue(db, 'refunds', 'p.amount - p.partly_refunded', limit)

  /** The money went back: ledger and event, once. */
  const settleRefund = async (refundId: string, paymentId: string): Promise<void> => {
    await transaction(db, async (tx) => {
      const [updated] = await tx.raw('UPDATE refunds SET done = TRUE WHERE id = ? AND done = FALSE', [
        refundId,
      ])
      if (updated.affectedRows === 0) return
      await tx('payments').where({ id: paymentId }).update({ status: 'refunded' })
      const payment = await load(tx, paymentId)
      if (!payment) throw new Error(`refund ${refundId} has no payment`)
      const rest = payment.amount - (payment.partlyRefunded ?? 0)
      await post(tx, refundId, { ...payment, amount: rest }, 'customers', 'provider')
      await outbox.add(tx, [fact(paymentRefunded, factOf(payment))])
    })
    outbox.wake()
  }

  const ofOrder = async (orderId: string): Promise<StoredPayment[]> => {
    const rows: Row[] = await db('payments').where({ order_id: orderId }).orderBy('id', 'desc').limit(100)
    return rows.map(toPayment)
  }

  /** Payments without an answer for at least `seconds`, oldest first. */
  const unanswered = async (seconds: number, limit: number): Promise<StoredPayment[]> => {
    const rows: Row[] = await db('payments')
      .where({ status: 'processing' })
      .andWhere('created_at', '<=', db.raw('NOW(3) - INTERVAL ? SECOND', [seconds]))
      .orderBy('created_at')
      .limit(limit)
    return rows.map(toPayment)
  }

  const ledgerOf = async (orderId: string): Promise<LedgerEntry[]> => {
    const rows = await db('ledger_entries')
      .where({ order_id: orderId })
      .orderBy(['written_at', 'transaction_id', 'account'])
    return rows.map((row) => ({
      transactionId: row.transaction_id,
      account: row.account,
      orderId: row.order_id,
      amount: row.amount,
      currency: row.currency,
      at: row.written_at.toISOString(),
    }))
  }

  const balances = async (): Promise<{ account: string; currency: string; balance: number }[]> => {
    const rows: { account: string; currency: string; balance: string }[] = await db('ledger_entries')
      .select('account', 'currency', db.raw('SUM(amount) AS balance'))
      .groupBy('account', 'currency')
    return rows.map((row) => ({ account: row.account, currency: row.currency, balance: Number(row.balance) }))
  }

  const cursor = {
    read: async (): Promise<string | null> =>
      (await db('reconciliation').where({ id: 1 }).first()).after_charge,
    write: async (after: string): Promise<void> => {
      await db('reconciliation').where({ id: 1 }).update({ after_charge: after })
    },
  }

  return {
    post,
    find: (id: string, on: Database | Transaction = db) => load(on, id),
    open,
    capture,
    decline,
    withdraw,
    demandRefunds,
    demandRefundsNow: (ids: readonly string[]) => transaction(db, (tx) => demandRefunds(tx, ids)),
    leaseRefunds,
    settleRefund,
    ofOrder,
    unanswered,
    ledgerOf,
    balances,
    cursor,
  }
}

export type PaymentStore = ReturnType<typeof createPaymentStore>
