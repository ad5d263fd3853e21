import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Outbox } from '@caravan/service-kit/outbox'
import { traceIdOf } from '@caravan/service-kit/trace'
import { begin, type Fulfilment, type FulfilmentChange, isOpenFor } from './domain/fulfilment.ts'
import type { Order } from './domain/order.ts'
import { stepsOf } from './domain/steps.ts'
import { noteDue } from './due-store.ts'
import type { OrderStore } from './order-store.ts'
import { writeReturns } from './return-store.ts'
import type { MaySee } from './whose.ts'

/** Seconds that the event has to tell what became of a refund before payments is asked. */
const patienceSeconds = 15
/** Days for which a carrier's news of a parcel count; afterwards it may use the number again. */
const trackedDays = 180

export interface Fulfilled {
  readonly order: Order
  readonly fulfilment: Fulfilment
}

const doneIn = ({ refunds }: Fulfilment): string[] =>
  refunds.filter(({ status }) => status === 'done').map(({ id }) => id)

const notFound = () => new AppError('not-found', 'orders/not-found', 'There is no such order')

const readable = (order: Order | undefined, check: MaySee): Order => {
  if (!order) throw notFound()
  check(order)
  if (order.status !== 'confirmed')
    throw new AppError('conflict', 'orders/not-confirmed', `This order is ${order.status}`)
  return order
}

/** What became of confirmed orders. An order's row is the lock of its fulfilment, so that its first change is the only one, too. */
export const createFulfilmentStore = (db: Database, outbox: Outbox, orders: OrderStore) => {
  const load = async (on: Database | Transaction, order: Order): Promise<Fulfilment> => {
    const row = await on('fulfilments').where({ order_id: order.id }).first('state')
    return row ? JSON.parse(row.state) : begin(order)
  }

  const write = async (tx: Transaction, before: Fulfilment, fulfilment: Fulfilment): Promise<void> => {
    const { orderId, shipments, refunds } = fulfilment
    const wait = refunds.some(({ status }) => status === 'due') ? patienceSeconds : null
    await tx.raw(
      `INSERT INTO fulfilments (order_id, state, ask_at) VALUES (?, ?, NOW(3) + INTERVAL ? SECOND)
       ON DUPLICATE KEY UPDATE state = VALUES(state), ask_at = VALUES(ask_at)`,
      [orderId, JSON.stringify(fulfilment), wait as number],
    )
    const steps = stepsOf(before, fulfilment, new Date())
    const trace_id = traceIdOf() ?? null
    if (steps.length > 0)
      await tx('order_steps').insert(steps.map((step) => ({ order_id: orderId, ...step, trace_id })))
    const known = new Set(before.shipments.map(({ id }) => id))
    const more = shipments.filter(({ id }) => !known.has(id))
    if (more.length > 0)
      await tx('shipments').insert(
        more.map(({ id, carrier, trackingNumber }) => ({
          ...{ id, order_id: orderId, carrier, tracking_number: trackingNumber },
        })),
      )
    await writeReturns(tx, before.returns ?? [], fulfilment.returns ?? [])
    const sellers = [...new Set(fulfilment.lines.flatMap(({ seller }) => seller ?? []))]
    const changed = sellers.filter((seller) => isOpenFor(before, seller) !== isOpenFor(fulfilment, seller))
    for (const seller of changed)
      await tx('seller_orders')
        .insert({ seller_id: seller, order_id: orderId, is_open: isOpenFor(fulfilment, seller) })
        .onConflict()
        .merge(['is_open'])
  }

  /**
   * Loads under the order's lock, applies a pure change, writes it with its facts. Throws 404 where there is no such order, what
   * `check` throws, and 409 for one that is not confirmed.
   */
  const update = async (
    orderId: string,
    check: MaySee,
    apply: (fulfilment: Fulfilment) => FulfilmentChange,
  ): Promise<Fulfilled> => {
    const fulfilled = await transaction(db, (tx) => change(tx, orderId, check, apply))
    outbox.wake()
    return fulfilled
  }

  const change = async (
    tx: Transaction,
    orderId: string,
    check: MaySee,
    apply: (fulfilment: Fulfilment) => FulfilmentChange,
  ): Promise<Fulfilled> => {
    const found = await orders.change(tx, [{ id: orderId, apply: (order) => ({ order, facts: [] }) }])
    const order = readable(found.get(orderId), check)
    const before = await load(tx, order)
    const { fulfilment, facts } = apply(before)
    if (fulfilment !== before) {
      await write(tx, before, fulfilment)
      const known = new Set(doneIn(before))
      const done = order.quote ? doneIn(fulfilment).filter((id) => !known.has(id)) : []
      await noteDue(
        tx,
        done.map((subject) => ({ subject, orderId })),
      )
      await outbox.add(tx, facts)
    }
    return { order, fulfilment }
  }

  const find = async (orderId: string, check: MaySee): Promise<Fulfilled> => {
    const order = readable(await orders.find(orderId), check)
    return { order, fulfilment: await load(db, order) }
  }

  /** Those of the ids that are confirmed orders, in the order of the ids. */
  const findAll = async (orderIds: readonly string[]): Promise<Fulfilled[]> => {
    const found = await orders.findAll(orderIds)
    const rows: { order_id: string; state: string }[] = await db('fulfilments')
      .whereIn('order_id', [...orderIds])
      .select('order_id', 'state')
    const states = new Map(rows.map((row) => [row.order_id, row.state]))
    return orderIds.flatMap((id) => {
      const order = found.get(id)
      if (order?.status !== 'confirmed') return []
      const state = states.get(id)
      return [{ order, fulfilment: state ? (JSON.parse(state) as Fulfilment) : begin(order) }]
    })
  }

  /** Where the news of a parcel belong. */
  const tracked = async (
    carrier: string,
    trackingNumber: string,
  ): Promise<{ id: string; orderId: string }[]> => {
    const rows: { id: string; order_id: string }[] = await db('shipments')
      .where({ carrier, tracking_number: trackingNumber })
      .andWhere('shipped_at', '>', db.raw('NOW(3) - INTERVAL ? DAY', [trackedDays]))
      .orderBy('shipped_at', 'desc')
      .limit(100)
    return rows.map((row) => ({ id: row.id, orderId: row.order_id }))
  }

  /** Ids of orders with lines of these sellers, newest first, from below `after`. */
  const ofSellers = async (
    sellers: readonly string[],
    { openOnly, limit, after }: { openOnly: boolean; limit: number; after?: string | undefined },
  ): Promise<string[]> => {
    const ofOne = (seller: string): Promise<string[]> =>
      db('seller_orders')
        .where({ seller_id: seller, ...(openOnly ? { is_open: true } : {}) })
        .modify((query) => after && query.andWhere('order_id', '<', after))
        .orderBy('order_id', 'desc')
        .limit(limit)
        .pluck('order_id')
    const ids = (await Promise.all(sellers.map(ofOne))).flat()
    return [...new Set(ids)].sort().reverse().slice(0, limit)
  }

  /** Those whose refunds it is time to ask about. */
  const waiting = async (limit: number): Promise<Fulfilment[]> => {
    const rows: { state: string }[] = await db('fulfilments')
      .where('ask_at', '<=', db.raw('NOW(3)'))
      .orderBy('ask_at')
      .limit(limit)
      .select('state')
    return rows.map(({ state }) => JSON.parse(state))
  }

  const askLater = async (orderIds: readonly string[], seconds: number): Promise<void> => {
    await db('fulfilments')
      .whereIn('order_id', [...orderIds])
      .whereNotNull('ask_at')
      .update({ ask_at: db.raw('NOW(3) + INTERVAL ? SECOND', [seconds]) })
  }

  return { find, findAll, update, change, tracked, ofSellers, waiting, askLater }
}

export type FulfilmentStore = ReturnType<typeof createFulfilmentStore>
