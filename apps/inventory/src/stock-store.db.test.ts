import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Items } from '@caravan/contracts/inventory'
import { transaction } from '@caravan/service-kit/database'
import { asAppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import fc from 'fast-check'
import { createStockStore, type StockStore } from './stock-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
let database: TestDatabase
let stock: StockStore

before(async () => {
  database = await createTestDatabase(migrations)
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  stock = createStockStore(
    db,
    createOutbox({ name: 'inventory', db, sidecar, log: createLog('inventory', 'silent') }),
  )
})
after(() => database.drop())

let marks = 0
const newSku = () => {
  marks += 1
  return `SKU-${marks}`
}
const adjust = (sku: string, delta: number, id = newId()) =>
  stock.adjust({ id, sku, delta, reason: 'test', adjustedBy: newId() })
const received = async (quantity: number) => {
  const sku = newSku()
  await adjust(sku, quantity)
  return sku
}
const release = (orderId: string) => transaction(database.db, (tx) => stock.release(tx, orderId))
const sell = (orderId: string, items: Items) =>
  transaction(database.db, (tx) => stock.sell(tx, [{ orderId, items }]))
const piles = async (sku: string) => {
  const found = await stock.find(sku)
  return found && [found.available, found.reserved, found.sold]
}
const factsOf = async (orderId: string): Promise<{ topic: string; data: Record<string, unknown> }[]> => {
  const rows = await database.db('outbox').where({ event_key: orderId }).orderBy('seq')
  return rows.map(({ topic, data }) => ({ topic, data: JSON.parse(data) }))
}

describe('a reservation', () => {
  test('takes all or nothing, and tells what is short', async () => {
    const [plenty, scarce] = [await received(10), await received(1)]
    const items = [
      { sku: plenty, quantity: 3 },
      { sku: scarce, quantity: 2 },
      { sku: 'UNKNOWN', quantity: 1 },
    ]
    assert.deepEqual(await stock.reserve(newId(), items, 60), {
      outcome: 'insufficient-stock',
      shortages: [
        { sku: scarce, requested: 2, available: 1 },
        { sku: 'UNKNOWN', requested: 1, available: 0 },
      ],
    })
    assert.deepEqual(await piles(plenty), [10, 0, 0])
    assert.equal((await stock.reserve(newId(), items.slice(0, 1), 60)).outcome, 'reserved')
    assert.deepEqual(await piles(plenty), [7, 3, 0])
  })

  test('an order that was short may be tried again', async () => {
    const sku = await received(1)
    const order = newId()
    assert.equal((await stock.reserve(order, [{ sku, quantity: 2 }], 60)).outcome, 'insufficient-stock')
    await adjust(sku, 1)
    assert.equal((await stock.reserve(order, [{ sku, quantity: 2 }], 60)).outcome, 'reserved')
  })

  test('lines of one SKU count together', async () => {
    const sku = await received(3)
    const two = { sku, quantity: 2 }
    assert.deepEqual(await stock.reserve(newId(), [two, two], 60), {
      outcome: 'insufficient-stock',
      shortages: [{ sku, requested: 4, available: 3 }],
    })
  })

  test('of the same order, again or ten times at once, takes once', async () => {
    const sku = await received(50)
    const order = newId()
    const again = () => stock.reserve(order, [{ sku, quantity: 2 }], 60)
    const answers = await Promise.all(Array.from({ length: 10 }, again))
    for (const { outcome } of [...answers, await again()]) assert.equal(outcome, 'reserved')
    assert.deepEqual(await piles(sku), [48, 2, 0])
  })

  test('fifty at once for ten units: ten get one', async () => {
    const sku = await received(10)
    const one = [{ sku, quantity: 1 }]
    const answers = await Promise.all(Array.from({ length: 50 }, () => stock.reserve(newId(), one, 60)))
    assert.equal(answers.filter(({ outcome }) => outcome === 'reserved').length, 10)
    assert.deepEqual(await piles(sku), [0, 10, 0])
  })

  test('that comes after its order was released is closed, whether it had held something or not', async () => {
    const sku = await received(5)
    const items = [{ sku, quantity: 2 }]
    const [early, late] = [newId(), newId()]
    await stock.reserve(early, items, 60)
    await release(early)
    await release(early)
    await release(late)
    for (const order of [early, late])
      assert.equal((await stock.reserve(order, items, 60)).outcome, 'closed', order)
    assert.deepEqual(await piles(sku), [5, 0, 0])
  })

  test('that has lapsed is found, the longest ago first, and given back', async () => {
    const sku = await received(9)
    const [first, second, held] = [newId(), newId(), newId()]
    for (const order of [first, second, held]) await stock.reserve(order, [{ sku, quantity: 3 }], 600)
    const minutesAgo = (minutes: number) => database.db.raw('NOW(3) - INTERVAL ? MINUTE', [minutes])
    const expire = (order: string, minutes: number) =>
      database
        .db('reservations')
        .where({ order_id: order })
        .update({ expires_at: minutesAgo(minutes) })
    await expire(second, 1)
    await expire(first, 2)
    assert.deepEqual(await stock.lapsed(1), [first])
    assert.deepEqual(await stock.lapsed(100), [first, second])
    await stock.expire(first)
    assert.deepEqual(await stock.lapsed(100), [second])
    assert.deepEqual(await piles(sku), [3, 6, 0])
    await stock.expire(second)
  })
})

describe('a sale', () => {
  test('takes what was held, once, and is told', async () => {
    const sku = await received(5)
    const order = newId()
    const items = [{ sku, quantity: 2 }]
    await stock.reserve(order, items, 60)
    for (let n = 0; n < 3; n += 1) await sell(order, items)
    assert.deepEqual(await piles(sku), [3, 0, 2])
    assert.deepEqual(await factsOf(order), [{ topic: 'reservation.fulfilled', data: { orderId: order } }])
  })

  test('is not undone by a release that comes late', async () => {
    const sku = await received(5)
    const order = newId()
    await sell(order, [{ sku, quantity: 2 }])
    await release(order)
    assert.deepEqual(await piles(sku), [3, 0, 2])
  })

  test('of an order whose reservation lapsed is made good from what is there', async () => {
    const sku = await received(5)
    const order = newId()
    const items = [{ sku, quantity: 2 }]
    await stock.reserve(order, items, 60)
    await stock.expire(order)
    await sell(order, items)
    assert.deepEqual(await piles(sku), [3, 0, 2])
    assert.deepEqual(await factsOf(order), [{ topic: 'reservation.fulfilled', data: { orderId: order } }])
  })

  test('of an order whose stock went to another meanwhile is refused, and takes nothing', async () => {
    const [sku, other] = [await received(2), await received(5)]
    const order = newId()
    const items = [
      { sku, quantity: 2 },
      { sku: other, quantity: 1 },
    ]
    await stock.reserve(order, items, 60)
    await stock.expire(order)
    await stock.reserve(newId(), [{ sku, quantity: 1 }], 60)
    await sell(order, items)
    assert.deepEqual(await piles(sku), [1, 1, 0])
    assert.deepEqual(await piles(other), [5, 0, 0])
    const shortages = [{ sku, requested: 2, available: 1 }]
    assert.deepEqual(await factsOf(order), [
      { topic: 'reservation.failed', data: { orderId: order, shortages } },
    ])
  })
})

describe('what came of a paid order', () => {
  const ask = (orderId: string, items: Items) => stock.sellNow([{ orderId, items }])

  test('is told again to whoever asks, and once by event', async () => {
    const sku = await received(5)
    const order = newId()
    const items = [{ sku, quantity: 2 }]
    await stock.reserve(order, items, 60)
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(order, items)))
    for (const answer of answers) assert.deepEqual(answer, [{ orderId: order, outcome: 'fulfilled' }])
    assert.deepEqual(await piles(sku), [3, 0, 2])
    assert.equal((await factsOf(order)).length, 1)
  })

  test('stays a failure, though there is stock again: it may be cancelled by now', async () => {
    const sku = await received(1)
    const order = newId()
    const items = [{ sku, quantity: 2 }]
    await stock.reserve(order, items, 60)
    await sell(order, items)
    await adjust(sku, 9)
    await sell(order, items)
    const shortages = [{ sku, requested: 2, available: 1 }]
    assert.deepEqual(await ask(order, items), [{ orderId: order, outcome: 'failed', shortages }])
    await release(order)
    assert.deepEqual(await ask(order, items), [{ orderId: order, outcome: 'failed', shortages }])
    assert.deepEqual(await stock.reserve(order, items, 60), { outcome: 'closed' })
    assert.deepEqual(await piles(sku), [10, 0, 0])
    assert.deepEqual(await factsOf(order), [
      { topic: 'reservation.failed', data: { orderId: order, shortages } },
    ])
  })

  test('is told of each order of a call by itself', async () => {
    const sku = await received(4)
    const [held, lapsed, short] = [newId(), newId(), newId()]
    const items = [{ sku, quantity: 2 }]
    for (const order of [held, lapsed]) await stock.reserve(order, items, 60)
    await release(lapsed)
    const outcomes = await stock.sellNow([held, lapsed, short].map((orderId) => ({ orderId, items })))
    assert.deepEqual(
      new Map(outcomes.map(({ orderId, outcome }) => [orderId, outcome])),
      new Map([
        [held, 'fulfilled'],
        [lapsed, 'fulfilled'],
        [short, 'failed'],
      ]),
    )
    assert.deepEqual(await stock.sellNow([]), [])
  })
})

describe('an adjustment', () => {
  test('counts once, however often and however many at once it comes', async () => {
    const [sku, id] = [newSku(), newId()]
    const answers = await Promise.all(Array.from({ length: 10 }, () => adjust(sku, 7, id)))
    for (const { received } of [...answers, await adjust(sku, 7, id)]) assert.equal(received, 7)
  })

  test('with another content under the same id is refused', async () => {
    const [sku, id] = [newSku(), newId()]
    await adjust(sku, 7, id)
    await assert.rejects(adjust(sku, 8, id), { code: 'inventory/adjustment-reused' })
    await assert.rejects(adjust(newSku(), 7, id), { code: 'inventory/adjustment-reused' })
  })

  test('that writes off more than is available is refused, and may be tried again', async () => {
    const sku = await received(5)
    await stock.reserve(newId(), [{ sku, quantity: 3 }], 60)
    const id = newId()
    await assert.rejects(adjust(sku, -3, id), { code: 'inventory/insufficient-stock', status: 409 })
    assert.deepEqual(await piles(sku), [2, 3, 0])
    await adjust(sku, 1)
    await adjust(sku, -3, id)
    assert.deepEqual(await piles(sku), [0, 3, 0])
  })
})

type Move =
  | { what: 'reserve' | 'release' | 'sell'; order: number }
  | { what: 'adjust'; sku: number; delta: number }

const anyOrder = fc.dictionary(fc.constantFrom('0', '1', '2'), fc.integer({ min: 1, max: 4 }), { minKeys: 1 })
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constantFrom('reserve' as const, 'release' as const, 'sell' as const),
      order: fc.nat(7),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('adjust' as const),
      sku: fc.nat(2),
      delta: fc.integer({ min: -5, max: 8 }).filter((n) => n !== 0),
    }),
  },
)

/** What a pile must be by the documents that moved it. */
const sumOfItems = async (sku: string, status: 'held' | 'sold'): Promise<number> => {
  const [row] = await database
    .db('reservation_items as i')
    .join('reservations as r', 'r.order_id', 'i.order_id')
    .where({ 'i.sku': sku, 'r.status': status })
    .sum({ sum: 'i.quantity' })
  return Number(row?.sum ?? 0)
}

test('whatever happens at once, every unit is in one pile, and the piles are what the documents say', async () => {
  const story = fc.tuple(
    fc.array(anyOrder, { minLength: 8, maxLength: 8 }),
    fc.array(anyMove, { minLength: 20, maxLength: 60 }),
  )
  await fc.assert(
    fc.asyncProperty(story, async ([orders, moves]) => {
      const skus = [await received(10), await received(10), await received(10)]
      const ids = orders.map(() => newId())
      const itemsOf = (order: number): Items =>
        Object.entries(orders[order] ?? {}).map(([sku, quantity]) => ({
          sku: skus[Number(sku)] as string,
          quantity,
        }))
      const run = async (move: Move): Promise<unknown> => {
        if (move.what === 'adjust') return adjust(skus[move.sku] as string, move.delta)
        const id = ids[move.order] as string
        if (move.what === 'release') return release(id)
        return move.what === 'reserve'
          ? stock.reserve(id, itemsOf(move.order), 60)
          : sell(id, itemsOf(move.order))
      }
      await Promise.all(
        moves.map((move) =>
          run(move).catch((error) => {
            // Too little to write off, or the victim of its fifth deadlock: both are without effect.
            if (!asAppError(error)) throw error
          }),
        ),
      )
      for (const sku of skus) {
        const found = await stock.find(sku)
        assert.ok(found)
        const [ledger] = await database.db('adjustments').where({ sku }).sum({ sum: 'delta' })
        const [held, sold] = [await sumOfItems(sku, 'held'), await sumOfItems(sku, 'sold')]
        const all = Number(ledger?.sum)
        assert.deepEqual(found, {
          sku,
          received: all,
          available: all - held - sold,
          reserved: held,
          sold,
        })
        assert.ok(found.available >= 0)
      }
      for (const id of ids) {
        const fulfilled = (await factsOf(id)).filter(({ topic }) => topic === 'reservation.fulfilled')
        const sold = await database.db('reservations').where({ order_id: id, status: 'sold' })
        assert.equal(fulfilled.length, sold.length)
      }
    }),
    { numRuns: 20, endOnFailure: true },
  )
})

test('reservations that ended long ago are deleted, a batch at a time, and what they sold stays counted', async () => {
  const [a, b] = [await received(20), await received(20)]
  const items = [
    { sku: a, quantity: 2 },
    { sku: b, quantity: 1 },
  ]
  const reserved = async () => {
    const orderId = newId()
    await stock.reserve(orderId, items, 60)
    return orderId
  }
  const [sold, alsoSold, released, recent, held] = [
    ...[await reserved(), await reserved(), await reserved(), await reserved(), await reserved()],
  ] as [string, string, string, string, string]
  const tombstone = newId()
  for (const orderId of [sold, alsoSold, recent]) await sell(orderId, items)
  for (const orderId of [released, tombstone]) await release(orderId)
  const old = [sold, alsoSold, released, tombstone]
  await database
    .db('reservations')
    .whereIn('order_id', [...old, held])
    .update({ expires_at: database.db.raw('NOW(3) - INTERVAL 90 DAY - INTERVAL 1 SECOND') })
  const before = [await stock.find(a), await stock.find(b)]

  assert.equal(await stock.trimEnded(91, 100), 0)
  assert.deepEqual([await stock.trimEnded(90, 3), await stock.trimEnded(90, 3)], [3, 1])
  assert.equal(await stock.trimEnded(90, 3), 0)
  const left = (table: string) =>
    database
      .db(table)
      .distinct('order_id')
      .whereIn('order_id', [...old, recent, held])
      .pluck('order_id')
  assert.deepEqual((await left('reservations')).sort(), [recent, held].sort())
  assert.deepEqual((await left('reservation_items')).sort(), [recent, held].sort())
  assert.deepEqual([await stock.find(a), await stock.find(b)], before)
  const summed = await database.db('sold_before').whereIn('sku', [a, b]).orderBy('quantity')
  assert.deepEqual(
    summed.map(({ sku, quantity }) => [sku, Number(quantity)]),
    [
      [b, 2],
      [a, 4],
    ],
  )
})

describe('with many rows', () => {
  before(async () => {
    const rows = Array.from({ length: 6000 }, (_, n) => n)
    await fill(
      database.db,
      'stock',
      rows.map((n) => ({ sku: `MANY-${n}`, received: 1, available: 1 })),
    )
    await fill(
      database.db,
      'reservations',
      rows.map((n) => ({
        order_id: newId(),
        status: ['held', 'sold', 'sold', 'released'][n % 4],
        expires_at: new Date(Date.now() + 60_000 + n),
      })),
    )
  })

  test('availability is read by SKU', async () => {
    const [step] = await plansOf(database.db, () => stock.availability(['MANY-1', 'MANY-2', 'MANY-3']))
    assert.partialDeepStrictEqual(step, { table: 'stock', key: 'PRIMARY', type: 'range' })
  })

  test('reservations that ended long ago are found by an index', async () => {
    const [step] = await plansOf(database.db, () => stock.trimEnded(90, 100))
    assert.partialDeepStrictEqual(step, { table: 'reservations', key: 'expiring', type: 'range' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })

  test('lapsed reservations are read in the order of an index', async () => {
    const [step] = await plansOf(database.db, () => stock.lapsed(100))
    assert.partialDeepStrictEqual(step, { table: 'reservations', key: 'expiring', type: 'range' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  })
})

test('orders of one delivery are sold together: those that hold stock, one that lapsed, one that is short, one that comes twice', async () => {
  const [a, b] = [await received(20), await received(5)]
  const items = [
    { sku: a, quantity: 2 },
    { sku: b, quantity: 1 },
  ]
  const [first, second, lapsed, short] = [newId(), newId(), newId(), newId()]
  for (const orderId of [first, second, lapsed]) await stock.reserve(orderId, items, 60)
  await release(lapsed)
  await transaction(database.db, (tx) =>
    stock.sell(tx, [
      { orderId: first, items },
      { orderId: short, items: [{ sku: b, quantity: 9 }] },
      { orderId: second, items },
      { orderId: lapsed, items },
      { orderId: first, items },
    ]),
  )
  assert.deepEqual(
    [await piles(a), await piles(b)],
    [
      [14, 0, 6],
      [2, 0, 3],
    ],
  )
  for (const orderId of [first, second, lapsed])
    assert.deepEqual(
      (await factsOf(orderId)).map(({ topic }) => topic),
      ['reservation.fulfilled'],
    )
  assert.deepEqual(
    (await factsOf(short)).map(({ topic }) => topic),
    ['reservation.failed'],
  )
})
