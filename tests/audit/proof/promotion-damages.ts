import {
  codeUses,
  customerUses,
  discounts,
  gave,
  limits,
  orphans,
  promotions,
  redemptionsEnd,
  toldPromotions,
} from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofPromotions = ({ saved, cancelled }: Story, { sql }: Spoil): Case[] => {
  const { id: order, promotionId, code } = saved
  const promotion = (change: string) =>
    sql(`UPDATE promotions.promotions SET ${change} WHERE id = '${promotionId}'`)
  const ofOrder = `order_id = '${order}'`
  const redemption = (orderId: string, status: string, asked: string) =>
    sql(
      `INSERT INTO promotions.redemptions (order_id, customer, status, ask_at) VALUES ('${orderId}', '${nobody}', '${status}', ${asked})`,
    )
  return [
    ['a use of a promotion that no order has', promotion('used = used + 1'), [gave]],
    ['a cent of a budget that no order has', promotion('spent = spent + 1'), [gave]],
    [
      'a use of a code that no order has',
      sql(`UPDATE promotions.codes SET used = used + 1, uses_limit = 9 WHERE code = '${code}'`),
      [codeUses],
    ],
    [
      'a use of a customer that no order has',
      sql(`UPDATE promotions.customer_uses SET used = used + 1 WHERE promotion = '${promotionId}'`),
      [customerUses],
    ],
    ['a use of nobody', sql('DELETE FROM promotions.customer_uses'), [customerUses]],
    ['a promotion beyond its limit', promotion('uses_limit = 0'), [limits]],
    ['a promotion beyond its budget', promotion('budget = spent - 1'), [limits]],
    ['a customer beyond its limit', promotion('customer_limit = 0'), [limits]],
    [
      'a code beyond its limit',
      sql(`UPDATE promotions.codes SET uses_limit = 0 WHERE code = '${code}'`),
      [limits],
    ],
    [
      'a redemption of another sum than was taken off',
      sql(
        `UPDATE promotions.redemption_uses SET amount = amount + 1 WHERE ${ofOrder}`,
        `UPDATE promotions.promotions SET spent = spent + 1 WHERE id = '${promotionId}'`,
      ),
      [discounts],
    ],
    [
      'a discount that was never redeemed',
      sql(
        `DELETE FROM promotions.redemption_uses WHERE ${ofOrder}`,
        `UPDATE promotions.promotions SET used = 0, spent = 0 WHERE id = '${promotionId}'`,
        `UPDATE promotions.codes SET used = 0 WHERE code = '${code}'`,
        `DELETE FROM promotions.customer_uses WHERE promotion = '${promotionId}'`,
      ),
      [discounts],
    ],
    [
      'a redemption of an order that was cancelled',
      sql(
        `UPDATE promotions.redemptions SET status = 'held', released_at = NULL, customer = '${nobody}', ask_at = NOW(3) + INTERVAL 1 HOUR
         WHERE order_id = '${cancelled.id}'`,
      ),
      [redemptionsEnd],
    ],
    ['a redemption of no order', redemption(nobody, 'held', 'NOW(3) - INTERVAL 1 HOUR'), [redemptionsEnd]],
    [
      'a redemption of a paid order that is not confirmed',
      sql(`UPDATE promotions.redemptions SET status = 'held' WHERE ${ofOrder}`),
      [redemptionsEnd],
    ],
    [
      'a version of a promotion that was not told',
      sql(`DELETE FROM promotions.outbox WHERE topic = 'promotion.changed' AND event_key = '${promotionId}'`),
      [orphans, toldPromotions],
    ],
    [
      'a promotion that orders knows at another version',
      sql(`UPDATE orders.promotions SET version = version + 1 WHERE id = '${promotionId}'`),
      [promotions],
    ],
  ]
}
