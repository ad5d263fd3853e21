import type { Channels } from './channels.ts'
import { type Check, eventDays } from './check.ts'

const recent = `created_at > NOW(3) - INTERVAL ${eventDays} DAY`

/** The millisecond in which a UUIDv7 was made (RFC 9562, 5.7), by the clock of the app that made it. */
const madeAt = (id: string) =>
  `FROM_UNIXTIME(CONV(CONCAT(SUBSTR(${id}, 1, 8), SUBSTR(${id}, 10, 4)), 16, 10) / 1000)`

/** That orders said nothing about this order in the last seconds. */
const silent = (order: string, before: string) =>
  `NOT EXISTS (SELECT 1 FROM orders.outbox s WHERE s.event_key = ${order} AND s.created_at > ${before})`

/** Days for which a confirmed order of a closed account is being delivered. */
const deliveryDays = 30
const ofClosed = `orders.orders o JOIN identity.outbox e ON e.topic = 'account.closed' AND e.event_key = o.account_id`
const ended = `CAST(REPLACE(REPLACE(JSON_UNQUOTE(JSON_EXTRACT(o.history, CONCAT('$[', JSON_LENGTH(o.history) - 1, '].at'))),
  'T', ' '), 'Z', '') AS DATETIME(3))`

/** I5: nothing that should have come to an end `seconds` ago, or earlier, is still open. */
export const unfinishedChecks = ({ databases, topics }: Channels, seconds: number): Check[] => {
  const before = `(NOW(3) - INTERVAL ${seconds} SECOND)`
  const check = (about: string, counts: string, ...finds: string[]): Check => ({
    invariant: 'I5',
    check: about,
    counts,
    finds,
  })
  return [
    check(
      'every order comes to an end',
      'SELECT COUNT(*) FROM orders.orders',
      `SELECT CONCAT('order ', id, ' is pending-payment, to be paid before ', pay_before) AS what
       FROM orders.orders WHERE status = 'pending-payment' AND pay_before < ${before}`,
      `SELECT CONCAT('order ', o.id, ' is paid and not confirmed') AS what
       FROM orders.orders o WHERE o.status = 'paid' AND ${silent('o.id', before)}`,
      `SELECT CONCAT('order ', o.id, ' is ', o.status, ', its refund is due') AS what
       FROM orders.orders o WHERE o.payment_status = 'refund-due' AND ${silent('o.id', before)}`,
    ),
    check(
      'every reservation comes to an end',
      'SELECT COUNT(*) FROM inventory.reservations',
      `SELECT CONCAT('reservation ', r.order_id, ' is held, its order is ', COALESCE(o.status, 'unknown')) AS what
       FROM inventory.reservations r LEFT JOIN orders.orders o ON o.id = r.order_id
       WHERE r.status = 'held' AND (r.expires_at < ${before}
         OR (o.status IN ('confirmed', 'cancelled') AND ${silent('o.id', before)}))`,
    ),
    check(
      'every redemption comes to an end',
      'SELECT COUNT(*) FROM promotions.redemptions',
      `SELECT CONCAT('redemption ', r.order_id, ' is ', r.status, ', its order is ', COALESCE(o.status, 'unknown')) AS what
       FROM promotions.redemptions r LEFT JOIN orders.orders o ON o.id = r.order_id
       WHERE (o.id IS NULL AND r.status <> 'released' AND r.ask_at < ${before})
         OR (o.status = 'cancelled' AND r.status <> 'released' AND ${silent('o.id', before)})
         OR (o.status IN ('paid', 'confirmed') AND r.status = 'held' AND ${silent('o.id', before)})`,
    ),
    check(
      'every payment and refund comes to an end',
      'SELECT COUNT(*) FROM payments.payments',
      `SELECT CONCAT('payment ', id, ' is processing since ', created_at) AS what
       FROM payments.payments WHERE status = 'processing' AND created_at < ${before}`,
      `SELECT CONCAT('refund ', id, ' of payment ', payment_id, ' is not done after ', attempts, ' attempts') AS what
       FROM payments.refunds WHERE done = FALSE AND ${madeAt('id')} NOT BETWEEN ${before} AND NOW(3)`,
      `SELECT CONCAT('partial refund ', id, ' of payment ', payment_id, ' is not done after ', attempts, ' attempts') AS what
       FROM payments.partial_refunds WHERE done = FALSE AND ${madeAt('id')} NOT BETWEEN ${before} AND NOW(3)`,
    ),
    check(
      'every document that is due is issued, where there is a seller',
      'SELECT COUNT(*) FROM orders.invoices',
      `SELECT CONCAT('the document of ', d.subject, ' of order ', d.order_id, ' is due since ', d.due_at) AS what
       FROM orders.documents_due d JOIN orders.invoicing s ON JSON_VALUE(s.content, '$.seller.address.name') IS NOT NULL
       WHERE d.due_at NOT BETWEEN ${before} AND NOW(3)`,
    ),
    check(
      'an order of a closed account that is over has no address',
      `SELECT COUNT(*) FROM ${ofClosed}`,
      `SELECT CONCAT('order ', o.id, ' is ', o.status, ' since ', ${ended}, ', its account was closed at ', e.created_at) AS what
       FROM ${ofClosed} WHERE o.status IN ('confirmed', 'cancelled') AND COALESCE(o.payment_status, '') <> 'refund-due'
         AND JSON_VALUE(o.shipping_address, '$.name') <> '-' AND e.created_at < ${before}
         AND ${ended} < ${before} - INTERVAL IF(o.status = 'confirmed', ${deliveryDays}, 0) DAY`,
    ),
    ...databases.map((database) =>
      check(
        `${database}: every event was sent`,
        `SELECT COUNT(*) FROM ${database}.outbox`,
        `SELECT CONCAT(topic, ' ', id, ' of ', created_at, ' is not sent after ', attempts, ' attempts') AS what
         FROM ${database}.outbox WHERE sent = FALSE AND created_at < ${before}`,
      ),
    ),
    ...[...topics].map(([consumer, taken]) => {
      const emitted = databases
        .map(
          (database) => `SELECT id, topic, created_at FROM ${database}.outbox
             WHERE topic IN (${taken.map((topic) => `'${topic}'`).join()}) AND ${recent}`,
        )
        .join(' UNION ALL ')
      return check(
        `${consumer}: every event meant for it was handled`,
        `SELECT COUNT(*) FROM (${emitted}) AS e`,
        `SELECT CONCAT(e.topic, ' ', e.id, ' of ', e.created_at, ' was not handled') AS what
         FROM (${emitted}) AS e LEFT JOIN ${consumer}.inbox i ON i.event_id = e.id AND i.topic = e.topic
         WHERE i.event_id IS NULL AND e.created_at < ${before}`,
      )
    }),
  ]
}

/** Each version of what an app tells whole, such as a product, once, and in their order. */
const versions = (thing: string, app: string, table: string): Check => ({
  invariant: 'I5',
  check: `each version of a ${thing} was told once`,
  counts: `SELECT COUNT(*) FROM ${app}.outbox WHERE topic = '${thing}.changed' AND ${recent}`,
  finds: [
    `SELECT CONCAT('${thing} ', p.id, ' is at version ', p.version, ', the last told is ', COALESCE(e.version, 'none')) AS what
     FROM ${app}.${table} p LEFT JOIN (
       SELECT event_key, MAX(CAST(JSON_VALUE(data, '$.version') AS UNSIGNED)) AS version FROM ${app}.outbox
       WHERE topic = '${thing}.changed' GROUP BY event_key) AS e ON e.event_key = p.id
     WHERE p.updated_at > NOW(3) - INTERVAL ${eventDays} DAY AND NOT e.version <=> p.version`,
    `SELECT CONCAT('${thing} ', id, ' told version ', version, ' after ', COALESCE(earlier, 'none')) AS what FROM (
       SELECT o.event_key AS id, CAST(JSON_VALUE(o.data, '$.version') AS UNSIGNED) AS version, o.created_at, p.created_at AS born,
         LAG(CAST(JSON_VALUE(o.data, '$.version') AS UNSIGNED)) OVER (PARTITION BY o.event_key ORDER BY o.seq) AS earlier
       FROM ${app}.outbox o LEFT JOIN ${app}.${table} p ON p.id = o.event_key WHERE o.topic = '${thing}.changed') AS told
     WHERE ${recent} AND version <> COALESCE(earlier, IF(born > NOW(3) - INTERVAL ${eventDays} DAY, 0, version - 1)) + 1`,
  ],
})

/** I5, the other way round: nothing was handled that nobody said, and what happened was said, once. */
export const eventChecks = ({ databases, topics }: Channels): Check[] => {
  const unsaid = databases
    .map(
      (database) =>
        `NOT EXISTS (SELECT 1 FROM ${database}.outbox o WHERE o.id = i.event_id AND o.topic = i.topic)`,
    )
    .join(' AND ')
  const missing = (what: string, from: string, key: string, database: string, topic: string, event: string) =>
    `SELECT CONCAT('${what} ', ${key}, ' sent ', COALESCE(e.n, 0), ' ${topic}') AS what FROM ${from} LEFT JOIN (
       SELECT ${event} AS about, COUNT(*) AS n FROM ${database}.outbox WHERE topic = '${topic}' GROUP BY about) AS e
       ON e.about = ${key} WHERE COALESCE(e.n, 0)`
  const payment = `CAST(JSON_VALUE(data, '$.paymentId') AS CHAR(36) CHARACTER SET ascii) COLLATE ascii_bin`
  const refund = payment.replace('paymentId', 'refundId')
  return [
    ...[...topics.keys()].map(
      (consumer): Check => ({
        invariant: 'I5',
        check: `${consumer}: nothing was handled that nobody sent`,
        counts: `SELECT COUNT(*) FROM ${consumer}.inbox`,
        finds: [
          `SELECT CONCAT(i.topic, ' ', i.event_id, ' was handled at ', i.handled_at, ' and is in no outbox') AS what
           FROM ${consumer}.inbox i WHERE ${unsaid} AND i.handled_at > NOW(3) - INTERVAL ${eventDays} DAY`,
        ],
      }),
    ),
    {
      invariant: 'I5',
      check: 'each capture and refund was told once',
      counts: `SELECT COUNT(*) FROM payments.payments WHERE status IN ('captured', 'refund-due', 'refunded') AND ${recent}`,
      finds: [
        `${missing('payment', 'payments.payments p', 'p.id', 'payments', 'payment.captured', payment)}
          <> (p.status IN ('captured', 'refund-due', 'refunded')) AND p.${recent}`,
        `${missing('payment', 'payments.payments p', 'p.id', 'payments', 'payment.refunded', payment)}
          <> (p.status = 'refunded') AND p.${recent}`,
        `${missing('partial refund', 'payments.partial_refunds r', 'r.id', 'payments', 'payment.partly-refunded', refund)}
          <> r.done AND ${madeAt('r.id')} > NOW(3) - INTERVAL ${eventDays} DAY`,
      ],
    },
    {
      invariant: 'I5',
      check: 'each sale of stock was told once',
      counts: `SELECT COUNT(*) FROM inventory.reservations WHERE status = 'sold' AND ${recent}`,
      finds: [
        `${missing('reservation', 'inventory.reservations r', 'r.order_id', 'inventory', 'reservation.fulfilled', 'event_key')}
          <> (r.status = 'sold') AND r.${recent}`,
      ],
    },
    versions('product', 'catalog', 'products'),
    versions('promotion', 'promotions', 'promotions'),
  ]
}
