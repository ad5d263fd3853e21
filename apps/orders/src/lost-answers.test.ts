import assert from 'node:assert/strict'
import { afterEach, mock, test } from 'node:test'
import type { Operation } from '@caravan/contracts/operation'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Tools } from '@caravan/service-kit/run-service'
import { cancel, capture, type Order, place } from './domain/order.ts'
import { plainQuote } from './domain/testing/plain-quote.ts'
import { lostAnswers } from './lost-answers.ts'
import type { OrderStore } from './order-store.ts'

const now = new Date('2026-11-01T08:00:00.000Z')
const line = {
  ...{ sku: 'GAIWAN-WHITE', productId: newId(), title: { en: 'Gaiwan', zh: '盖碗' } },
  ...{ quantity: 2, unitPrice: 2400, total: 4800 },
}
const shippingAddress = {
  ...{ name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' },
}
const placed = () =>
  place({ id: newId(), accountId: newId(), quote: plainQuote([line]), shippingAddress }, now, 60).order
const paid = () => capture(placed(), newId(), now).order
const owing = () => capture(cancel(placed(), 'shopper', now).order, newId(), now).order

afterEach(() => mock.timers.reset())

type Call = (operation: Operation, input: { body: never }) => Promise<unknown>

/** One round of both tasks over orders of which each is due once, with `call` in place of the other services. */
const round = async (due: readonly Order[], call: Call) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const orders = new Map(due.map((order) => [order.id, order]))
  let waiting = [...due]
  const errors: string[] = []
  const store = {
    waiting: async (statuses, limit) =>
      waiting.filter(({ status }) => statuses.includes(status)).slice(0, limit),
    askLater: async (asked) => {
      waiting = waiting.filter((order) => !asked.includes(order))
    },
    updateAll: async (changes) => {
      for (const { id, apply } of changes) orders.set(id, apply(orders.get(id) as Order).order)
      return orders
    },
  } as Partial<OrderStore> as OrderStore
  const lock = { acquire: async () => true, release: async () => {} }
  const log = { warn: () => {}, error: ({ order_id }: { order_id: string }) => errors.push(order_id) }
  const tools = { sidecar: { call, lock }, log } as unknown as Tools
  for (const background of lostAnswers([store], tools)) {
    const stop = background.start()
    mock.timers.tick(5000)
    await stop()
  }
  return {
    errors,
    statusOf: ({ id }: Order) => orders.get(id)?.status,
    of: ({ id }: Order) => orders.get(id),
  }
}

interface Sales {
  readonly orders: readonly { readonly orderId: string }[]
}

test('paid orders are confirmed or cancelled by inventory’s answer, ten at a time', async () => {
  const all = Array.from({ length: 25 }, paid)
  const short = all[7] as Order
  const sizes: number[] = []
  const { statusOf } = await round(all, async (_, { body }) => {
    const { orders } = body as Sales
    sizes.push(orders.length)
    const failed = { outcome: 'failed', shortages: [] }
    return {
      data: orders.map(({ orderId }) => ({
        ...{ orderId, outcome: 'fulfilled' },
        ...(orderId === short.id ? failed : {}),
      })),
    }
  })
  assert.deepEqual(sizes, [10, 10, 5])
  for (const order of all) assert.equal(statusOf(order), order === short ? 'cancelled' : 'confirmed')
})

test('one order at which inventory fails hinders no other, and is for a person to see', async () => {
  const all = Array.from({ length: 5 }, paid)
  const bad = all[2] as Order
  const { statusOf, errors } = await round(all, async (_, { body }) => {
    const { orders } = body as Sales
    if (orders.some(({ orderId }) => orderId === bad.id))
      throw new AppError('unavailable', 'internal-error', 'Internal error', { status: 500 })
    return { data: orders.map(({ orderId }) => ({ orderId, outcome: 'fulfilled' })) }
  })
  for (const order of all) assert.equal(statusOf(order), order === bad ? 'paid' : 'confirmed')
  assert.deepEqual(errors, [bad.id])
})

test('while inventory is away it is asked once, and refunds are asked for all the same', async () => {
  const [waiting, owed] = [[paid(), paid()], owing()]
  let calls = 0
  const { statusOf, of, errors } = await round([...waiting, owed], async (operation, { body }) => {
    if (operation.app === 'payments') {
      const { paymentIds } = body as { paymentIds: string[] }
      return { data: paymentIds.map((paymentId) => ({ paymentId, status: 'refunded' })) }
    }
    calls += 1
    throw new AppError('unavailable', 'sidecar/unavailable', 'Try again in a moment')
  })
  assert.equal(calls, 1)
  for (const order of waiting) assert.equal(statusOf(order), 'paid')
  assert.equal(of(owed)?.payment?.status, 'refunded')
  assert.deepEqual(errors, [])
})

test('a refund that is under way is asked for later; one of a payment without money is for a person to see', async () => {
  const [done, due, declined, unknown] = [owing(), owing(), owing(), owing()]
  const statuses = new Map([
    [done.payment?.id, 'refunded'],
    [due.payment?.id, 'refund-due'],
    [declined.payment?.id, 'declined'],
  ])
  const { of, errors } = await round([done, due, declined, unknown], async (_, { body }) => {
    const { paymentIds } = body as { paymentIds: string[] }
    const known = paymentIds.filter((paymentId) => statuses.has(paymentId))
    return { data: known.map((paymentId) => ({ paymentId, status: statuses.get(paymentId) })) }
  })
  assert.equal(of(done)?.payment?.status, 'refunded')
  for (const order of [due, declined, unknown]) assert.equal(of(order), order)
  assert.deepEqual(errors, [declined.id, unknown.id])
})
