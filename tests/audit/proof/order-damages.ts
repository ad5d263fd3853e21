import {
  addresses,
  answers,
  captures,
  costs,
  documentSums,
  figures,
  histories,
  lineTotals,
  oneKey,
  ordersEnd,
  promisedEnd,
  reservationsEnd,
  reserved,
  samePayment,
  seconds,
  story,
  totals,
  unasked,
} from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofOrders = (
  { first, cancelled, refunded, unpaid, left, product }: Story,
  { sql }: Spoil,
): Case[] => {
  const change = (order: { readonly id: string }, columns: string) =>
    sql(`UPDATE orders.orders SET ${columns} WHERE id = '${order.id}'`)
  const append = (what: string) =>
    `history = JSON_ARRAY_APPEND(history, '$', JSON_OBJECT('what', '${what}', 'at', '2100-01-01T00:00:00.000Z'))`
  const total = (line: number, plus: string) =>
    `'$[${line}].total', JSON_VALUE(order_lines, '$[${line}].total') ${plus}`
  const answered = (columns: string) =>
    sql(`UPDATE orders.idempotency_keys SET ${columns} WHERE subject_id = '${first.id}'`)
  return [
    [
      'an address of somebody who left',
      change(left, `shipping_address = JSON_SET(shipping_address, '$.name', 'Mei')`),
      [addresses],
    ],
    ['a kept answer of another total', answered(`body = JSON_SET(body, '$.total', 1)`), [answers]],
    [
      'a kept answer about a payment that is not there',
      sql(
        `UPDATE payments.idempotency_keys SET subject_id = '${nobody}' WHERE subject_id = '${first.payment}'`,
      ),
      [answers],
    ],
    [
      'an order without a kept answer',
      sql(`DELETE FROM orders.idempotency_keys WHERE subject_id = '${first.id}'`),
      [oneKey],
    ],
    [
      'an order under two keys',
      sql(`INSERT INTO orders.idempotency_keys (scope, idempotency_key, fingerprint, subject_id, claimed_until, status, body)
        SELECT scope, 'another', fingerprint, subject_id, claimed_until, status, body FROM orders.idempotency_keys
        WHERE subject_id = '${first.id}'`),
      [oneKey, unasked],
    ],
    [
      'an order at the old price after one at the new',
      answered('created_at = NOW(3) + INTERVAL 1 HOUR'),
      ['no order was placed at an older version after a newer was seen'],
    ],
    [
      'a price that catalog never had',
      sql(`UPDATE catalog.outbox SET data = JSON_SET(data, '$.variants[0].price.amount', 1)
        WHERE event_key = '${product}' AND JSON_VALUE(data, '$.version') = 1`),
      ['each line was sold at a price that catalog once told'],
    ],
    ['an order that is not paid in time', change(unpaid, 'pay_before = NOW(3)'), [ordersEnd]],
    [
      'a paid order that is not confirmed',
      change(first, `status = 'paid', history = JSON_REMOVE(history, '$[2]')`),
      [ordersEnd, captures, promisedEnd, story, documentSums, figures],
    ],
    [
      'an order whose refund is due for ever',
      change(refunded, `payment_status = 'refund-due', history = JSON_REMOVE(history, '$[3]')`),
      [ordersEnd, samePayment],
    ],
    [
      'a reservation that is held for too long',
      sql(`UPDATE inventory.reservations SET expires_at = NOW(3) WHERE order_id = '${unpaid.id}'`),
      [reservationsEnd],
    ],
    [
      'a reservation that is held for a cancelled order',
      sql(`UPDATE inventory.reservations SET status = 'held' WHERE order_id = '${cancelled.id}'`),
      [reserved, reservationsEnd],
    ],
    [
      'a history without its middle',
      change(first, `history = JSON_REMOVE(history, '$[1]')`),
      [histories, story],
    ],
    ['a confirmed order with a reason for its end', change(first, `cancel_reason = 'unpaid'`), [histories]],
    [
      'a second payment that went back and never came',
      change(first, append('second-payment-refunded')),
      [seconds],
    ],
    [
      'a second payment before a first',
      change(unpaid, append('second-payment-refund-due')),
      [seconds, story],
    ],
    [
      'a history that goes back in time',
      change(first, `history = JSON_SET(history, '$[1].at', '2000-01-01T00:00:00.000Z')`),
      ['times in a history never go back'],
    ],
    [
      'a line of a cent more',
      change(first, `order_lines = JSON_SET(order_lines, ${total(0, '+ 1')})`),
      [lineTotals, totals],
    ],
    [
      'a cent that moved from line to line',
      change(first, `order_lines = JSON_SET(order_lines, ${total(0, '+ 1')}, ${total(1, '- 1')})`),
      [lineTotals],
    ],
    [
      'a line with a cent of tax more',
      change(first, `quote = JSON_SET(quote, '$.lines[0].tax', 1 + JSON_VALUE(quote, '$.lines[0].tax'))`),
      [costs],
    ],
    [
      'a quote of another total',
      change(
        first,
        `quote = JSON_SET(quote, '$.lines[0].tax', 1 + JSON_VALUE(quote, '$.lines[0].tax'),
          '$.lines[0].gross', 1 + JSON_VALUE(quote, '$.lines[0].gross'), '$.prices', 'net')`,
      ),
      [totals],
    ],
    [
      'a sale that nobody paid',
      change(first, `payment_id = NULL, payment_status = NULL`),
      [histories, captures],
    ],
  ]
}
