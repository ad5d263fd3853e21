import type { Check } from './check.ts'

/** Seconds from the time on an inbox row to the commit of what its event changed, at most. */
const slack = 60

/** I9: orders' copy of the catalog and of promotions, and what it was worth while orders were placed. */
export const replicaChecks: readonly Check[] = [
  {
    invariant: 'I9',
    check: 'orders knows each product at catalog’s version',
    counts: 'SELECT COUNT(*) FROM catalog.products',
    finds: [
      `SELECT CONCAT('product ', p.id, ' is at version ', p.version, ', orders knows ', COALESCE(o.version, 'none')) AS what
       FROM catalog.products p LEFT JOIN orders.offered_products o ON o.product_id = p.id WHERE NOT o.version <=> p.version`,
      `SELECT CONCAT('product ', o.product_id, ' is unknown to catalog') AS what
       FROM orders.offered_products o LEFT JOIN catalog.products p ON p.id = o.product_id WHERE p.id IS NULL`,
    ],
  },
  {
    invariant: 'I9',
    check: 'orders knows each promotion at its version',
    counts: 'SELECT COUNT(*) FROM promotions.promotions',
    finds: [
      `SELECT CONCAT('promotion ', p.id, ' is at version ', p.version, ', orders knows ', COALESCE(o.version, 'none')) AS what
       FROM promotions.promotions p LEFT JOIN orders.promotions o ON o.id = p.id WHERE NOT o.version <=> p.version`,
      `SELECT CONCAT('promotion ', o.id, ' is unknown to promotions') AS what
       FROM orders.promotions o LEFT JOIN promotions.promotions p ON p.id = o.id WHERE p.id IS NULL`,
    ],
  },
  {
    invariant: 'I9',
    check: 'orders offers what is on the shelf, at its price',
    counts: 'SELECT COUNT(*) FROM audit_variants',
    finds: [
      `SELECT CONCAT(v.sku, ' costs ', v.unit_price, ' ', v.currency, ', orders offers ',
         IF(o.sku IS NULL, 'none', CONCAT('it for ', o.unit_price, ' ', o.currency, ', as ', JSON_VALUE(o.title, '$.en')))) AS what
       FROM audit_variants v LEFT JOIN orders.offers o ON o.sku = v.sku AND o.product_id = v.product_id
       WHERE NOT (o.unit_price <=> v.unit_price AND o.currency <=> v.currency
         AND JSON_VALUE(o.title, '$.en') <=> v.title_en AND JSON_VALUE(o.title, '$.zh') <=> v.title_zh
         AND o.weight_grams <=> v.weight_grams AND o.seller <=> v.seller AND o.category <=> v.category AND o.tax_class <=> v.tax_class)`,
      `SELECT CONCAT(o.sku, ' is offered and not on the shelf') AS what
       FROM orders.offers o LEFT JOIN audit_variants v ON v.sku = o.sku AND v.product_id = o.product_id WHERE v.sku IS NULL`,
    ],
  },
  {
    invariant: 'I9',
    check: 'each line was sold at a price that catalog once told',
    // Only products all of whose versions are still in the outbox.
    counts: 'SELECT COUNT(*) FROM audit_lines',
    finds: [
      `SELECT CONCAT('order ', l.order_id, ': ', l.sku, ' for ', l.unit_price) AS what FROM audit_lines l
       JOIN (SELECT event_key, COUNT(*) AS n FROM catalog.outbox WHERE topic = 'product.changed' GROUP BY event_key) AS e
         ON e.event_key = l.product_id
       JOIN catalog.products p ON p.id = l.product_id AND p.version = e.n
       WHERE l.oldest IS NULL`,
    ],
  },
  {
    invariant: 'I9',
    check: 'no order was placed at an older version after a newer was seen',
    // Seen: by an order that was committed before the other was asked for, or handled, with `slack`, by orders itself.
    counts: 'SELECT COUNT(*) FROM audit_lines WHERE oldest IS NOT NULL',
    finds: [
      `SELECT CONCAT('order ', order_id, ' was placed at version ', version, ' of product ', product_id, ', ', seen, ' was seen before') AS what
       FROM (
         SELECT order_id, product_id, version, moment,
           MAX(IF(moment = 'ask', 0, version)) OVER (PARTITION BY product_id ORDER BY at) AS seen
         FROM (
           SELECT s.order_id, s.product_id, IF(m.moment = 'ask', s.newest, s.oldest) AS version, m.moment,
             IF(m.moment = 'ask', k.created_at, e.created_at + INTERVAL 1000 MICROSECOND) AS at
           FROM audit_lines s
           STRAIGHT_JOIN (SELECT subject_id, MIN(created_at) AS created_at FROM orders.idempotency_keys WHERE status = 201 GROUP BY subject_id) AS k
             ON k.subject_id = s.order_id
           STRAIGHT_JOIN (SELECT event_key, MIN(created_at) AS created_at FROM orders.outbox WHERE topic = 'order.placed' GROUP BY event_key) AS e
             ON e.event_key = s.order_id
           STRAIGHT_JOIN (SELECT 'ask' AS moment UNION ALL SELECT 'saw') AS m
           WHERE s.oldest IS NOT NULL
           UNION ALL
           SELECT NULL, o.event_key, CAST(JSON_VALUE(o.data, '$.version') AS UNSIGNED), 'handled',
             i.handled_at + INTERVAL ${slack} SECOND
           FROM catalog.outbox o JOIN orders.inbox i ON i.event_id = o.id WHERE o.topic = 'product.changed'
         ) AS moments
       ) AS w WHERE moment = 'ask' AND version < seen`,
    ],
  },
]
