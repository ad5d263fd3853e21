import { type Check, eventDays } from './check.ts'

const orders = 'SELECT COUNT(*) FROM orders.orders'

/** A history as words: `placed, paid, confirmed`. */
const words = `REPLACE(REPLACE(REPLACE(JSON_EXTRACT(o.history, '$[*].what'), '"', ''), '[', ''), ']', '')`
/** Without what happened to a second payment, which any order that has one may get beside its own story. */
/** Of what becomes of a confirmed order, which its history does not hold. */
const fulfilmentTopics = ['shipped', 'delivered', 'refund-requested', 'items-released']
  .map((what) => `'order.${what}'`)
  .join()

const story = `REGEXP_REPLACE(${words}, ', second-payment-(refund-due|refunded)', '')`

/** The legal lives of an order, and where each leaves the order, its payment, and the reason of its end. */
const lives: readonly [story: string, status: string, payment: string, reasons: string][] = [
  ['placed', 'pending-payment', '', ''],
  ['placed, paid', 'paid', 'captured', ''],
  ['placed, paid, confirmed', 'confirmed', 'captured', ''],
  ['placed, cancelled', 'cancelled', '', 'shopper,unpaid'],
  ['placed, cancelled, refund-due', 'cancelled', 'refund-due', 'shopper,unpaid'],
  ['placed, cancelled, refund-due, refunded', 'cancelled', 'refunded', 'shopper,unpaid'],
  ['placed, paid, cancelled, refund-due', 'cancelled', 'refund-due', 'out-of-stock'],
  ['placed, paid, cancelled, refund-due, refunded', 'cancelled', 'refunded', 'out-of-stock'],
  // Of which nothing was to be paid.
  ['placed, paid', 'paid', '', ''],
  ['placed, paid, confirmed', 'confirmed', '', ''],
  ['placed, paid, cancelled', 'cancelled', '', 'out-of-stock'],
]
const legal = lives
  .map(
    ([told, status, payment, reasons]) =>
      `SELECT '${told}' AS story, '${status}' AS status, '${payment}' AS payment, '${reasons}' AS reasons`,
  )
  .join(' UNION ALL ')

/** The events that a history must have sent, in order. */
const owed = `CONCAT('order.', REPLACE(REPLACE(REPLACE(REPLACE(${words}, ', second-payment-refunded', ''), ', refunded', ''),
  'second-payment-', ''), ', ', ', order.'))`

/** I6: histories, against a table of the legal ones that was written down here and nowhere else. */
export const historyChecks: readonly Check[] = [
  {
    invariant: 'I6',
    check: 'each history is a legal one and ends at the status',
    counts: orders,
    finds: [
      `SELECT CONCAT('order ', o.id, ' is ', o.status, ', payment ', COALESCE(o.payment_status, 'none'), ', reason ',
         COALESCE(o.cancel_reason, 'none'), ': ', ${words}) AS what
       FROM orders.orders o LEFT JOIN (${legal}) AS l ON l.story = ${story} AND l.status = o.status
         AND l.payment = COALESCE(o.payment_status, '')
         AND IF(l.reasons = '', o.cancel_reason IS NULL, FIND_IN_SET(o.cancel_reason, l.reasons) > 0)
       WHERE l.story IS NULL OR (o.payment_id IS NULL) <> (l.payment = '')
         OR (l.story LIKE 'placed, paid%' AND l.payment = '') <> (o.total = 0)`,
    ],
  },
  {
    invariant: 'I6',
    check: 'a second payment comes after a first, and goes back once',
    counts: `SELECT COUNT(*) FROM orders.orders o WHERE ${words} LIKE '%second-payment%'`,
    finds: [
      `SELECT CONCAT('order ', o.id, ': ', ${words}) AS what FROM orders.orders o
       WHERE ${words} LIKE '%second-payment%' AND (${words} REGEXP '^placed(, cancelled)?, second-payment'
         OR LENGTH(REPLACE(${words}, 'second-payment-refunded', '')) + LENGTH('second-payment-refunded')
           * ((LENGTH(${words}) - LENGTH(REPLACE(${words}, 'second-payment-refund-due', ''))) / LENGTH('second-payment-refund-due'))
           < LENGTH(${words}))`,
    ],
  },
  {
    invariant: 'I6',
    check: 'times in a history never go back',
    counts: orders,
    finds: [
      `SELECT CONCAT('order ', id, ': ', what, ' at ', at, ', before that ', earlier) AS what FROM (
         SELECT o.id, h.what, h.at, LAG(h.at) OVER (PARTITION BY o.id ORDER BY h.n) AS earlier
         FROM orders.orders o, JSON_TABLE(o.history, '$[*]' COLUMNS (
           n FOR ORDINALITY, what VARCHAR(40) PATH '$.what', at VARCHAR(24) PATH '$.at')) AS h) AS steps
       WHERE at < earlier OR at IS NULL`,
    ],
  },
  {
    invariant: 'I6',
    check: 'the events of an order tell its history',
    counts: `SELECT COUNT(*) FROM orders.orders WHERE placed_at > NOW(3) - INTERVAL ${eventDays} DAY`,
    finds: [
      `SELECT CONCAT('order ', o.id, ' sent ', COALESCE(e.told, 'nothing'), '; its history owes ', ${owed}) AS what
       FROM orders.orders o LEFT JOIN (
         SELECT event_key, GROUP_CONCAT(topic ORDER BY seq SEPARATOR ', ') AS told FROM orders.outbox
         WHERE topic LIKE 'order.%' AND topic NOT IN (${fulfilmentTopics}) GROUP BY event_key) AS e ON e.event_key = o.id
       WHERE o.placed_at > NOW(3) - INTERVAL ${eventDays} DAY AND NOT e.told <=> ${owed}`,
    ],
  },
]
