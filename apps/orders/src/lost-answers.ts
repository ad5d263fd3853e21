import { sellReserved } from '@caravan/contracts/inventory'
import { demandRefunds } from '@caravan/contracts/payments'
import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import { AppError } from '@caravan/service-kit/errors'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import { confirm, failFulfilment, type Order, openRefunds, refund } from './domain/order.ts'
import type { OrderStore } from './order-store.ts'

/** Few, because each may have a hundred lines, and a body's size is bounded. */
const salesAtOnce = 10
const refundsAtOnce = 50

/**
 * Asks by call for what events should have told: the stock of paid orders, and the end of refunds. A broker that lost its
 * data thereby leaves no order unfinished, whichever of the events it lost. Asking again changes nothing, so two leaders at
 * once do no harm.
 */
export const lostAnswers = (stores: Sharded<OrderStore>, { sidecar, log }: Tools): Background[] => {
  const isAway = (error: unknown) => error instanceof AppError && error.status === 503

  /** What came of these orders' stock. Throws when inventory is away; one at which it fails does not hinder the others. */
  const outcomesOf = async (waiting: readonly Order[]) => {
    const body = {
      orders: waiting.map(({ id, lines }) => ({
        orderId: id,
        items: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      })),
    }
    try {
      return (await sidecar.call(sellReserved, { body })).data
    } catch (error) {
      if (isAway(error) || waiting.length > 1) throw error
      log.error({ err: error, order_id: waiting[0]?.id }, 'inventory fails at a paid order')
      return []
    }
  }

  const askForStock = async (orders: OrderStore, waiting: readonly Order[]): Promise<void> => {
    const outcomes = await outcomesOf(waiting).catch(async (error) => {
      if (isAway(error)) throw error
      const one = []
      for (const order of waiting) one.push(...(await outcomesOf([order])))
      return one
    })
    const now = new Date()
    await orders.updateAll(
      outcomes.map(({ orderId, outcome }) => ({
        id: orderId,
        apply: (order) => (outcome === 'fulfilled' ? confirm(order, now) : failFulfilment(order, now)),
      })),
    )
  }

  const askForRefunds = async (orders: OrderStore, waiting: readonly Order[]): Promise<void> => {
    const due = new Map(waiting.flatMap((order) => openRefunds(order).map((payment) => [payment, order.id])))
    const { data } = await sidecar.call(demandRefunds, { body: { paymentIds: [...due.keys()] } })
    const statuses = new Map(data.map(({ paymentId, status }) => [paymentId, status]))
    const now = new Date()
    const back = [...due].filter(([paymentId]) => statuses.get(paymentId) === 'refunded')
    await orders.updateAll(
      back.map(([paymentId, id]) => ({ id, apply: (order) => refund(order, paymentId, now) })),
    )
    for (const [paymentId, order_id] of due) {
      const status = statuses.get(paymentId)
      if (status === 'refunded' || status === 'refund-due') continue
      log.error({ order_id, payment_id: paymentId, status }, 'payments has no money to give back')
    }
  }

  /** Asks about all orders whose time has come, some at a time, and about those that still wait again later. */
  const ask = (
    name: string,
    statuses: readonly Order['status'][],
    atOnce: number,
    about: (orders: OrderStore, waiting: readonly Order[]) => Promise<void>,
  ): Background =>
    everyAsLeader(5000, name, { sidecar, log }, () =>
      inEach(stores, async (orders) => {
        for (;;) {
          const waiting = await orders.waiting(statuses, atOnce)
          if (waiting.length === 0) return
          await about(orders, waiting)
          await orders.askLater(waiting)
        }
      }),
    )

  return [
    ask('lost-sales', ['paid'], salesAtOnce, askForStock),
    ask('lost-refunds', ['confirmed', 'cancelled'], refundsAtOnce, askForRefunds),
  ]
}
