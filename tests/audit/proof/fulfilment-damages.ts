import {
  againInStock,
  captures,
  documentSums,
  figures,
  ledger,
  parts,
  refunds,
  soldItems,
  soldLines,
  sums,
  units,
  worth,
} from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofFulfilment = ({ sent }: Story, { sql }: Spoil): Case[] => {
  const change = (path: string, value: string) =>
    sql(
      `UPDATE orders.fulfilments SET state = JSON_SET(state, '${path}', ${value}) WHERE order_id = '${sent.id}'`,
    )
  const ofOrder = `(SELECT payment_id FROM orders.orders WHERE id = '${sent.id}')`
  return [
    ['a unit shipped in no parcel', change('$.lines[0].shipped', '2'), [units]],
    ['more units than were ordered', change('$.lines[0].ordered', '4'), [units]],
    ['a unit cancelled and not in stock', change('$.lines[0].cancelled', '2'), [againInStock]],
    [
      'a parcel that nobody finds',
      sql(`DELETE FROM orders.shipments WHERE order_id = '${sent.id}'`),
      [units],
    ],
    [
      'a cancelled unit that is sold still',
      sql(`DELETE FROM inventory.released_units WHERE order_id = '${sent.id}'`),
      [againInStock, soldItems, soldLines],
    ],
    ['a refund of another sum', change('$.refunds[1].amount', '200'), [parts, documentSums, figures]],
    ['a refund that is not done', change('$.refunds[1].status', "'due'"), [parts, documentSums, figures]],
    ['money left that went back', change('$.left.delivery.gross', '100'), [parts]],
    [
      'a refund that no order asked for',
      sql(
        `INSERT INTO payments.partial_refunds (id, payment_id, amount, done) SELECT '${nobody}', id, 100, TRUE FROM payments.payments WHERE id = ${ofOrder}`,
      ),
      [parts, ledger, refunds, worth, sums, captures],
    ],
    [
      'a refund that payments forgot',
      sql(`DELETE FROM payments.partial_refunds WHERE payment_id = ${ofOrder} AND amount = 100`),
      [parts, ledger, refunds, worth, sums, captures],
    ],
  ]
}
