import type { OrderLine } from '@caravan/contracts/orders'
import type { Histories } from './histories.ts'
import { apps } from './load-services.ts'
import type { Scenario } from './scenario.ts'
import type { Values } from './sql-syntax.ts'
import type { World } from './world.ts'

/** Who holds a lock for so long may keep another from its work. */
const lockWaitMs = 4000

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const tables = ({ databases: { orders, inventory, payments } }: World) => ({
  orders: orders.rows('orders'),
  stock: inventory.rows('stock'),
  reservations: inventory.rows('reservations'),
  reservationItems: inventory.rows('reservation_items'),
  adjustments: inventory.rows('adjustments'),
  payments: payments.rows('payments'),
  refunds: payments.rows('refunds'),
  ledger: payments.rows('ledger_entries'),
})

/** I5: what still waits for something. */
export const unfinished = (world: World): string[] => {
  const { orders, reservations, payments, refunds } = tables(world)
  return [
    ...orders
      .filter(
        ({ status, payment_status }) =>
          !['confirmed', 'cancelled'].includes(String(status)) || payment_status === 'refund-due',
      )
      .map(({ id, status, payment_status }) => `order ${id} is ${status}, its payment ${payment_status}`),
    ...reservations
      .filter(({ status }) => status === 'held')
      .map(({ order_id }) => `reservation of ${order_id} is held`),
    ...payments
      .filter(({ status }) => ['processing', 'refund-due'].includes(String(status)))
      .map(({ id, status }) => `payment ${id} is ${status}`),
    ...refunds.filter(({ done }) => !done).map(({ id }) => `refund ${id} is not done`),
    ...undelivered(world),
  ]
}

/** What was told, and has not reached all whom it is for. */
export const undelivered = (world: World): string[] => [
  ...apps.flatMap((app) =>
    world.databases[app]
      .rows('outbox')
      .filter(({ sent }) => !sent)
      .map(({ id, topic }) => `${app} has not sent ${topic} ${id}`),
  ),
  ...(world.broker.pending() > 0 ? [`${world.broker.pending()} events are not handled`] : []),
]

/**
 * An order that was not placed has given its stock back by itself, long before its reservation lapses: unless its process
 * died, or could not reach its database, and so could say nothing.
 */
export const compensated = (world: World): void => {
  const hindered = world.faults
    .met()
    .some(
      ({ on, kind, ms }) =>
        /^(?:orders|inventory) (?:commit|statement)$/.test(on) && (kind !== 'slow' || ms >= lockWaitMs),
    )
  if (hindered || forgot(world)) return
  const { orders, reservations } = tables(world)
  for (const { order_id, status } of reservations)
    if (status === 'held' && !orders.some(({ id }) => id === order_id))
      world.object('I5', `stock is still held for ${order_id}, which was given up`)
}

const stockAddsUp = (world: World, { stock: initial }: Scenario): void => {
  const { stock, reservations, reservationItems, adjustments, orders } = tables(world)
  const sold = new Set(reservations.filter(({ status }) => status === 'sold').map(({ order_id }) => order_id))
  for (const [index, pile] of stock.entries()) {
    const received = sum(adjustments.filter(({ sku }) => sku === pile.sku).map(({ delta }) => Number(delta)))
    if (received !== pile.received)
      world.object('I1', `${pile.sku}: ${pile.received} received, by the adjustments ${received}`)
    const bought = sum(
      reservationItems
        .filter(({ order_id, sku }) => sku === pile.sku && sold.has(order_id as string))
        .map(({ quantity }) => Number(quantity)),
    )
    if (bought !== pile.sold)
      world.object('I1', `${pile.sku}: ${pile.sold} sold, by the reservations ${bought}`)
    if (initial[index] === undefined) world.object('I1', `${pile.sku} came from nowhere`)
  }
  for (const { id, status } of orders)
    if ((status === 'confirmed') !== sold.has(id as string))
      world.object('I1', `order ${id} is ${status}, its stock ${sold.has(id as string) ? '' : 'not '}sold`)
  for (const id of sold)
    if (!orders.some((order) => order.id === id)) world.object('I4', `stock was sold to ${id}, no order`)
}

const moneyAddsUp = (world: World, { givenUp }: Histories): void => {
  const { orders, payments, ledger } = tables(world)
  const orderOf = new Map(payments.map(({ id, order_id }) => [id, order_id as string]))
  const { charges } = world.provider
  for (const charge of charges) {
    const payment = payments.find(({ id }) => id === charge.reference)
    if (!payment) world.object('I3', `charge ${charge.id} is of no payment`)
    else if (payment.amount !== charge.amount)
      world.object('I7', `charge ${charge.id} is not of its payment's sum`)
  }
  for (const { id, status, total, payment_id } of orders) {
    const captures = charges.filter(
      ({ reference, status: state }) => state === 'captured' && orderOf.get(reference) === id,
    )
    const unexplained = captures.filter(({ reference }) => !givenUp.has(reference))
    if (unexplained.length > 1) world.object('I2', `order ${id} was charged ${unexplained.length} times`)
    const kept = sum(captures.map(({ amount, refunded }) => amount - refunded))
    const owed = status === 'confirmed' ? Number(total) : 0
    if (kept !== owed) world.object('I2', `order ${id} is ${status} of ${total}; the provider holds ${kept}`)
    for (const { id: charge, amount, refunded, reference } of captures)
      if (refunded !== (status === 'confirmed' && reference === payment_id ? 0 : amount))
        world.object('I3', `${charge} of ${status} order ${id}: ${refunded} of ${amount} went back`)
    const inHand = sum(
      ledger
        .filter(({ order_id, account }) => order_id === id && account === 'provider')
        .map(({ amount }) => Number(amount)),
    )
    if (inHand !== kept) world.object('I2', `order ${id}: the ledger has ${inHand}, the provider ${kept}`)
  }
  const balance = sum(ledger.map(({ amount }) => Number(amount)))
  if (balance !== 0) world.object('I2', `the ledger sums to ${balance}`)
}

const promisesKept = (world: World): void => {
  const { orders, payments, ledger } = tables(world)
  const byKey = new Map<string, string>()
  for (const told of world.clients.told) {
    if (told.what === 'placed') {
      const { key, order } = told
      const first = byKey.get(key)
      if (first && first !== order.id) world.object('I4', `${key} was told of ${first} and of ${order.id}`)
      byKey.set(key, order.id)
      const row = orders.find(({ id }) => id === order.id)
      if (!row) world.object('I3', `${key} was told of order ${order.id}, which does not exist`)
      else if (row.total !== order.total || row.order_lines !== JSON.stringify(order.lines))
        world.object('I7', `order ${order.id} is not what its client was told`)
    }
    if (told.what === 'cancelled' && orders.find(({ id }) => id === told.order)?.status !== 'cancelled')
      world.object('I3', `order ${told.order} was told to be cancelled`)
    if (told.what === 'payment') {
      const row = payments.find(({ id }) => id === told.id)
      if (!row || row.order_id !== told.order) world.object('I3', `payment ${told.id} does not exist`)
      else if (
        ['captured', 'refund-due', 'refunded'].includes(told.status) &&
        !ledger.some((entry) => entry.transaction_id === told.id)
      )
        world.object('I3', `payment ${told.id} was told to be ${told.status} and is not in the ledger`)
    }
  }
  for (const [name, same] of Map.groupBy(
    orders,
    ({ shipping_address }) => JSON.parse(String(shipping_address)).name,
  ))
    if (same.length > 1) world.object('I4', `${same.length} orders under the key ${name}`)
}

const totalsAgree = (world: World): void => {
  const { orders, payments } = tables(world)
  for (const { id, total, order_lines, quote } of orders) {
    const lines: OrderLine[] = JSON.parse(String(order_lines))
    const wrong = lines.filter((line) => line.total !== line.quantity * line.unitPrice)
    if (
      wrong.length > 0 ||
      sum(lines.map((line) => line.total)) !== total ||
      JSON.parse(String(quote)).total !== total
    )
      world.object('I7', `the lines of ${id} are not its total`)
    for (const payment of payments)
      if (payment.order_id === id && payment.amount !== total)
        world.object('I7', `payment ${payment.id} is not of its order's total`)
  }
}

/** Whether the broker lost what it had taken. */
const forgot = (world: World): boolean => world.faults.met().some(({ kind }) => kind === 'flushed')

const eachEventHandled = (world: World): void => {
  if (forgot(world)) return
  for (const app of apps) {
    for (const { id, topic } of world.databases[app].rows('outbox')) {
      for (const consumer of world.subscribers(String(topic))) {
        const handled = world.databases[consumer].rows('inbox').filter((row: Values) => row.event_id === id)
        if (handled.length !== 1)
          world.object('I5', `${consumer} has ${topic} ${id} ${handled.length} times in its inbox`)
      }
    }
  }
}

/** The facts that an order's own history says were told. */
const toldBy: Record<string, string> = {
  placed: 'order.placed',
  paid: 'order.paid',
  confirmed: 'order.confirmed',
  cancelled: 'order.cancelled',
  'refund-due': 'order.refund-due',
  'second-payment-refund-due': 'order.refund-due',
}

/** I6: what was told happened, and what happened was told, once. */
const factsAreTrue = (world: World): void => {
  const { orders, reservations, ledger } = tables(world)
  const facts = apps.flatMap((app) => world.databases[app].rows('outbox'))
  const toldOf = (orderId: unknown) =>
    facts.filter(({ event_key }) => event_key === orderId).map(({ topic }) => String(topic))
  const held = new Map<unknown, string[]>()
  const happened = (orderId: unknown, topic: string) =>
    held.set(orderId, [...(held.get(orderId) ?? []), topic])
  for (const { id, history } of orders)
    for (const { what } of JSON.parse(String(history)) as { what: string }[])
      if (toldBy[what]) happened(id, toldBy[what])
  for (const { order_id, status } of reservations)
    if (status === 'sold') happened(order_id, 'reservation.fulfilled')
  for (const { order_id, account, amount } of ledger)
    if (account === 'provider')
      happened(order_id, Number(amount) > 0 ? 'payment.captured' : 'payment.refunded')
  for (const orderId of new Set([...held.keys(), ...facts.map(({ event_key }) => event_key)])) {
    const isOrder = orders.some(({ id }) => id === orderId)
    // A failed reservation leaves no trace of its own but the order's; an order that is none may have been given up.
    const ignored = isOrder ? 'reservation.failed' : 'order.abandoned'
    const told = toldOf(orderId)
      .filter((topic) => topic !== ignored)
      .sort()
    const expected = (held.get(orderId) ?? []).sort()
    if (told.join() !== expected.join())
      world.object('I6', `of ${orderId} was told: ${told}; what happened: ${expected}`)
    if (toldOf(orderId).filter((topic) => topic === 'reservation.failed').length > 1)
      world.object('I6', `that the stock of ${orderId} is gone was told twice`)
  }
}

/** I1 to I7, once the faults are over and everything had its time. */
export const settled = (world: World, scenario: Scenario, histories: Histories): void => {
  for (const what of unfinished(world)) world.object('I5', what)
  stockAddsUp(world, scenario)
  moneyAddsUp(world, histories)
  promisesKept(world)
  totalsAgree(world)
  eachEventHandled(world)
  factsAreTrue(world)
}
