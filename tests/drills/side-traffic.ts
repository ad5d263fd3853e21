import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Product } from '@caravan/contracts/catalog'
import type { ClientLog } from '../support/client-log.ts'
import { type Line, type Shop, type Shopper, shopOf } from '../support/shop.ts'
import type { Field } from './field.ts'

/** Milliseconds between rounds: a registration costs a slow hash. */
const restMs = 200

/**
 * What checkouts alone do not touch, again and again: registering and signing in, replacing a product, an order that is
 * never paid and whose account is closed, a payment that arrives after its order was cancelled. Its clients give up at the
 * first error. Resolves when the shop has what they want; `stop` resolves when the last of them has ended.
 */
export const startSideTraffic = async ({ stack, clientLog }: Field) => {
  const [line] = await shopOf(stack).newLines([1_000_000])
  if (!line) throw new Error('there is nothing to sell')
  let changes = 0
  let stopped = false
  const round = async () => {
    const shop = shopOf(stack)
    const found = await shop.door<{ data: { id: string }[] }>('GET', '/v1/products?category=tests')
    const id = String(found.body.data[0]?.id)
    const { body } = await shop.door<Product>('GET', `/v1/products/${id}`)
    const { version: _, createdAt: __, updatedAt: ___, id: ____, ...content } = body
    changes += 1
    await Promise.all([
      shop.putProduct(id, { ...content, tags: [`change-${changes}`] }),
      shop.newShopper().then((shopper) => changeMind(shop, shopper, line, clientLog)),
      shop.newShopper().then((shopper) => leave(shop, shopper, line, clientLog)),
    ])
    await pause(restMs)
  }
  const running = (async () => {
    while (!stopped) await round().catch(() => pause(100))
  })()
  return {
    stop: () => {
      stopped = true
      return running
    },
  }
}

const place = async (shop: Shop, { id: account, token }: Shopper, line: Line, log: ClientLog) => {
  const key = randomUUID()
  const items = [{ sku: line.sku, quantity: line.quantity }]
  log.write({ what: 'order-asked', account, key, items })
  const { status, text, body } = await shop.tryOrder({ token }, [line], { key })
  if (status !== 201) throw new Error(text)
  const { id: order, total, currency } = body
  log.write({ what: 'order-placed', account, key, order, items, total, currency })
  return order
}

/** Of which identity tells everybody. */
const leave = async (shop: Shop, shopper: Shopper, line: Line, log: ClientLog) => {
  await place(shop, shopper, line, log)
  const { token, password } = shopper
  await shop.door('POST', '/v1/me/closure', { token, body: { password } })
}

const changeMind = async (shop: Shop, shopper: Shopper, line: Line, log: ClientLog) => {
  const order = await place(shop, shopper, line, log)
  const method = await shop.tokenise(undefined, { delayMs: 300 })
  const key = randomUUID()
  log.write({ what: 'payment-asked', order, key })
  const paying = shop.tryPay(shopper, order, method, { key }).catch(() => undefined)
  await pause(150)
  const cancelled = await shop.cancel(shopper, order).catch(() => undefined)
  if (cancelled?.status === 200) log.write({ what: 'cancellation-answered', order })
  const paid = await paying
  if (paid?.status === 201)
    log.write({ what: 'payment-answered', order, payment: paid.body.id, status: paid.body.status })
}
