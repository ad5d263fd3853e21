import type { Check } from './check.ts'
import { placements } from './once-checks.ts'

const bought = `(SELECT order_id, GROUP_CONCAT(sku, ' x ', quantity ORDER BY sku SEPARATOR ', ') AS bought FROM audit_lines GROUP BY order_id)`

/** I3 and I4, as the clients saw it. */
export const promiseChecks: readonly Check[] = [
  {
    invariant: 'I3',
    check: 'every order that a client was told of is as it was told',
    counts: 'SELECT COUNT(*) FROM audit_placed',
    finds: [
      `SELECT CONCAT('order ', p.order_id, ', told as ', p.bought, ' for ', p.total, ' ', p.currency, IF(o.id IS NULL,
         ', does not exist', CONCAT(', is ', COALESCE(l.bought, 'nothing'), ' for ', o.total, ' ', o.currency)),
         IF(o.account_id <> p.account, ', of another account', '')) AS what
       FROM audit_placed p LEFT JOIN orders.orders o ON o.id = p.order_id LEFT JOIN ${bought} AS l ON l.order_id = p.order_id
       WHERE NOT (o.account_id <=> p.account AND o.total <=> p.total AND o.currency <=> p.currency AND l.bought <=> p.bought)`,
    ],
  },
  {
    invariant: 'I3',
    check: 'every payment that a client was told of exists',
    counts: 'SELECT COUNT(*) FROM audit_payments',
    finds: [
      `SELECT CONCAT('payment ', a.payment_id, ' of order ', a.order_id, ', told as ', a.status, ', is ',
         COALESCE(CONCAT(p.status, ' of order ', p.order_id), 'unknown')) AS what
       FROM audit_payments a LEFT JOIN payments.payments p ON p.id = a.payment_id
       WHERE p.id IS NULL OR p.order_id <> a.order_id
         OR (a.status = 'captured' AND p.status NOT IN ('captured', 'refund-due', 'refunded'))`,
    ],
  },
  {
    invariant: 'I3',
    check: 'an order told as confirmed or cancelled is that',
    counts: 'SELECT COUNT(*) FROM audit_ended',
    finds: [
      `SELECT CONCAT('order ', a.order_id, ', told as ', a.status, ', is ', COALESCE(o.status, 'unknown')) AS what
       FROM audit_ended a LEFT JOIN orders.orders o ON o.id = a.order_id WHERE NOT o.status <=> a.status`,
    ],
  },
  {
    invariant: 'I3',
    check: 'nothing was ordered under a key that was refused',
    counts: 'SELECT COUNT(*) FROM audit_refusals',
    finds: [
      `SELECT CONCAT('key ', r.request, ' was refused, and has order ', k.subject_id) AS what
       FROM ${placements} AS k STRAIGHT_JOIN audit_refusals r ON r.account = k.account AND r.request = k.request`,
    ],
  },
  {
    invariant: 'I4',
    check: 'a client’s key got one order, two keys two',
    counts: 'SELECT COUNT(*) FROM audit_placed',
    finds: [
      `SELECT CONCAT('key ', request, ' got ', COUNT(DISTINCT order_id), ' orders: ', GROUP_CONCAT(DISTINCT order_id)) AS what
       FROM audit_placed GROUP BY account, request HAVING COUNT(DISTINCT order_id) > 1`,
      `SELECT CONCAT('order ', order_id, ' is the answer to ', COUNT(DISTINCT account, request), ' keys') AS what
       FROM audit_placed GROUP BY order_id HAVING COUNT(DISTINCT account, request) > 1`,
    ],
  },
  {
    invariant: 'I4',
    check: 'a client has no order that it did not ask for',
    counts: `SELECT COUNT(*) FROM ${placements} AS k JOIN audit_clients c ON c.account = k.account`,
    finds: [
      `SELECT CONCAT('order ', k.subject_id, ' of ', k.account, ' is for key ', k.request, ', which it never sent') AS what
       FROM ${placements} AS k JOIN audit_clients c ON c.account = k.account
       LEFT JOIN audit_asked a ON a.account = k.account AND a.request = k.request WHERE a.request IS NULL`,
    ],
  },
]
