import type { Check } from './check.ts'

/** The services keep idempotency records for two days. */
const recordDays = 1
/** And ended reservations for eight at least. */
const reservationDays = 7

const orders = 'SELECT COUNT(*) FROM orders.orders'

const answered = (operation: string) => `status = 201 AND SUBSTRING_INDEX(scope, ' ', -1) = '${operation}'`
const kept = (database: string, operation: string) =>
  `(SELECT SUBSTRING_INDEX(scope, ' ', 1) AS account, idempotency_key AS request, subject_id, body
    FROM ${database}.idempotency_keys WHERE ${answered(operation)})`
/** Requests to place an order that were answered with one. */
export const placements = kept('orders', 'placeOrder')
const payings = kept('payments', 'payOrder')

/** I4: one request, one order, one reservation. */
export const onceChecks: readonly Check[] = [
  {
    invariant: 'I4',
    check: 'each kept answer is of one order, of that account',
    counts: `SELECT COUNT(*) FROM ${placements} AS k`,
    finds: [
      `SELECT CONCAT('key ', k.request, ' was answered with order ', k.subject_id, IF(o.id IS NULL, ', which does not exist',
         ', of another account or total')) AS what
       FROM ${placements} AS k LEFT JOIN orders.orders o ON o.id = k.subject_id
       WHERE o.id IS NULL OR o.account_id <> k.account OR NOT JSON_VALUE(k.body, '$.id') <=> o.id
         OR NOT JSON_VALUE(k.body, '$.total') <=> o.total`,
      `SELECT CONCAT('payment key ', k.request, ' was answered with payment ', k.subject_id, ', which does not exist') AS what
       FROM ${payings} AS k LEFT JOIN payments.payments p ON p.id = k.subject_id AND p.account_id = k.account WHERE p.id IS NULL`,
    ],
  },
  {
    invariant: 'I4',
    check: 'each order was asked for under one key',
    counts: `SELECT COUNT(*) FROM orders.orders WHERE placed_at > NOW(3) - INTERVAL ${recordDays} DAY`,
    finds: [
      `SELECT CONCAT('order ', o.id, ' has ', COALESCE(k.n, 0), ' keys') AS what FROM orders.orders o LEFT JOIN (
         SELECT subject_id, COUNT(*) AS n FROM orders.idempotency_keys WHERE ${answered('placeOrder')} GROUP BY subject_id) AS k ON k.subject_id = o.id
       WHERE o.placed_at > NOW(3) - INTERVAL ${recordDays} DAY AND COALESCE(k.n, 0) <> 1`,
    ],
  },
  {
    invariant: 'I4',
    check: 'each order has one reservation, each reservation one order',
    counts: `SELECT (${orders}) + (SELECT COUNT(*) FROM inventory.reservations)`,
    finds: [
      `SELECT CONCAT('order ', o.id, ' is ', o.status, ', its reservation is ', COALESCE(r.status, 'missing')) AS what
       FROM orders.orders o LEFT JOIN inventory.reservations r ON r.order_id = o.id
       WHERE (r.status IS NULL AND o.placed_at > NOW(3) - INTERVAL ${reservationDays} DAY) OR (o.status = 'confirmed' AND r.status <> 'sold')
         OR (o.status NOT IN ('paid', 'confirmed') AND r.status = 'sold')`,
      // One that is held may be of an order that is yet to be committed; unfinished ones are I5's.
      `SELECT CONCAT('reservation ', r.order_id, ' is sold, its order does not exist') AS what
       FROM inventory.reservations r LEFT JOIN orders.orders o ON o.id = r.order_id WHERE o.id IS NULL AND r.status = 'sold'`,
    ],
  },
  {
    invariant: 'I4',
    check: 'a reservation is of its order’s lines',
    counts: 'SELECT COUNT(*) FROM audit_lines',
    finds: [
      `SELECT CONCAT('order ', l.order_id, ' has ', l.quantity, ' of ', l.sku, ', its reservation ', COALESCE(i.quantity, 'none')) AS what
       FROM audit_lines l LEFT JOIN inventory.reservation_items i ON i.order_id = l.order_id AND i.sku = l.sku
       JOIN orders.orders o ON o.id = l.order_id
       WHERE NOT i.quantity <=> l.quantity AND o.placed_at > NOW(3) - INTERVAL ${reservationDays} DAY`,
      `SELECT CONCAT('reservation ', i.order_id, ' has ', i.quantity, ' of ', i.sku, ', its order none') AS what
       FROM inventory.reservation_items i JOIN orders.orders o ON o.id = i.order_id
       LEFT JOIN audit_lines l ON l.order_id = i.order_id AND l.sku = i.sku WHERE l.sku IS NULL`,
    ],
  },
]
