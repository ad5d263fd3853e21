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
import {
  type Change,
  cancel,
  capture,
  confirm,
  type Order,
  openRefunds,
  place,
  refund,
} from './domain/order.ts'
import { assertMayPlace, tooManyUnpaid } from './domain/standing.ts'
import { plainQuote } from './domain/testing/plain-quote.ts'
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
  place({ id, accountId, quote: plainQuote([line]), shippingAddress }, at, windowSeconds)
/** Admits to an order whatever the account has open. */
const anyone = () => {}
const inserted = async (accountId?: string, windowSeconds?: number, at?: Date) => {
  const change = newChange(accountId, windowSeconds, undefined, at)
  await orders.insert(change, anyone, async () => {})
  return change.order
}
const insertedAt = async (accountId: string, at: Date, ...changes: ((order: Order) => Change)[]) => {
  const order = await inserted(accountId, undefined, at)
  for (const apply of changes) await orders.update(order.id, apply)
  return order
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
    orders.insert(change, anyone, async () => {
      throw new Error('no room')
    }),
    /no room/,
  )
  assert.equal(await orders.find(change.order.id), undefined)
  assert.deepEqual(await facts(change.order.id), [])
})

test('an order is placed once under its id', async () => {
  const change = newChange()
  await orders.insert(change, anyone, async () => {})
  await assert.rejects(
    orders.insert(change, anyone, async () => {}),
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
  await orders.insert(change, anyone, async (tx) => {
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
    orders.insert(placement(once.id), anyone, (tx) => once.record(tx, 201, {})),
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

test('an account has ordered once it has an order that is not cancelled', async () => {
  const account = newId()
  const hasOrdered = async () => (await orders.standingOf(account)).hasOrdered
  assert.equal(await hasOrdered(), false)
  const { id } = await inserted(account)
  assert.equal(await hasOrdered(), true)
  await orders.update(id, (order) => cancel(order, 'shopper', new Date()))
  assert.equal(await hasOrdered(), false)
  await orders.update((await inserted(account)).id, (order) => capture(order, newId(), new Date()))
  assert.equal(await hasOrdered(), true)
})

test('an order of which nothing is to be paid asks for its stock in a while', async () => {
  const quote = { ...plainQuote([line]), total: 0 }
  const change = place({ id: newId(), accountId: newId(), quote, shippingAddress }, new Date(), 60)
  await orders.insert(change, anyone, async () => {})
  assert.equal((await orders.find(change.order.id))?.status, 'paid')
  const { ask_at } = await database.db('orders').where({ id: change.order.id }).first('ask_at')
  assert.ok(ask_at > new Date() && ask_at < new Date(Date.now() + 60_000))
})

test('an order from before there were quotes is read as it was', async () => {
  const order = await inserted()
  await database.db('orders').where({ id: order.id }).update({ quote: null })
  const { quote: _, ...rest } = order
  assert.deepEqual(await orders.find(order.id), rest)
})

describe('an account’s unpaid orders', () => {
  const bounds = { unpaidOrders: 5, heldUnits: 1000 }
  const tryInsert = (accountId: string) =>
    orders.insert(
      newChange(accountId),
      (standing) => assertMayPlace(standing, 2, bounds),
      async () => {},
    )
  const refused = { code: tooManyUnpaid, status: 409 }

  test('stay within their bound when fifty are placed at once, each time', async () => {
    for (const account of [newId(), newId()]) {
      const results = await Promise.allSettled(Array.from({ length: 50 }, () => tryInsert(account)))
      const failures = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
      for (const { code, status } of failures) assert.deepEqual({ code, status }, refused)
      assert.equal(failures.length, 45)
      const standing = { isClosed: false, unpaidOrders: 5, heldUnits: 10, hasOrdered: true }
      assert.deepEqual(await orders.standingOf(account), standing)
    }
  })

  test('give way when one is paid or cancelled, and count no other account’s', async () => {
    const account = newId()
    const placed = []
    for (let n = 0; n < 5; n += 1) placed.push(await inserted(account))
    await assert.rejects(tryInsert(account), refused)
    await tryInsert(newId())
    const [first, second] = placed
    await orders.update(String(first?.id), (order) => cancel(order, 'shopper', new Date()))
    await orders.update(String(second?.id), (order) => capture(order, newId(), new Date()))
    await tryInsert(account)
    await tryInsert(account)
    await assert.rejects(tryInsert(account), refused)
  })
})

describe('a closed account', () => {
  const close = (accountId: string) => transaction(database.db, (tx) => orders.closeAccount(tx, accountId))
  const sweepAt = async (accountId: string): Promise<Date | null> =>
    (await database.db('shoppers').where({ account_id: accountId }).first()).sweep_at
  const nameOf = async (id: string) => (await orders.find(id))?.shippingAddress.name
  const day = 86_400_000
  const bounds = { unpaidOrders: 50, heldUnits: 1000 }
  const tryInsert = (accountId: string, during = async () => {}) =>
    orders.insert(newChange(accountId), (standing) => assertMayPlace(standing, 2, bounds), during)
  const refused = { code: 'auth/session-ended', status: 401 }

  test('orders nothing more, whether it ever ordered or not', async () => {
    const [buyer, stranger] = [newId(), newId()]
    await inserted(buyer)
    for (const account of [buyer, stranger]) {
      await close(account)
      await close(account)
      await assert.rejects(tryInsert(account), refused)
    }
    assert.equal((await orders.list(buyer, 10)).length, 1)
    assert.equal((await orders.list(stranger, 10)).length, 0)
  })

  test('whose order is being committed is closed after that, and finds it', async () => {
    const account = newId()
    let closing: Promise<void> | undefined
    await tryInsert(account, async () => {
      closing = close(account)
      // Long enough for it to be done, were it not to wait.
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.equal(await orders.standingOf(account).then(({ isClosed }) => isClosed), false)
    })
    await closing
    await orders.sweep(account, 30)
    assert.ok(await sweepAt(account), 'an order that is not over is looked at again')
  })

  test('keeps the address of each order until that is over, then the country only', async () => {
    const account = newId()
    const longAgo = new Date(Date.now() - 31 * day)
    const now = new Date()
    const paymentId = newId()
    const at = async (...changes: ((order: Order) => Change)[]) =>
      (await insertedAt(account, longAgo, ...changes)).id
    const pay = (order: Order) => capture(order, paymentId, longAgo)
    const kept = {
      unpaid: await at(),
      paid: await at(pay),
      confirmed: await at(pay, (order) => confirm(order, now)),
      'cancelled, the money not back': await at(
        (order) => cancel(order, 'shopper', now),
        (order) => capture(order, paymentId, now),
      ),
    }
    const over = {
      cancelled: await at((order) => cancel(order, 'shopper', now)),
      'cancelled, the money back': await at(
        (order) => cancel(order, 'shopper', now),
        (order) => capture(order, paymentId, now),
        (order) => refund(order, paymentId, now),
      ),
      'confirmed long ago': await at(pay, (order) => confirm(order, longAgo)),
    }
    await close(account)
    assert.ok((await orders.unswept(1000)).includes(account))
    await orders.sweep(account, 30)
    for (const [what, id] of Object.entries(kept)) assert.equal(await nameOf(id), 'Mei', what)
    for (const [what, id] of Object.entries(over)) {
      const address = (await orders.find(id))?.shippingAddress
      assert.deepEqual([address?.name, address?.line1, address?.country], ['-', '-', 'CN'], what)
      assert.doesNotMatch(JSON.stringify(address), /Mei|Long Road|Xi’an|710000/)
    }
    assert.ok(!(await orders.unswept(1000)).includes(account), 'not before there may be more')

    // All come to their ends.
    await orders.update(kept.unpaid, (order) => cancel(order, 'unpaid', now))
    await orders.update(kept.paid, (order) => confirm(order, now))
    await orders.update(kept['cancelled, the money not back'], (order) => refund(order, paymentId, now))
    await orders.sweep(account, 30)
    for (const id of [kept.paid, kept.confirmed]) assert.equal(await nameOf(id), 'Mei')
    const next = (await sweepAt(account))?.getTime() ?? 0
    assert.ok(Math.abs(next - now.getTime() - 30 * day) < 1000, 'when the next is due')
    await orders.sweep(account, 0)
    for (const id of Object.values(kept)) assert.equal(await nameOf(id), '-')
    assert.equal(await sweepAt(account), null)
  })

  test('has no address in the answer that is kept for a repeat either', async () => {
    const account = newId()
    const idempotency = createIdempotency(database.db)
    const once = await idempotency.claim(`${account} placeOrder`, 'a-key', 'request')
    assert.ok('record' in once)
    const change = newChange(account, 1800, once.id)
    await orders.insert(change, anyone, (tx) => once.record(tx, 201, change.order))
    await orders.update(once.id, (order) => cancel(order, 'shopper', new Date()))
    await close(account)
    await orders.sweep(account, 30)
    const { body } = await database.db('idempotency_keys').where({ subject_id: once.id }).first()
    const { shippingAddress: _, ...rest } = JSON.parse(JSON.stringify(change.order))
    assert.deepEqual(JSON.parse(body), rest)
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

  test('what an account has open is counted in an index, closed accounts are found by another', async () => {
    await fill(
      database.db,
      'shoppers',
      [...accounts, ...Array.from({ length: 3000 }, () => newId())].map((id, n) => ({
        account_id: id,
        sweep_at: n % 100 === 0 ? new Date() : null,
      })),
    )
    const [shopper, ...counts] = await plansOf(database.db, () => orders.standingOf(String(accounts[0])))
    assert.partialDeepStrictEqual(shopper, { table: 's', key: 'PRIMARY', type: 'const' })
    assert.equal(counts.length, 3)
    for (const step of counts) {
      assert.partialDeepStrictEqual(step, { table: 'o', key: 'unpaid_of_account' })
      assert.match(String(step.Extra), /Using index/)
    }
    const [swept] = await plansOf(database.db, () => orders.unswept(100))
    assert.partialDeepStrictEqual(swept, { table: 'shoppers', key: 'sweeping', type: 'range' })
  })

  test('an order is read by its id', async () => {
    const [step] = await plansOf(database.db, () => orders.find(String(ids[0])))
    assert.partialDeepStrictEqual(step, { table: 'orders', key: 'PRIMARY', type: 'const' })
  })
})
