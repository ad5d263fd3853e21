import type { Check } from './check.ts'

/** I7: sums, to the cent. */
export const totalChecks: readonly Check[] = [
  {
    invariant: 'I7',
    check: 'line total = unit price × quantity',
    counts: 'SELECT COUNT(*) FROM audit_lines',
    finds: [
      `SELECT CONCAT('order ', order_id, ', ', sku, ': ', quantity, ' x ', unit_price, ' is not ', total) AS what
       FROM audit_lines WHERE NOT COALESCE(quantity > 0 AND unit_price > 0 AND total = quantity * unit_price, FALSE)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'order total = the sum of its parts',
    counts: 'SELECT COUNT(*) FROM orders.orders',
    // An order from before there were quotes has its lines only.
    finds: [
      `SELECT CONCAT('order ', o.id, ' is of ', o.total, ', its parts of ', COALESCE(p.n, l.n, 'nothing')) AS what
       FROM orders.orders o LEFT JOIN (SELECT order_id, SUM(total) AS n FROM audit_lines GROUP BY order_id) AS l ON l.order_id = o.id
       LEFT JOIN (SELECT order_id, SUM(gross) AS n FROM audit_costs GROUP BY order_id) AS p ON p.order_id = o.id
       WHERE NOT o.total <=> IF(o.quote IS NULL, l.n, p.n)`,
      `SELECT CONCAT('order ', o.id, ' has lines of ', COALESCE(l.n, 'nothing'), ', its quote of ', JSON_VALUE(o.quote, '$.subtotal')) AS what
       FROM orders.orders o LEFT JOIN (SELECT order_id, SUM(total) AS n FROM audit_lines GROUP BY order_id) AS l ON l.order_id = o.id
       WHERE o.quote IS NOT NULL AND NOT l.n <=> CAST(JSON_VALUE(o.quote, '$.subtotal') AS SIGNED)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'a part costs its price less its discounts, with its tax',
    counts: 'SELECT COUNT(*) FROM audit_costs',
    finds: [
      `SELECT CONCAT('order ', o.id, ', ', p.part, ': ', p.price, ' less ', p.off, ' is ', p.net, ' and ', p.tax, ', together ', p.gross) AS what
       FROM audit_costs p JOIN orders.orders o ON o.id = p.order_id
       WHERE NOT COALESCE(LEAST(p.off, p.net, p.tax) >= 0 AND p.gross = p.net + p.tax
         AND p.price - p.off = IF(JSON_VALUE(o.quote, '$.prices') = 'net', p.net, p.gross), FALSE)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'payment = order total',
    counts: 'SELECT COUNT(*) FROM payments.payments',
    finds: [
      `SELECT CONCAT('payment ', p.id, ' is of ', p.amount, ' ', p.currency, ', order ', p.order_id, ' of ',
         COALESCE(CONCAT(o.total, ' ', o.currency), 'nothing: it does not exist')) AS what
       FROM payments.payments p LEFT JOIN orders.orders o ON o.id = p.order_id
       WHERE NOT (o.total <=> p.amount AND o.currency <=> p.currency AND o.account_id <=> p.account_id)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'provider’s charge = payment',
    counts: 'SELECT COUNT(*) FROM audit_charges',
    finds: [
      `SELECT CONCAT('charge ', c.id, ' is of ', c.amount, ' ', c.currency, ', payment ', c.payment, ' of ',
         COALESCE(CONCAT(p.amount, ' ', p.currency), 'nothing: it does not exist')) AS what
       FROM audit_charges c LEFT JOIN payments.payments p ON p.id = c.payment
       WHERE NOT (p.amount <=> c.amount AND p.currency <=> c.currency)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'events tell the order’s total',
    counts: `SELECT (SELECT COUNT(*) FROM orders.outbox WHERE topic = 'order.placed')
      + (SELECT COUNT(*) FROM payments.outbox WHERE topic IN ('payment.captured', 'payment.refunded'))`,
    finds: [
      `SELECT CONCAT(e.topic, ' of order ', e.event_key, ' tells ', JSON_VALUE(e.data, '$.total.amount'), ', the order has ',
         COALESCE(o.total, 'nothing')) AS what
       FROM (SELECT topic, event_key, data FROM orders.outbox WHERE topic = 'order.placed'
         UNION ALL SELECT topic, event_key, data FROM payments.outbox WHERE topic IN ('payment.captured', 'payment.refunded')) AS e
       LEFT JOIN orders.orders o ON o.id = e.event_key
       WHERE NOT (JSON_VALUE(e.data, '$.total.amount') <=> o.total AND JSON_VALUE(e.data, '$.total.currency') <=> o.currency)`,
    ],
  },
  {
    invariant: 'I7',
    check: 'figures = the sums of the orders',
    counts: 'SELECT COUNT(*) FROM orders.sales',
    finds: [
      `SELECT CONCAT('of orders in ', o.currency, ' ', o.sold, ' was sold; the figures say ', COALESCE(s.sold, 'nothing')) AS what
       FROM (SELECT currency, SUM(total) AS sold FROM orders.orders WHERE status = 'confirmed' AND quote IS NOT NULL
         AND id NOT IN (SELECT subject FROM orders.sales_due) GROUP BY currency) AS o
       LEFT JOIN (SELECT currency, SUM(sold_gross) AS sold FROM orders.sales GROUP BY currency) AS s ON s.currency = o.currency
       WHERE NOT s.sold <=> o.sold`,
      `SELECT CONCAT('of orders in ', o.currency, ' ', o.back, ' went back; the figures say ', COALESCE(s.back, 'nothing')) AS what
       FROM (SELECT o.currency, SUM(r.amount) AS back FROM audit_parts r JOIN orders.orders o ON o.id = r.order_id AND o.quote IS NOT NULL
         WHERE r.status = 'done' AND r.id NOT IN (SELECT subject FROM orders.sales_due) GROUP BY o.currency) AS o
       LEFT JOIN (SELECT currency, SUM(back_gross) AS back FROM orders.sales GROUP BY currency) AS s ON s.currency = o.currency
       WHERE NOT s.back <=> o.back`,
    ],
  },
]
