import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { orderAbandoned } from '@caravan/contracts/orders'
import { transaction } from '@caravan/service-kit/database'
import { createIdempotency, type Once } from '@caravan/service-kit/idempotency'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox, fact } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { type Change, cancel, capture, confirm, openRefunds, place, refund } from './domain/order.ts'
import { createOrderStore, type OrderStore } from './order-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
let database: TestDatabase
let orders: OrderStore

before(async () => {
  database = await createTestDatabase(migrations)
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  orders = createOrderStore(
    db,
    createOutbox({ name: 'orders', db, sidecar, log: createLog('orders', 'silent') }),
  )
})
after(() => database.drop())

const line = {
  ...{ sku: 'GAIWAN-WHITE', productId: newId(), title: { en: 'Gaiwan', zh: '盖碗' } },
  ...{ quantity: 2, unitPrice: 2400, total: 4800 },
}
const shippingAddress = {
  ...{ name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' },
}
const newChange = (accountId = newId(), windowSeconds = 1800, id = newId(), at = new Date()): Change =>
  place({ id, accountId, currency: 'USD', lines: [line], shippingAddress }, at, windowSeconds)
const inserted = async (accountId?: string, windowSeconds?: number, at?: Date) => {
  const change = newChange(accountId, windowSeconds, undefined, at)
  await orders.insert(change, async () => {})
  return change.order
}
const placement = (id: string): Change => newChange(newId(), 1800, id)
/** A request that is under way, for the order of that id. */
const claimed = async (id: string): Promise<Once> => {
  const key = newId()
  const idempotency = createIdempotency(database.db)
  await idempotency.claim('tests', key, 'request')
  // Its process died; the repeat takes over, and so gets the id that is wanted here.
  await database
    .db('idempotency_keys')
    .where({ idempotency_key: key })
    .update({ subject_id: id, claimed_until: '2000-01-01' })
  const taken = await idempotency.claim('tests', key, 'request')
  assert.ok('record' in taken && taken.id === id)
  return taken
}
const facts = async (orderId: string): Promise<string[]> =>
  database.db('outbox').where({ event_key: orderId }).orderBy('seq').pluck('topic')

test('an order comes back as it was placed', async () => {
  const order = await inserted()
  assert.deepEqual(await orders.find(order.id), order)
  assert.deepEqual(await facts(order.id), ['order.placed'])
  assert.equal(await orders.find(newId()), undefined)
})

test('what joins the placing is written with it, or neither is', async () => {
  const change = newChange()
  await assert.rejects(
    orders.insert(change, async () => {
      throw new Error('no room')
    }),
    /no room/,
  )
  assert.equal(await orders.find(change.order.id), undefined)
  assert.deepEqual(await facts(change.order.id), [])
})

test('an order is placed once under its id', async () => {
  const change = newChange()
  await orders.insert(change, async () => {})
  await assert.rejects(
    orders.insert(change, async () => {}),
    { code: 'ER_DUP_ENTRY' },
  )
  assert.deepEqual(await facts(change.order.id), ['order.placed'])
})

test('a change is written with its facts, and comes back', async () => {
  const { id } = await inserted()
  const paymentId = newId()
  const paid = await orders.update(id, (order) => capture(order, paymentId, new Date()))
  assert.deepEqual(paid?.payment, { id: paymentId, status: 'captured' })
  assert.deepEqual(await orders.find(id), paid)
  assert.deepEqual(await facts(id), ['order.placed', 'order.paid'])
})

test('twenty captures of one payment at once: paid once', async () => {
  const { id } = await inserted()
  const paymentId = newId()
  const pay = () => orders.update(id, (order) => capture(order, paymentId, new Date()))
  await Promise.all(Array.from({ length: 20 }, pay))
  assert.deepEqual(
    (await orders.find(id))?.history.map(({ what }) => what),
    ['placed', 'paid'],
  )
  assert.deepEqual(await facts(id), ['order.placed', 'order.paid'])
})

test('paid and cancelled at once: one of them wins, and the books agree', async () => {
  for (let n = 0; n < 10; n += 1) {
    const { id } = await inserted()
    await Promise.allSettled([
      orders.update(id, (order) => capture(order, newId(), new Date())),
      orders.update(id, (order) => cancel(order, 'shopper', new Date())),
    ])
    const order = await orders.find(id)
    const told = await facts(id)
    if (order?.status === 'paid') assert.deepEqual(told, ['order.placed', 'order.paid'])
    else assert.deepEqual(told, ['order.placed', 'order.cancelled', 'order.refund-due'])
  }
})

test('a change that throws leaves all as it was', async () => {
  const order = await inserted()
  const change = orders.update(order.id, () => {
    throw new Error('not like this')
  })
  await assert.rejects(change, /not like this/)
  assert.deepEqual(await orders.find(order.id), order)
})

test('an order that is not there cannot be changed', async () => {
  assert.equal(await orders.update(newId(), () => assert.fail()), undefined)
})

test('a change within a transaction is undone with it', async () => {
  const order = await inserted()
  const work = transaction(database.db, async (tx) => {
    await orders.change(tx, [{ id: order.id, apply: (current) => cancel(current, 'unpaid', new Date()) }])
    throw new Error('the rest failed')
  })
  await assert.rejects(work, /the rest failed/)
  assert.deepEqual(await orders.find(order.id), order)
  assert.deepEqual(await facts(order.id), ['order.placed'])
})

test('orders of one delivery are changed together, one of them twice, one that is not there, one not at all', async () => {
  const [first, second, same] = [await inserted(), await inserted(), await inserted()]
  const missing = newId()
  const now = new Date()
  const trace = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01'
  const found = await transaction(database.db, (tx) =>
    orders.change(tx, [
      { id: first.id, apply: (order) => capture(order, newId(), now), traceparent: trace },
      { id: missing, apply: () => assert.fail() },
      { id: second.id, apply: (order) => cancel(order, 'unpaid', now) },
      { id: same.id, apply: (order) => ({ order, facts: [] }) },
      { id: first.id, apply: (order) => confirm(order, now) },
    ]),
  )
  assert.deepEqual([...found.keys()].sort(), [first.id, second.id, same.id].sort())
  for (const { id } of [first, second, same]) assert.deepEqual(await orders.find(id), found.get(id))
  assert.equal((await orders.find(first.id))?.status, 'confirmed')
  assert.equal((await orders.find(second.id))?.cancelReason, 'unpaid')
  assert.deepEqual(await orders.find(same.id), same)
  assert.deepEqual(await facts(first.id), ['order.placed', 'order.paid', 'order.confirmed'])
  const [paid] = await database.db('outbox').where({ event_key: first.id, topic: 'order.paid' })
  assert.equal(paid.traceparent, trace)
})

test('what was never placed is given up by an event; what was placed is not', async () => {
  const missing = newId()
  const abandoned = (orderId: string) => fact(orderAbandoned, { orderId })
  assert.equal(await orders.abandon(await claimed(missing), abandoned(missing)), undefined)
  assert.deepEqual(await facts(missing), ['order.abandoned'])
  const order = await inserted()
  assert.deepEqual(await orders.abandon(await claimed(order.id), abandoned(order.id)), order)
  assert.deepEqual(await facts(order.id), ['order.placed'])
})

test('an order that is being committed is not given up', async () => {
  const once = await claimed(newId())
  const change = placement(once.id)
  let givenUp: Promise<unknown> | undefined
  await orders.insert(change, async (tx) => {
    await once.record(tx, 201, {})
    // Begins while the insert is still uncommitted, and must not judge before it is.
    givenUp = orders.abandon(once, fact(orderAbandoned, { orderId: once.id }))
  })
  assert.deepEqual(await givenUp, change.order)
  assert.deepEqual(await facts(once.id), ['order.placed'])
})

test('an order that was given up cannot be recorded any more', async () => {
  const once = await claimed(newId())
  await orders.abandon(once, fact(orderAbandoned, { orderId: once.id }))
  await assert.rejects(
    orders.insert(placement(once.id), (tx) => once.record(tx, 201, {})),
    { code: 'idempotency/in-flight' },
  )
  assert.equal(await orders.find(once.id), undefined)
})

test('an account’s orders are listed newest first, page by page, and nobody else’s', async () => {
  const account = newId()
  const placed: string[] = []
  for (let n = 0; n < 5; n += 1) {
    placed.unshift((await inserted(account)).id)
    await inserted()
  }
  const seen: string[] = []
  for (let after: string | undefined; ; after = seen.at(-1)) {
    const page = await orders.list(account, 2, after)
    seen.push(...page.map(({ id }) => id))
    if (page.length < 2) break
  }
  assert.deepEqual(seen.toSorted().reverse(), seen)
  assert.deepEqual(new Set(seen), new Set(placed))
  assert.equal(seen.length, 5)
})

test('unpaid orders whose time is over are found, the longest overdue first', async () => {
  await inserted(newId(), 60)
  const later = await inserted(newId(), -60)
  const earlier = await inserted(newId(), -120)
  const paid = await inserted(newId(), -180)
  await orders.update(paid.id, (order) => capture(order, newId(), new Date()))
  assert.deepEqual(await orders.overdue(10), [earlier.id, later.id])
  assert.deepEqual(await orders.overdue(1), [earlier.id])
})

describe('an order that waits for an answer', () => {
  const now = new Date()
  /** Seconds from now until its answer is asked for; null when it waits for nothing. */
  const asksIn = async (id: string): Promise<number | null> => {
    const [[row]] = await database.db.raw(
      'SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), ask_at) / 1000000 AS seconds FROM orders WHERE id = ?',
      [id],
    )
    return row.seconds === null ? null : Math.round(row.seconds)
  }
  const due = (id: string) => database.db('orders').where({ id }).update({ ask_at: '2001-01-01' })
  const idsOf = (waiting: readonly { id: string }[]) => waiting.map(({ id }) => id)
  const lateBy = (seconds: number) => new Date(Date.now() - seconds * 1000)

  test('does so from being paid until it is confirmed', async () => {
    const { id } = await inserted()
    assert.equal(await asksIn(id), null)
    await orders.update(id, (order) => capture(order, newId(), now))
    assert.equal(await asksIn(id), 15)
    assert.deepEqual(await orders.waiting(['paid'], 10), [])
    await due(id)
    assert.deepEqual(idsOf(await orders.waiting(['paid'], 10)), [id])
    assert.deepEqual(await orders.waiting(['confirmed', 'cancelled'], 10), [])
    await orders.update(id, (order) => confirm(order, now))
    assert.equal(await asksIn(id), null)
  })

  test('does so from its refund’s falling due until that is done, a second payment’s too', async () => {
    const [first, second] = [newId(), newId()]
    const { id } = await inserted()
    await orders.update(id, (order) => cancel(order, 'shopper', now))
    for (const payment of [first, second]) await orders.update(id, (order) => capture(order, payment, now))
    assert.equal(await asksIn(id), 15)
    await due(id)
    const [waiting] = await orders.waiting(['confirmed', 'cancelled'], 10)
    assert.deepEqual(waiting && openRefunds(waiting), [first, second])
    await orders.update(id, (order) => refund(order, second, now))
    assert.equal(await asksIn(id), 15)
    await orders.update(id, (order) => refund(order, first, now))
    assert.equal(await asksIn(id), null)
  })

  test('is asked about ever more seldom, and no more when it has its answer', async () => {
    const paid = async (at: Date) => {
      const { id } = await inserted(undefined, undefined, at)
      await orders.update(id, (order) => capture(order, newId(), at))
      return id
    }
    const [fresh, older, old, done] = [
      await paid(now),
      await paid(lateBy(60)),
      await paid(lateBy(86_400)),
      await paid(now),
    ]
    for (const id of [fresh, older, old, done]) await due(id)
    const waiting = await orders.waiting(['paid'], 10)
    await orders.update(done, (order) => confirm(order, now))
    await orders.askLater(waiting)
    assert.deepEqual(await Promise.all([fresh, older, old, done].map(asksIn)), [15, 60, 600, null])
    assert.deepEqual(await orders.waiting(['paid'], 10), [])
  })
})

describe('with many rows', () => {
  const accounts = Array.from({ length: 100 }, () => newId())
  const ids = Array.from({ length: 6000 }, () => newId())

  before(async () => {
    const documents = { order_lines: '[]', shipping_address: '{}', history: '[]' }
    await fill(
      database.db,
      'orders',
      ids.map((id, n) => ({
        ...{ ...documents, id, account_id: accounts[n % accounts.length], currency: 'USD', total: 1 },
        status: n % 3 === 0 ? 'pending-payment' : n % 50 === 1 ? 'paid' : 'confirmed',
        ask_at: n % 100 === 1 ? new Date(Date.now() - n) : null,
        placed_at: new Date(),
        pay_before: new Date(Date.now() + 60_000 + n),
      })),
    )
  })

  test('an account’s page of orders is a stretch of an index', async () => {
    for (const after of [undefined, ids[3000]]) {
      const [step] = await plansOf(database.db, () => orders.list(String(accounts[0]), 20, after))
      assert.partialDeepStrictEqual(step, { table: 'orders', key: 'of_account' })
      assert.match(String(step?.type), /^(ref|range)$/)
      assert.doesNotMatch(String(step?.Extra), /filesort/)
    }
  })

  test('overdue orders are read in the order of an index', async () => {
    const [step] = await plansOf(database.db, () => orders.overdue(50))
    assert.partialDeepStrictEqual(step, { table: 'orders', key: 'unpaid', type: 'range' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })

  for (const statuses of [['paid'], ['confirmed', 'cancelled']] as const)
    test(`orders that are ${statuses.join(' or ')} and wait are read in the order of an index`, async () => {
      const [step] = await plansOf(database.db, () => orders.waiting(statuses, 20))
      assert.partialDeepStrictEqual(step, { table: 'orders', key: 'asking', type: 'range' })
      assert.doesNotMatch(String(step?.Extra), /filesort/)
    })

  test('an order is read by its id', async () => {
    const [step] = await plansOf(database.db, () => orders.find(String(ids[0])))
    assert.partialDeepStrictEqual(step, { table: 'orders', key: 'PRIMARY', type: 'const' })
  })
})
