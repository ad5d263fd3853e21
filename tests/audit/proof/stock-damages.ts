import {
  oneReservation,
  received,
  reserved,
  reservedLines,
  soldItems,
  soldLines,
  toldSales,
} from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofStock = ({ skuA, first, cancelled }: Story, { sql }: Spoil): Case[] => {
  const stock = (change: string) => sql(`UPDATE inventory.stock SET ${change} WHERE sku = '${skuA}'`)
  const adjusted = (sku: string) =>
    sql(
      `INSERT INTO inventory.adjustments (id, sku, delta, reason, adjusted_by) VALUES ('${nobody}', '${sku}', 1, 'x', '${nobody}')`,
    )
  const reservation = (status: string) =>
    sql(
      `INSERT INTO inventory.reservations (order_id, status, expires_at) VALUES ('${nobody}', '${status}', NOW(3) + INTERVAL 1 HOUR)`,
      `INSERT INTO inventory.reservation_items (order_id, sku, quantity) VALUES ('${nobody}', 'UNKNOWN', 1)`,
    )
  return [
    ['stock that nobody received', adjusted(skuA), [received]],
    ['stock that was received and is not there', adjusted('UNKNOWN'), [received]],
    ['a unit from nowhere', stock('available = available + 1'), ['received = available + reserved + sold']],
    [
      'less than nothing',
      sql(`UPDATE inventory.adjustments a JOIN inventory.stock s ON s.sku = a.sku SET a.delta = a.delta - s.available - 1,
        s.received = s.received - s.available - 1, s.available = -1 WHERE a.sku = '${skuA}'`),
      ['nothing below 0'],
    ],
    ['a unit held for nobody', stock('available = available - 1, reserved = reserved + 1'), [reserved]],
    ['a unit held of no stock', reservation('held'), [reserved]],
    ['a unit sold to nobody', stock('available = available - 1, sold = sold + 1'), [soldItems, soldLines]],
    ['a unit sold of no stock', reservation('sold'), [soldItems, oneReservation, toldSales]],
    [
      'a unit sold long ago to nobody',
      sql(`INSERT INTO inventory.sold_before (sku, quantity) VALUES ('${skuA}', 1)`),
      [soldItems],
    ],
    [
      'a unit sold beside the order',
      sql(
        `UPDATE inventory.reservation_items SET quantity = quantity + 1 WHERE order_id = '${first.id}' AND sku = '${skuA}'`,
      ),
      [soldItems, reservedLines],
    ],
    [
      'an order without a reservation',
      sql(`DELETE FROM inventory.reservations WHERE order_id = '${cancelled.id}'`),
      [oneReservation],
    ],
    [
      'a reservation of more than was ordered',
      sql(
        `UPDATE inventory.reservation_items SET quantity = quantity + 1 WHERE order_id = '${cancelled.id}'`,
      ),
      [reservedLines],
    ],
    [
      'a reservation of what was not ordered',
      sql(
        `INSERT INTO inventory.reservation_items (order_id, sku, quantity) VALUES ('${cancelled.id}', 'UNKNOWN', 1)`,
      ),
      [reservedLines],
    ],
  ]
}
