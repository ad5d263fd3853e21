import {
  captures,
  charges,
  chargeTotals,
  ledger,
  live,
  liveCharge,
  paymentsEnd,
  paymentTotals,
  promisedPayment,
  refunds,
  samePayment,
  sums,
  worth,
} from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofMoney = ({ first, second, refunded }: Story, { sql, atProvider }: Spoil): Case[] => {
  const entries = (transaction: string, order: string) =>
    sql(`INSERT INTO payments.ledger_entries (transaction_id, account, order_id, amount, currency)
      VALUES ('${transaction}', 'provider', '${order}', 5, 'USD'), ('${transaction}', 'customers', '${order}', -5, 'USD')`)
  const charge = (status: string, amount: string, reference: string) =>
    atProvider(
      `INSERT INTO charges (id, status, amount, currency, payment_method, reference, idempotency_key, created_at)
       SELECT 'ch_x', '${status}', ${amount}, currency, payment_method, '${reference}', 'x', created_at FROM charges LIMIT 1`,
      `DELETE FROM charges WHERE id = 'ch_x'`,
    )
  const payment = (status: string, amount: string) =>
    sql(`INSERT INTO payments.payments (id, order_id, account_id, status, amount, currency)
      SELECT '${nobody}', id, account_id, '${status}', ${amount}, currency FROM orders.orders WHERE id = '${first.id}'`)
  return [
    [
      'a payment that is another order’s',
      sql(`UPDATE payments.payments SET order_id = '${first.id}' WHERE id = '${second.payment}'`),
      [live, liveCharge, ledger, samePayment, captures, promisedPayment],
    ],
    [
      'a third line in a transaction',
      sql(`INSERT INTO payments.ledger_entries (transaction_id, account, order_id, amount, currency)
        VALUES ('${first.payment}', 'fees', '${first.id}', 1, 'USD')`),
      ['every ledger transaction sums to zero'],
    ],
    ['a transaction of nothing', entries(nobody, first.id), [ledger, worth, sums]],
    ['a transaction of no order', entries(nobody, nobody), [ledger, worth, sums]],
    [
      'a capture that was not booked',
      sql(`DELETE FROM payments.ledger_entries WHERE transaction_id = '${first.payment}'`),
      [ledger, worth, sums],
    ],
    [
      'a refund that was not booked',
      sql(`DELETE FROM payments.ledger_entries WHERE transaction_id = (SELECT id FROM payments.refunds)`),
      [ledger, worth, sums],
    ],
    [
      'a payment of another charge',
      sql(`UPDATE payments.payments SET charge_id = 'ch_other' WHERE id = '${first.payment}'`),
      [charges],
    ],
    ['a charge of no payment', charge('captured', '1', nobody), [charges, sums, captures, chargeTotals]],
    ['a declined charge of another sum', charge('declined', 'amount + 1', first.payment), [chargeTotals]],
    ['a declined payment of another sum', payment('declined', 'total + 1'), [paymentTotals]],
    [
      'a charge that the provider gave back by itself',
      atProvider(
        `INSERT INTO refunds (id, charge, amount, currency, reference, idempotency_key, created_at)
         SELECT 're_x', id, amount, currency, 'x', 'x', created_at FROM charges WHERE reference = '${first.payment}'`,
        `DELETE FROM refunds WHERE id = 're_x'`,
      ),
      [refunds, sums],
    ],
    [
      'a refund of nobody’s wish',
      atProvider(
        `UPDATE refunds SET reference = reference || '-'`,
        `UPDATE refunds SET reference = rtrim(reference, '-')`,
      ),
      [refunds],
    ],
    ['a refund that is not there', sql('DELETE FROM payments.refunds'), [ledger, refunds]],
    [
      'a refund that is not done',
      sql('UPDATE payments.refunds SET done = FALSE'),
      [ledger, refunds, paymentsEnd],
    ],
    ['a payment without an answer', payment('processing', 'total'), [paymentsEnd]],
    [
      'an order that names another payment',
      sql(`UPDATE orders.orders SET payment_id = '${nobody}' WHERE id = '${refunded.id}'`),
      [samePayment],
    ],
    [
      'a sold order that names another payment',
      sql(`UPDATE orders.orders SET payment_id = '${nobody}' WHERE id = '${first.id}'`),
      [samePayment, captures],
    ],
  ]
}
