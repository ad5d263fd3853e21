import type { Check } from './check.ts'

/** Payments whose money the provider took, whether or not it went back. */
const captured = `('captured', 'refund-due', 'refunded')`
/** Payments whose money the shop holds. */
const live = `('captured', 'refund-due')`
const sold = `('paid', 'confirmed')`

/** What went back in parts, a payment. */
const inParts = `SELECT p.id, p.order_id, p.currency, SUM(r.amount) AS n FROM payments.partial_refunds r
  JOIN payments.payments p ON p.id = r.payment_id WHERE r.done GROUP BY p.id, p.order_id, p.currency`

const transactions = 'SELECT COUNT(DISTINCT transaction_id) FROM payments.ledger_entries'

/** A payment or refund whose two ledger lines are not there or not of its sum. */
const withoutLines = (what: string, id: string, from: string, amount: string) =>
  `SELECT CONCAT('${what} ', ${id}, ' of ', p.amount, ' ', p.currency, ' has ', COALESCE(d.amount, 'nothing'), ' and ',
     COALESCE(c.amount, 'nothing'), ' in the ledger') AS what
   FROM ${from}
   LEFT JOIN payments.ledger_entries d ON d.transaction_id = ${id} AND d.account = 'provider'
   LEFT JOIN payments.ledger_entries c ON c.transaction_id = ${id} AND c.account = 'customers'
   WHERE NOT (d.amount <=> ${amount} AND c.amount <=> -${amount} AND d.currency <=> p.currency
     AND c.currency <=> p.currency AND d.order_id <=> p.order_id AND c.order_id <=> p.order_id)`

/** I2 and, of I3, that no money is kept for nothing: four sets of books about the same money. */
export const moneyChecks: readonly Check[] = [
  {
    invariant: 'I2',
    check: 'at most one live capture an order, in payments',
    counts: `SELECT COUNT(DISTINCT order_id) FROM payments.payments WHERE status IN ${captured}`,
    finds: [
      `SELECT CONCAT('order ', order_id, ' has ', COUNT(*), ' live captures') AS what FROM payments.payments
       WHERE status IN ${live} GROUP BY order_id HAVING COUNT(*) > 1`,
    ],
  },
  {
    invariant: 'I2',
    check: 'at most one live capture an order, at the provider',
    counts: `SELECT COUNT(*) FROM audit_charges WHERE status = 'captured'`,
    finds: [
      `SELECT CONCAT('order ', p.order_id, ' has ', COUNT(*), ' live charges') AS what FROM audit_charges c
       JOIN payments.payments p ON p.id = c.payment
       WHERE c.status = 'captured' AND c.refunded < c.amount GROUP BY p.order_id HAVING COUNT(*) > 1`,
    ],
  },
  {
    invariant: 'I2',
    check: 'every ledger transaction sums to zero',
    counts: transactions,
    finds: [
      `SELECT CONCAT('transaction ', transaction_id, ' sums to ', SUM(amount), ' ', currency) AS what
       FROM payments.ledger_entries GROUP BY transaction_id, currency HAVING SUM(amount) <> 0`,
    ],
  },
  {
    invariant: 'I2',
    check: 'the ledger has each capture and refund, and nothing else',
    counts: transactions,
    finds: [
      withoutLines(
        'payment',
        'p.id',
        `(SELECT * FROM payments.payments WHERE status IN ${captured}) AS p`,
        'p.amount',
      ),
      withoutLines(
        'refund',
        'r.id',
        `payments.refunds r JOIN payments.payments p ON p.id = r.payment_id AND r.done`,
        '(p.partly_refunded - p.amount)',
      ),
      withoutLines(
        'partial refund',
        'r.id',
        `payments.partial_refunds r JOIN payments.payments p ON p.id = r.payment_id AND r.done`,
        '(-r.amount)',
      ),
      `SELECT CONCAT('transaction ', l.transaction_id, ' is of no capture or refund') AS what
       FROM payments.ledger_entries l
       LEFT JOIN payments.payments p ON p.id = l.transaction_id AND p.status IN ${captured}
       LEFT JOIN payments.refunds r ON r.id = l.transaction_id AND r.done
       LEFT JOIN payments.partial_refunds s ON s.id = l.transaction_id AND s.done
       WHERE p.id IS NULL AND r.id IS NULL AND s.id IS NULL`,
    ],
  },
  {
    invariant: 'I2',
    check: 'payments = the provider’s charges, one by one',
    counts: `SELECT (SELECT COUNT(*) FROM audit_charges) + (SELECT COUNT(*) FROM payments.payments WHERE status IN ${captured})`,
    finds: [
      `SELECT CONCAT('payment ', p.id, ' is ', p.status, ', the provider has no captured charge ', COALESCE(p.charge_id, '')) AS what
       FROM payments.payments p
       LEFT JOIN audit_charges c ON c.id = p.charge_id AND c.payment = p.id AND c.status = 'captured'
       WHERE p.status IN ${captured} AND c.id IS NULL`,
      `SELECT CONCAT('charge ', c.id, ' of ', c.amount, ' ', c.currency, ' is captured, payment ', c.payment, ' is ',
         COALESCE(CONCAT(p.status, ' of ', p.amount, ' ', p.currency), 'unknown')) AS what
       FROM audit_charges c LEFT JOIN payments.payments p ON p.id = c.payment
       WHERE c.status = 'captured' AND NOT COALESCE(p.status IN ${captured} AND p.amount = c.amount
         AND p.currency = c.currency AND p.charge_id = c.id, FALSE)`,
    ],
  },
  {
    invariant: 'I2',
    check: 'refunds = the provider’s refunds, one by one',
    counts: `SELECT (SELECT COUNT(*) FROM audit_refunds) + (SELECT COUNT(*) FROM payments.refunds)
      + (SELECT COUNT(*) FROM payments.partial_refunds)`,
    finds: [
      `SELECT CONCAT('payment ', p.id, ' is ', p.status, ', of its ', p.amount, ' the provider gave back ', c.refunded) AS what
       FROM audit_charges c JOIN payments.payments p ON p.id = c.payment LEFT JOIN (${inParts}) AS s ON s.id = p.id
       WHERE c.status = 'captured' AND c.refunded <> IF(p.status = 'refunded', p.amount, COALESCE(s.n, 0))`,
      `SELECT CONCAT('refund ', f.id, ' of ', f.amount, ' is of no refund that payments has done') AS what
       FROM audit_refunds f LEFT JOIN payments.refunds r ON r.id = f.reference AND r.done
       LEFT JOIN payments.partial_refunds s ON s.id = f.reference AND s.done AND s.amount = f.amount
       WHERE r.id IS NULL AND s.id IS NULL`,
      `SELECT CONCAT('payment ', p.id, ' of ', p.amount, ' has ', p.partly_refunded, ' as given back in parts, which are ',
         COALESCE(s.n, 0)) AS what
       FROM payments.payments p
       LEFT JOIN (SELECT payment_id, SUM(amount) AS n FROM payments.partial_refunds GROUP BY payment_id) AS s ON s.payment_id = p.id
       WHERE p.partly_refunded <> COALESCE(s.n, 0) OR p.partly_refunded > p.amount`,
      `SELECT CONCAT('payment ', p.id, ' is ', p.status, ', its refund is ', IF(r.id IS NULL, 'missing', IF(r.done, 'done', 'open'))) AS what
       FROM payments.payments p LEFT JOIN payments.refunds r ON r.payment_id = p.id
       WHERE (p.status = 'refunded') <> COALESCE(r.done, FALSE) OR (p.status = 'refund-due' AND r.id IS NULL)`,
    ],
  },
  {
    invariant: 'I2',
    check: 'orders and payments say the same of an order’s payment',
    counts: 'SELECT COUNT(*) FROM orders.orders WHERE payment_id IS NOT NULL',
    finds: [
      `SELECT CONCAT('order ', o.id, ' has its payment ', o.payment_id, ' as ', o.payment_status, '; it is ',
         COALESCE(CONCAT(p.status, ' of order ', p.order_id), 'unknown')) AS what
       FROM orders.orders o LEFT JOIN payments.payments p ON p.id = o.payment_id
       WHERE o.payment_id IS NOT NULL AND NOT (p.order_id <=> o.id AND p.status <=> o.payment_status)`,
    ],
  },
  {
    invariant: 'I2',
    check: 'the ledger holds what each order is worth',
    counts: 'SELECT COUNT(*) FROM orders.orders',
    finds: [
      `SELECT CONCAT('order ', o.id, ' of ', o.total, ' ', o.currency, ' is ', o.status, ', the ledger holds ', COALESCE(l.n, 0)) AS what
       FROM orders.orders o LEFT JOIN (
         SELECT order_id, currency, SUM(amount) AS n FROM payments.ledger_entries WHERE account = 'provider' GROUP BY order_id, currency
       ) AS l ON l.order_id = o.id AND l.currency = o.currency
       LEFT JOIN (${inParts}) AS s ON s.id = o.payment_id
       WHERE COALESCE(l.n, 0) <> IF(o.status IN ${sold}, o.total - COALESCE(s.n, 0), 0)`,
      `SELECT CONCAT('order ', l.order_id, ' does not exist, the ledger holds ', SUM(l.amount)) AS what
       FROM payments.ledger_entries l LEFT JOIN orders.orders o ON o.id = l.order_id AND o.currency = l.currency
       WHERE o.id IS NULL AND l.account = 'provider' GROUP BY l.order_id HAVING SUM(l.amount) <> 0`,
    ],
  },
  {
    invariant: 'I2',
    check: 'captures − refunds = sold orders = ledger = provider, in sum',
    counts: 'SELECT COUNT(DISTINCT currency) FROM payments.ledger_entries',
    finds: [
      `SELECT CONCAT(currency, ': payments ', SUM(paid), ', orders ', SUM(owed), ', ledger ', SUM(booked), ', customers ',
         SUM(credited), ', provider ', SUM(held)) AS what
       FROM (
         SELECT currency, amount AS paid, 0 AS owed, 0 AS booked, 0 AS credited, 0 AS held FROM payments.payments WHERE status IN ${live}
         UNION ALL SELECT s.currency, -s.n, 0, 0, 0, 0 FROM (${inParts}) AS s JOIN payments.payments p ON p.id = s.id WHERE p.status IN ${live}
         UNION ALL SELECT currency, 0, total, 0, 0, 0 FROM orders.orders WHERE status IN ${sold}
         UNION ALL SELECT s.currency, 0, -s.n, 0, 0, 0 FROM (${inParts}) AS s JOIN orders.orders o ON o.payment_id = s.id WHERE o.status IN ${sold}
         UNION ALL SELECT currency, 0, 0, amount, 0, 0 FROM payments.ledger_entries WHERE account = 'provider'
         UNION ALL SELECT currency, 0, 0, 0, -amount, 0 FROM payments.ledger_entries WHERE account = 'customers'
         UNION ALL SELECT currency, 0, 0, 0, 0, amount - refunded FROM audit_charges WHERE status = 'captured'
       ) AS money GROUP BY currency
       HAVING NOT (SUM(paid) = SUM(owed) AND SUM(owed) = SUM(booked) AND SUM(booked) = SUM(credited) AND SUM(credited) = SUM(held))`,
    ],
  },
  {
    invariant: 'I3',
    check: 'every capture ends in a confirmed order or a full refund',
    counts: `SELECT COUNT(*) FROM audit_charges WHERE status = 'captured'`,
    finds: [
      `SELECT CONCAT('charge ', c.id, ' of ', c.amount, ', ', c.refunded, ' of it given back, is for order ',
         COALESCE(CONCAT(p.order_id, ', ', COALESCE(o.status, 'which does not exist')), 'nobody knows')) AS what
       FROM audit_charges c LEFT JOIN payments.payments p ON p.id = c.payment
       LEFT JOIN orders.orders o ON o.id = p.order_id LEFT JOIN (${inParts}) AS s ON s.id = p.id
       WHERE c.status = 'captured' AND c.refunded <> c.amount
         AND NOT (c.refunded = COALESCE(s.n, 0) AND COALESCE(o.status, '') = 'confirmed' AND o.payment_id <=> c.payment)`,
    ],
  },
]
