import type { Check } from './check.ts'

/** What each pile of a SKU must be, by the rows that moved it. */
const pile = (column: string, sum: string): string[] => [
  `SELECT CONCAT(s.sku, ': ${column} is ', s.${column}, ', its rows say ', COALESCE(r.n, 0)) AS what
   FROM inventory.stock s LEFT JOIN (${sum}) AS r ON r.sku = s.sku WHERE s.${column} <> COALESCE(r.n, 0)`,
  `SELECT CONCAT(r.sku, ': ${column} is unknown, its rows say ', r.n) AS what
   FROM (${sum}) AS r LEFT JOIN inventory.stock s ON s.sku = r.sku WHERE s.sku IS NULL AND r.n <> 0`,
]

const items = (status: string) =>
  `SELECT i.sku, SUM(i.quantity) AS n FROM inventory.reservation_items i
   JOIN inventory.reservations r ON r.order_id = i.order_id WHERE r.status = '${status}' GROUP BY i.sku`

/** What was sold in exchange, and what was sold and is there again. */
const beside = `SELECT sku, SUM(quantity) AS n FROM inventory.further_sales GROUP BY sku
  UNION ALL SELECT sku, -SUM(quantity) AS n FROM inventory.released_units GROUP BY sku`

const skus = 'SELECT COUNT(*) FROM inventory.stock'

/** I1: nothing is created, lost or sold twice, SKU by SKU. */
export const stockChecks: readonly Check[] = [
  {
    invariant: 'I1',
    check: 'received = the sum of adjustments',
    counts: skus,
    finds: pile('received', 'SELECT sku, SUM(delta) AS n FROM inventory.adjustments GROUP BY sku'),
  },
  {
    invariant: 'I1',
    check: 'received = available + reserved + sold',
    counts: skus,
    finds: [
      `SELECT CONCAT(sku, ': ', received, ' <> ', available, ' + ', reserved, ' + ', sold) AS what
       FROM inventory.stock WHERE received <> available + reserved + sold`,
    ],
  },
  {
    invariant: 'I1',
    check: 'nothing below 0',
    counts: skus,
    finds: [
      `SELECT CONCAT(sku, ': ', available, ' available, ', reserved, ' reserved, ', sold, ' sold') AS what
       FROM inventory.stock WHERE LEAST(received, available, reserved, sold) < 0`,
    ],
  },
  {
    invariant: 'I1',
    check: 'reserved = the items of held reservations',
    counts: skus,
    finds: pile('reserved', items('held')),
  },
  {
    invariant: 'I1',
    check: 'sold = the items of sold reservations and further sales, less what is there again',
    counts: skus,
    // Those that are deleted are summed up.
    finds: pile(
      'sold',
      `SELECT sku, SUM(n) AS n FROM (${items('sold')} UNION ALL SELECT sku, quantity FROM inventory.sold_before
         UNION ALL ${beside}) AS all_sold GROUP BY sku`,
    ),
  },
  {
    invariant: 'I1',
    check: 'sold = the lines of confirmed orders and what came in exchange, less what is there again',
    counts: skus,
    finds: pile(
      'sold',
      // A paid order's stock may be sold a moment before it is confirmed.
      `SELECT sku, SUM(n) AS n FROM (
         SELECT l.sku, SUM(l.quantity) AS n FROM audit_lines l JOIN orders.orders o ON o.id = l.order_id
         LEFT JOIN inventory.reservations r ON r.order_id = o.id
         WHERE o.status = 'confirmed' OR (o.status = 'paid' AND r.status = 'sold') GROUP BY l.sku
         UNION ALL ${beside}) AS all_sold GROUP BY sku`,
    ),
  },
]

/** Seconds from the time on a row to the commit of what it stands for, at most: of an adjustment, of an event. */
const adjusting = 20
const handling = 60

/**
 * I8, for each SKU that a client was refused: no unmet demand beside unsold stock. At the moment of a refusal there was at
 * least
 *
 *     what is available now + what was reserved or written off after the answer − what may have come back after the question
 *
 * and when that is as much as was asked for, the refusal is a violation. Stock comes back by an adjustment, or by the
 * release of a reservation: when inventory handled the order's end, or, for a reservation that lapsed, at a moment that
 * nobody keeps, which counts as after every question. So what is reported is certain; what is in doubt is not reported.
 */
export const demandChecks: readonly Check[] = [
  {
    invariant: 'I8',
    check: 'what was refused was not on the shelf',
    counts: `SELECT COUNT(*) FROM audit_short WHERE moment = 'asked'`,
    finds: [
      `SELECT CONCAT(sku, ': ', quantity, ' refused at ', asked, ', at least ', floor_of, ' were there') AS what FROM (
         SELECT w.refusal, w.sku, MAX(w.quantity) AS quantity, MIN(w.at) AS asked,
           COALESCE(MAX(s.available), 0) + MAX(CASE w.moment WHEN 'answered' THEN w.taken ELSE 0 END)
             - MAX(CASE w.moment WHEN 'asked' THEN w.returned ELSE 0 END) AS floor_of
         FROM (
           SELECT t.*, SUM(t.takes) OVER (PARTITION BY t.sku ORDER BY t.at DESC) AS taken,
             SUM(t.returns) OVER (PARTITION BY t.sku ORDER BY t.at DESC) AS returned
           FROM (
             SELECT refusal, sku, quantity, at, moment, 0 AS takes, 0 AS returns FROM audit_short
             UNION ALL
             SELECT NULL, i.sku, 0, r.created_at, 'reserved', i.quantity, 0
             FROM inventory.reservation_items i JOIN inventory.reservations r ON r.order_id = i.order_id
             UNION ALL
             SELECT NULL, sku, 0, sold_at, 'exchanged', quantity, 0 FROM inventory.further_sales
             UNION ALL
             SELECT NULL, sku, 0, adjusted_at, 'written off', -delta, 0 FROM inventory.adjustments WHERE delta < 0
             UNION ALL
             SELECT NULL, sku, 0, adjusted_at + INTERVAL ${adjusting} SECOND, 'received', 0, delta
             FROM inventory.adjustments WHERE delta > 0
             UNION ALL
             SELECT NULL, sku, 0, released_at + INTERVAL ${handling} SECOND, 'there again', 0, quantity FROM inventory.released_units
             UNION ALL
             SELECT NULL, i.sku, 0,
               IF(e.handled_at < r.expires_at, e.handled_at + INTERVAL ${handling} SECOND, '9999-01-01'), 'released', 0, i.quantity
             FROM inventory.reservation_items i
             JOIN inventory.reservations r ON r.order_id = i.order_id AND r.status = 'released'
             LEFT JOIN (
               SELECT o.event_key, MIN(b.handled_at) AS handled_at FROM orders.outbox o
               JOIN inventory.inbox b ON b.event_id = o.id
               WHERE o.topic IN ('order.cancelled', 'order.abandoned') GROUP BY o.event_key
             ) AS e ON e.event_key = i.order_id
           ) AS t
         ) AS w LEFT JOIN inventory.stock s ON s.sku = w.sku
         WHERE w.refusal IS NOT NULL GROUP BY w.refusal, w.sku
       ) AS f WHERE floor_of >= quantity`,
    ],
  },
]
