import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Payment } from '@caravan/contracts/payments'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { ClientLog } from '../support/client-log.ts'
import type { Answer } from '../support/door.ts'
import type { Line, Shop, Shopper } from '../support/shop.ts'

const withinMs = 240_000

/** As a client that will have an answer, whatever dies meanwhile: the same request, under the same key. */
const insist = <T extends object>(what: string, ask: () => Promise<Answer<T>>): Promise<Answer<T>> =>
  eventually(
    what,
    async () => {
      const answer = await ask()
      const isUnderWay = codeOf(answer) === 'idempotency/in-flight'
      return answer.status < 500 && answer.status !== 429 && !isUnderWay && answer
    },
    withinMs,
  )

const codeOf = ({ body }: Answer<object>) => (body as { code?: string } | undefined)?.code

/** From registration to a confirmed order, written down as it goes; resolves with the order's id. */
export const checkOut = async (shop: Shop, lines: readonly Line[], log: ClientLog): Promise<string> => {
  const shopper = await eventually('a new shopper', () => shop.newShopper(), withinMs)
  const account = shopper.id
  const items = lines.map(({ sku, quantity }) => ({ sku, quantity }))

  const key = randomUUID()
  log.write({ what: 'order-asked', account, key, items })
  const placed = await insist('the order is placed', () => shop.tryOrder(shopper, lines, { key }))
  assert.equal(placed.status, 201, placed.text)
  const { id, total, currency } = placed.body
  log.write({ what: 'order-placed', account, key, order: id, items, total, currency })

  // A provider that dies before it has heard of a charge leaves a payment that is given up: the shopper pays again.
  while (!(await isConfirmed(shop, shopper, id))) await pay(shop, shopper, id, log)
  log.write({ what: 'order-confirmed', order: id })
  return id
}

const pay = async (shop: Shop, shopper: Shopper, order: string, log: ClientLog): Promise<void> => {
  const method = await eventually('a card’s token', () => shop.tokenise(), withinMs)
  const key = randomUUID()
  log.write({ what: 'payment-asked', order, key })
  const answer = await insist('an answer to the payment', () => shop.tryPay(shopper, order, method, { key }))
  // A repeat may hear of its own payment as one that was made before, or was given up.
  assert.ok(answer.status === 201 || answer.status === 409, answer.text)
  if (answer.status === 201) {
    const { id: payment, status } = answer.body
    log.write({ what: 'payment-answered', order, payment, status })
  }
}

/** Waits until it is known; false when no payment of the order is under way. */
const isConfirmed = async (shop: Shop, shopper: Shopper, order: string): Promise<boolean> => {
  const end = await eventually(
    `order ${order} is confirmed, or is to be paid`,
    async () => {
      if ((await shop.orderOf(shopper, order)).status === 'confirmed') return 'confirmed'
      const path = `/v1/orders/${order}/payments`
      const { body } = await shop.door<{ data: Payment[] }>('GET', path, { token: shopper.token })
      return body.data.every(({ status }) => status === 'declined') && 'unpaid'
    },
    withinMs,
  )
  return end === 'confirmed'
}
