import { orphans, story, toldPayments, toldSales, toldVersions } from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

const unsent = `sent = FALSE, attempts = 7, claimed_until = '2100-01-01'`

export const ofEvents = ({ first, refunded, product, buyer }: Story, { sql, inState }: Spoil): Case[] => {
  const of = (topic: string, key: string) => `topic = '${topic}' AND event_key = '${key}'`
  const twice = (app: string, which: string) =>
    sql(`INSERT INTO ${app}.outbox (id, topic, event_key, data, sent)
      SELECT '${nobody}', topic, event_key, data, sent FROM ${app}.outbox WHERE ${which}`)
  return [
    ...['catalog', 'identity', 'inventory', 'orders', 'payments', 'promotions'].map(
      (app): Case => [
        `an event of ${app} that is not sent`,
        sql(`UPDATE ${app}.outbox SET ${unsent} ORDER BY seq LIMIT 1`),
        [`${app}: every event was sent`],
      ],
    ),
    ...['identity', 'inventory', 'orders', 'payments', 'promotions'].flatMap((app): Case[] => [
      [
        `an event that ${app} did not handle`,
        sql(`DELETE FROM ${app}.inbox LIMIT 1`),
        [`${app}: every event meant for it was handled`],
      ],
      [
        `an event that ${app} handled and nobody sent`,
        sql(`INSERT INTO ${app}.inbox (event_id, topic) VALUES ('${nobody}', 'order.paid')`),
        [`${app}: nothing was handled that nobody sent`],
      ],
    ]),
    [
      'a capture that was not told',
      sql(`DELETE FROM payments.outbox WHERE ${of('payment.captured', first.id)}`),
      [orphans, toldPayments],
    ],
    [
      'a refund that was told twice',
      twice('payments', of('payment.refunded', refunded.id)),
      ['orders: every event meant for it was handled', toldPayments],
    ],
    [
      'a sale of stock that was told twice',
      twice('inventory', of('reservation.fulfilled', first.id)),
      ['orders: every event meant for it was handled', toldSales],
    ],
    [
      'a version that was left out',
      sql(`UPDATE catalog.outbox SET data = JSON_SET(data, '$.version', 5)
        WHERE ${of('product.changed', product)} AND JSON_VALUE(data, '$.version') = 2`),
      [toldVersions],
    ],
    [
      'a last version that was not told',
      sql(
        `DELETE FROM catalog.outbox WHERE ${of('product.changed', product)} AND JSON_VALUE(data, '$.version') = 2`,
      ),
      [orphans, toldVersions],
    ],
    [
      'a confirmation that was not told',
      sql(`DELETE FROM orders.outbox WHERE ${of('order.confirmed', first.id)}`),
      [story],
    ],
    [
      'an event of another sum',
      sql(
        `UPDATE orders.outbox SET data = JSON_SET(data, '$.total.amount', 1) WHERE ${of('order.placed', first.id)}`,
      ),
      ['events tell the order’s total'],
    ],
    ['a cart that was lost', inState('carts', `cart-${buyer}`), ['carts: every paid order was taken off']],
    [
      'an event that orders gave up',
      inState('orders', 'dead-letters', [{ id: nobody, topic: 'order.paid' }]),
      ['no dead letters'],
    ],
  ]
}
