import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { ship } from './domain/fulfilment.ts'
import {
  decide,
  lapse,
  type ReturnRules,
  receive,
  requestReturn,
  returnOf,
  settle,
} from './domain/returns.ts'
import { createFulfilmentStore, type FulfilmentStore } from './fulfilment-store.ts'
import { createOrderStore } from './order-store.ts'
import { createReturnStore, type ReturnStore } from './return-store.ts'

let database: TestDatabase
let fulfilments: FulfilmentStore
let returns: ReturnStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'orders', db, sidecar, log: createLog('orders', 'silent') })
  fulfilments = createFulfilmentStore(db, outbox, createOrderStore(db, outbox))
  returns = createReturnStore(db)
})
after(() => database.drop())

const now = new Date()
const sku = 'GAIWAN-WHITE'
const rules: ReturnRules = { approvedUpTo: {}, answerSeconds: 3600, goodsSeconds: 3600 }
const anybodys = () => undefined
const units = (quantity: number) => [{ sku, quantity }]
const ask = (orderId: string, id: string, quantity: number) =>
  fulfilments.update(orderId, anybodys, (known) =>
    requestReturn(known, { id, lines: units(quantity), reason: 'other' }, rules, now),
  )

/** A confirmed order of ten, all of them sent. */
const sent = async (): Promise<string> => {
  const id = newId()
  const line = { sku, productId: newId(), title: { en: 'Gaiwan' }, quantity: 10, unitPrice: 100, total: 1000 }
  await database.db('orders').insert({
    ...{ id, account_id: newId(), status: 'confirmed', currency: 'USD', total: 1000, units: 10 },
    ...{ order_lines: JSON.stringify([line]), shipping_address: '{}', history: '[]' },
    ...{ payment_id: newId(), payment_status: 'captured', placed_at: now, pay_before: now },
  })
  const parcel = { id: newId(), lines: units(10), carrier: 'dhl', trackingNumber: 'JJD0001' }
  await fulfilments.update(id, anybodys, (known) => ship(known, parcel, 'all', now))
  return id
}
const topics = (orderId: string): Promise<string[]> =>
  database.db('outbox').where({ event_key: orderId }).orderBy('seq').pluck('topic')

test('fifty returns of two of ten units at once: five', async () => {
  const order = await sent()
  const asked = await Promise.allSettled(Array.from({ length: 50 }, () => ask(order, newId(), 2)))
  assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 5)
})

test('however often a step is done, and by how many at once, it is done once', async () => {
  const [order, id] = [await sent(), newId()]
  await ask(order, id, 3)
  await fulfilments.update(order, anybodys, (known) => decide(known, id, 'approved', rules, now))
  await fulfilments.update(order, anybodys, (known) => receive(known, id, 'resellable', now))
  const steps = Array.from({ length: 20 }, () =>
    fulfilments.update(order, anybodys, (known) => settle(known, id, now)),
  )
  const ends = await Promise.all(steps)
  assert.deepEqual(
    new Set(ends.map(({ fulfilment }) => returnOf(fulfilment, id).status)),
    new Set(['refunded']),
  )
  assert.deepEqual((await topics(order)).slice(-2), ['order.refund-requested', 'order.items-released'])
  assert.equal((await topics(order)).filter((topic) => topic === 'order.items-released').length, 1)
})

test('a workflow is looked after when its return has changed, when it lapses, and until it is deleted', async () => {
  const [order, id] = [await sent(), newId()]
  await ask(order, id, 1)
  const due = async () => {
    await database.db('returns').where({ id }).whereNotNull('tend_at').update({ tend_at: '2000-01-01' })
    return (await returns.untended(1000)).find(({ returnId }) => returnId === id)
  }
  const tendAt = async () => (await database.db('returns').where({ id }).first('tend_at'))?.tend_at
  const asked = await due()
  assert.deepEqual(asked, { orderId: order, returnId: id, status: 'requested' })
  await returns.tendLater(asked, 'when-due')
  assert.ok((await tendAt()) > new Date(now.getTime() + 3600_000))
  await fulfilments.update(order, anybodys, (known) => lapse(known, id, new Date(now.getTime() + 3601_000)))
  await returns.tendLater(asked, 'over')
  const lapsed = await due()
  assert.equal(lapsed?.status, 'lapsed')
  await returns.tendLater(lapsed, 'over')
  assert.equal(await due(), undefined)
})

test('a list has the returns of one state, newest first, and every query its index', async () => {
  const { db } = database
  const ids = Array.from({ length: 3000 }, () => newId())
  await fill(
    db,
    'returns',
    ids.map((id, n) => ({
      id,
      order_id: newId(),
      status: n % 2 ? 'received' : 'rejected',
      tend_at: n % 50 ? null : now,
    })),
  )
  const received = ids
    .filter((_, n) => n % 2)
    .sort()
    .reverse()
  const first = await returns.list('received', { limit: 2 })
  const second = await returns.list('received', { limit: 2, after: first.at(-1)?.id })
  assert.deepEqual(
    [...first, ...second].map(({ id }) => id),
    received.slice(0, 4),
  )
  const plan = async (work: () => Promise<unknown>) => (await plansOf(db, work))[0]
  const page = { limit: 20, after: newId() }
  const listing = await plan(() => returns.list('received', page))
  assert.equal(listing?.key, 'by_status')
  assert.doesNotMatch(listing?.Extra ?? '', /filesort/)
  assert.equal((await plan(() => returns.untended(20)))?.key, 'tending')
})
