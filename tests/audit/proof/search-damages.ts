import { found, numbers } from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofSearch = ({ first, cancelled }: Story, { sql }: Spoil): Case[] => {
  const number = (value: string) => sql(`UPDATE orders.orders SET number = ${value} WHERE id = '${first.id}'`)
  return [
    ['a number that cannot be read out', number(`'CV-0000-0000'`), [numbers]],
    ['a number that was told otherwise', number(`'CV-CCCC-CCCC'`), [numbers]],
    [
      'an order that is not found by its lines',
      sql(`DELETE FROM orders.order_index WHERE order_id = '${first.id}' AND kind = 'sku'`),
      [found],
    ],
    [
      'an order that is found by another’s line',
      sql(
        `UPDATE orders.order_index SET value = 'NEVER-SOLD' WHERE order_id = '${first.id}' AND kind = 'sku' LIMIT 1`,
      ),
      [found],
    ],
    [
      'an order that is found by another’s account',
      sql(
        `UPDATE orders.order_index SET value = '${nobody}' WHERE order_id = '${cancelled.id}' AND kind = 'account'`,
      ),
      [found],
    ],
  ]
}
