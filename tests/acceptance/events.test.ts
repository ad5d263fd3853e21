import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { sql } from '../support/books.ts'
import { logLines } from '../support/log-lines.ts'
import { cloudEvent, publishAs } from '../support/publish.ts'
import { cards, heldCharge, type Line } from '../support/shop.ts'
import { mint, shop, stack } from '../support/stack.ts'

const run = promisify(execFile)
const outageMs = 10_000

const placed = async (line: Line, count: number) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const shopper = mint.member()
      return { shopper, order: await shop.placeOrder(shopper, [line]) }
    }),
  )

type Placed = Awaited<ReturnType<typeof placed>>

const payAll = (orders: Placed) =>
  Promise.all(orders.map(({ shopper, order }) => shop.pay(shopper, order.id)))

const allConfirmed = (orders: Placed) =>
  Promise.all(
    orders.map(async ({ shopper, order }) => {
      assert.equal((await shop.settled(shopper, order.id)).status, 'confirmed')
    }),
  )

test('a consumer that is down for ten seconds loses no event', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const orders = await placed(line, 20)
  await stack.process('inventory').stop()
  try {
    await payAll(orders)
    await pause(outageMs)
  } finally {
    await stack.process('inventory').start()
  }
  await allConfirmed(orders)
  assert.deepEqual(await shop.stockOf(line.sku), {
    sku: line.sku,
    received: 20,
    available: 0,
    reserved: 0,
    sold: 20,
  })
})

test('a consumer that fails for ten seconds loses no event', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const orders = await placed(line, 20)
  await sql('inventory', 'RENAME TABLE inbox TO inbox_out_of_reach')
  try {
    await payAll(orders)
    await eventually('inventory fails', () => logLines('inventory').some((entry) => entry.status === 'RETRY'))
    await pause(outageMs)
  } finally {
    await sql('inventory', 'RENAME TABLE inbox_out_of_reach TO inbox')
  }
  await allConfirmed(orders)
  assert.deepEqual(await shop.stockOf(line.sku), {
    sku: line.sku,
    received: 20,
    available: 0,
    reserved: 0,
    sold: 20,
  })
})

test('every event of a checkout, delivered three times, has one effect', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const [first] = await placed(line, 1)
  assert.ok(first)
  const { shopper, order } = first
  await payAll([first])
  await allConfirmed([first])
  const stockBefore = await shop.stockOf(line.sku)
  const orderBefore = await shop.orderOf(shopper, order.id)
  const ledgerBefore = await shop.ledgerOf(order.id)

  const consumersOf: Record<string, string[]> = {
    'order.paid': ['inventory', 'carts', 'promotions'],
    'payment.captured': ['orders'],
    'reservation.fulfilled': ['orders'],
  }
  for (const publisher of ['orders', 'payments', 'inventory']) {
    const rows = await sql<{ id: string; topic: string; data: unknown }>(
      publisher,
      'SELECT id, topic, data FROM outbox WHERE event_key = ?',
      [order.id],
    )
    for (const { id, topic, data } of rows) {
      const event = cloudEvent(publisher, topic, id, typeof data === 'string' ? JSON.parse(data) : data)
      await publishAs(publisher, topic, event)
      await publishAs(publisher, topic, event)
      for (const consumer of consumersOf[topic] ?? []) {
        await eventually(`${consumer} got ${topic} three times`, () => {
          const handled = logLines(consumer).filter(
            (entry) => entry.event_id === id && entry.msg === 'event handled',
          )
          return handled.length >= 3
        })
      }
    }
  }
  assert.deepEqual(await shop.stockOf(line.sku), stockBefore)
  assert.deepEqual(await shop.orderOf(shopper, order.id), orderBefore)
  assert.deepEqual(await shop.ledgerOf(order.id), ledgerBefore)
})

const deadLettersOf = async (app: string): Promise<{ id: string; topic: string }[]> =>
  (await shop.door('GET', `/v1/dead-letters/${app}`, { token: await shop.asOperator() })).body.data

const command = (...args: string[]) => run('node', ['tools/caravan.mjs', 'dead-letters', ...args])

test('an event that can never be handled becomes a dead letter, and others pass it', async () => {
  const id = newId()
  await publishAs(
    'payments',
    'payment.captured',
    cloudEvent('payments', 'payment.captured', id, { orderId: 'no order' }),
  )
  await eventually('it is a dead letter', async () =>
    (await deadLettersOf('orders')).some((letter) => letter.id === id),
  )

  const [line] = await shop.newLines([1])
  assert.ok(line)
  const orders = await placed(line, 1)
  await payAll(orders)
  await allConfirmed(orders)

  await assert.rejects(command('replay', 'orders', id), /replay-failed/)
  assert.ok((await deadLettersOf('orders')).some((letter) => letter.id === id))
  await command('discard', 'orders', id)
  assert.ok(!(await deadLettersOf('orders')).some((letter) => letter.id === id))
})

test('a dead letter is replayed with one command once its reason is mended', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const [first] = await placed(line, 1)
  assert.ok(first)
  const { shopper, order } = first
  // The order disappears while the provider holds the charge, so the event that it is paid names no order.
  const elsewhere = newId()
  const paying = shop.tryPay(shopper, order.id, await shop.tokenise(cards.good, heldCharge))
  await eventually('the payment is under way', async () => {
    const { body } = await shop.door('GET', `/v1/orders/${order.id}/payments`, { token: shopper.token })
    return body.data.length === 1
  })
  await sql('orders', 'UPDATE orders SET id = ? WHERE id = ?', [elsewhere, order.id])
  assert.equal((await shop.released(paying)).status, 201)
  const letter = await eventually('it is a dead letter', async () =>
    (await deadLettersOf('orders')).find((each) => each.topic === 'payment.captured'),
  )
  await sql('orders', 'UPDATE orders SET id = ? WHERE id = ?', [order.id, elsewhere])
  assert.equal((await shop.orderOf(shopper, order.id)).status, 'pending-payment')

  await command('replay', 'orders', letter.id)
  assert.equal((await shop.settled(shopper, order.id)).status, 'confirmed')
  assert.ok(!(await deadLettersOf('orders')).some((each) => each.id === letter.id))
})
