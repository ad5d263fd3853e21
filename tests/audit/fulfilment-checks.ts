import type { Check } from './check.ts'

const units = 'SELECT COUNT(*) FROM audit_units'
const refunds = 'SELECT (SELECT COUNT(*) FROM audit_parts) + (SELECT COUNT(*) FROM payments.partial_refunds)'

/** Of I1 and I2, what became of confirmed orders: units are sent or cancelled once, and money goes back once. */
export const fulfilmentChecks: readonly Check[] = [
  {
    invariant: 'I1',
    check: 'shipped + cancelled + open = ordered, and parcels hold what is shipped',
    counts: units,
    finds: [
      `SELECT CONCAT('order ', u.order_id, ': of ', COALESCE(l.quantity, 'no'), ' ', u.sku, ' there are ', u.ordered, ' ordered, ',
         u.shipped, ' shipped, ', u.cancelled, ' cancelled') AS what
       FROM audit_units u LEFT JOIN audit_lines l ON l.order_id = u.order_id AND l.sku = u.sku
       WHERE NOT COALESCE(u.ordered = COALESCE(l.quantity, 0) + u.exchanged AND LEAST(u.shipped, u.cancelled) >= 0 AND u.shipped + u.cancelled <= u.ordered, FALSE)`,
      `SELECT CONCAT('order ', u.order_id, ': of ', u.shipped, ' shipped ', u.sku, ' there are ', COALESCE(p.n, 0), ' in parcels') AS what
       FROM audit_units u LEFT JOIN (SELECT order_id, sku, SUM(quantity) AS n FROM audit_parcels GROUP BY order_id, sku) AS p
         ON p.order_id = u.order_id AND p.sku = u.sku
       WHERE u.shipped <> COALESCE(p.n, 0)`,
      `SELECT CONCAT('order ', u.order_id, ': of ', u.exchanged, ' ', u.sku, ' in exchange there are ', COALESCE(s.n, 0), ' sold') AS what
       FROM audit_units u LEFT JOIN (SELECT order_id, sku, SUM(quantity) AS n FROM inventory.further_sales GROUP BY order_id, sku) AS s
         ON s.order_id = u.order_id AND s.sku = u.sku
       WHERE u.exchanged > COALESCE(s.n, 0)`,
      `SELECT CONCAT('parcel ', p.shipment_id, ' of order ', p.order_id, ' cannot be found by its number') AS what
       FROM audit_parcels p LEFT JOIN orders.shipments s ON s.id = p.shipment_id AND s.order_id = p.order_id WHERE s.id IS NULL`,
    ],
  },
  {
    invariant: 'I1',
    check: 'cancelled units can be sold again',
    counts: units,
    finds: [
      `SELECT CONCAT('order ', u.order_id, ': of ', u.cancelled, ' cancelled ', u.sku, ' there are ', COALESCE(r.n, 0), ' in stock again') AS what
       FROM audit_units u LEFT JOIN (SELECT order_id, sku, SUM(quantity) AS n FROM inventory.released_units GROUP BY order_id, sku) AS r
         ON r.order_id = u.order_id AND r.sku = u.sku
       WHERE COALESCE(r.n, 0) < u.cancelled`,
    ],
  },
  {
    invariant: 'I2',
    check: 'orders and payments say the same of refunds in parts',
    counts: refunds,
    finds: [
      `SELECT CONCAT('refund ', a.id, ' of ', a.amount, ' for order ', a.order_id, ' is ', a.status, '; payments has ',
         COALESCE(CONCAT(r.amount, IF(r.done, ', done', ', due')), 'nothing')) AS what
       FROM audit_parts a LEFT JOIN payments.partial_refunds r ON r.id = a.id
       WHERE NOT COALESCE(r.amount = a.amount AND r.payment_id = a.payment AND a.status = IF(r.done, 'done', 'due'), FALSE)`,
      `SELECT CONCAT('payments gives ', r.amount, ' back as ', r.id, ', for no refund of an order') AS what
       FROM payments.partial_refunds r LEFT JOIN audit_parts a ON a.id = r.id WHERE a.id IS NULL`,
      `SELECT CONCAT('order ', o.id, ' of ', o.total, ': ', SUM(a.amount), ' goes back, ', f.left_of, ' is left') AS what
       FROM audit_parts a JOIN orders.orders o ON o.id = a.order_id
       JOIN (SELECT order_id, MAX(left_of) AS left_of FROM audit_units GROUP BY order_id) AS f ON f.order_id = o.id
       GROUP BY o.id, o.total, f.left_of HAVING SUM(a.amount) + f.left_of <> o.total`,
    ],
  },
]
