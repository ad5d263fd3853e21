import type { Check } from './check.ts'

/** For orders from before there were numbers, which get one in the background. */
const patienceSeconds = 60

/** Of I4: what people find an order by is the order's. */
export const searchChecks: readonly Check[] = [
  {
    invariant: 'I4',
    check: 'each order has a number, which no other has',
    counts: 'SELECT COUNT(*) FROM orders.orders',
    finds: [
      `SELECT CONCAT('order ', id, ' has the number ', COALESCE(number, 'of none')) AS what FROM orders.orders
       WHERE placed_at < NOW(3) - INTERVAL ${patienceSeconds} SECOND
         AND NOT COALESCE(number REGEXP '^CV-[CDFGHJKMNPQRTVWXY34679]{4}-[CDFGHJKMNPQRTVWXY34679]{4}$', FALSE)`,
      `SELECT CONCAT(COUNT(*), ' orders have the number ', number) AS what FROM orders.orders
       WHERE number IS NOT NULL GROUP BY number HAVING COUNT(*) > 1`,
      `SELECT CONCAT('order ', o.id, ' has the number ', o.number, ' and told of ', JSON_VALUE(e.data, '$.number')) AS what
       FROM orders.outbox e JOIN orders.orders o ON o.id = e.event_key
       WHERE e.topic = 'order.placed' AND JSON_VALUE(e.data, '$.number') <> o.number`,
    ],
  },
  {
    invariant: 'I4',
    check: 'an order is found by its lines, its account and its currency, and no other is',
    counts: 'SELECT COUNT(*) FROM orders.order_index',
    finds: [
      `SELECT CONCAT('order ', l.order_id, ' is not found by ', l.sku) AS what
       FROM audit_lines l JOIN orders.orders o ON o.id = l.order_id
       LEFT JOIN orders.order_index i ON i.kind = 'sku' AND i.value = l.sku AND i.placed_at = o.placed_at AND i.order_id = o.id
       WHERE i.order_id IS NULL AND o.number IS NOT NULL`,
      `SELECT CONCAT('order ', o.id, ' is not found by its ', k.kind) AS what
       FROM orders.orders o JOIN (SELECT 'account' AS kind UNION ALL SELECT 'currency') AS k
       LEFT JOIN orders.order_index i ON i.kind = k.kind AND i.value = IF(k.kind = 'account', o.account_id, o.currency)
         AND i.placed_at = o.placed_at AND i.order_id = o.id
       WHERE i.order_id IS NULL AND o.number IS NOT NULL`,
      `SELECT CONCAT('order ', i.order_id, ' is found by ', i.kind, ' ', i.value, ', and has none such') AS what
       FROM orders.order_index i LEFT JOIN orders.orders o ON o.id = i.order_id
       LEFT JOIN audit_lines l ON l.order_id = i.order_id AND l.sku = i.value
       WHERE NOT COALESCE(CASE i.kind WHEN 'sku' THEN l.sku IS NOT NULL WHEN 'account' THEN i.value = o.account_id
         WHEN 'currency' THEN i.value = o.currency ELSE o.id IS NOT NULL END, FALSE)`,
    ],
  },
]
