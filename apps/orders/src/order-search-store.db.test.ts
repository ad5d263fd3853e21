import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { runInTrace } from '@caravan/service-kit/trace'
import { type Order, place } from './domain/order.ts'
import { orderNumberOf } from './domain/order-number.ts'
import { plainQuote } from './domain/testing/plain-quote.ts'
import { createOrderSearchStore, type OrderSearchStore, type Search } from './order-search-store.ts'
import { createOrderStore, type OrderStore } from './order-store.ts'

let database: TestDatabase
let orders: OrderStore
let search: OrderSearchStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  orders = createOrderStore(
    db,
    createOutbox({ name: 'orders', db, sidecar, log: createLog('orders', 'silent') }),
  )
  search = createOrderSearchStore(db)
})
after(() => database.drop())

const shippingAddress = {
  ...{ name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' },
}
interface Wanted {
  readonly id?: string
  readonly accountId?: string
  readonly skus?: readonly string[]
  readonly currency?: string
  readonly at?: Date
  readonly seller?: string
  readonly code?: string
}
const placed = async ({ id = newId(), accountId = newId(), ...wanted }: Wanted = {}): Promise<Order> => {
  const lines = (wanted.skus ?? ['GAIWAN-WHITE']).map((sku) => ({
    ...{ sku, productId: newId(), title: { en: 'Gaiwan' }, quantity: 2, unitPrice: 100 },
  }))
  const plain = plainQuote(lines, wanted.currency)
  const discount = { promotionId: newId(), version: 1, name: { en: 'Off' }, amount: 0 }
  const quote = {
    ...plain,
    lines: plain.lines.map((line) => ({ ...line, ...(wanted.seller ? { seller: wanted.seller } : {}) })),
    discounts: wanted.code ? [{ ...discount, code: wanted.code }] : [],
  }
  const placement = { id, accountId, quote, shippingAddress }
  return orders.insert(
    place(placement, wanted.at ?? new Date(), 60),
    () => {},
    async () => {},
  )
}
const idsOf = async (what: Search, limit = 100) =>
  (await search.find(what, limit, undefined)).map(({ id }) => id)
const day = (n: number) => new Date(Date.UTC(2020, 0, n))
const statementsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
  const sent: string[] = []
  const note = ({ sql }: { sql: string }) => sent.push(sql)
  database.db.on('query', note)
  await work().finally(() => database.db.removeListener('query', note))
  return sent
}

test('an order is found by its account, SKUs, seller, code, currency, state and number, and by nothing else', async () => {
  const [sku, other] = [`SKU-${newId().toUpperCase()}`, `SKU-${newId().toUpperCase()}`]
  const [seller, code] = [newId(), `CODE-${newId()}`]
  const order = await placed({ skus: [sku, other], currency: 'KWD', seller, code })
  await placed()
  const { id, accountId, number = '' } = order
  for (const by of [
    { kind: 'account', value: accountId },
    { kind: 'sku', value: sku },
    { kind: 'sku', value: other },
    { kind: 'seller', value: seller },
    { kind: 'code', value: code },
    { kind: 'currency', value: 'KWD' },
    { kind: 'number', value: number },
  ] as const)
    assert.deepEqual(await idsOf({ by }), [id])
  assert.ok((await idsOf({ by: { kind: 'status', value: 'pending-payment' } })).includes(id))
  assert.ok((await idsOf({})).includes(id))
  for (const by of [
    { kind: 'account', value: newId() },
    { kind: 'sku', value: accountId },
    { kind: 'status', value: 'paid' },
  ] as const)
    assert.deepEqual(await idsOf({ by }), [])
  const [listed] = await search.listed([id])
  assert.deepEqual(listed, {
    ...{ number, id, placedAt: order.placedAt.toISOString(), status: 'pending-payment' },
    ...{ currency: 'KWD', total: 400, units: 4, skus: `${sku} ${other}`, country: 'CN', accountId },
  })
})

test('a time is from its first instant on until before its last, and pages join without a gap, also within a millisecond', async () => {
  const accountId = newId()
  const by = { kind: 'account', value: accountId } as const
  const days = [1, 2, 2, 2, 3, 4]
  const ids: string[] = []
  for (const n of days) ids.push((await placed({ accountId, at: day(n) })).id)
  assert.deepEqual(await idsOf({ by, from: day(2), until: day(3) }), ids.slice(1, 4).reverse())
  assert.deepEqual(await idsOf({ by, from: day(4) }), ids.slice(5))
  for (const limit of [1, 2, 4]) {
    const all: string[] = []
    for (let last: Awaited<ReturnType<typeof search.find>>[number] | undefined; ; ) {
      const page = await search.find({ by, until: day(4) }, limit, last)
      all.push(...page.map(({ id }) => id))
      last = page.at(-1)
      if (!last) break
    }
    assert.deepEqual(all, ids.slice(0, 5).reverse())
  }
})

test('an order whose number another one has gets its next one, in what is told and recorded, too', async () => {
  const id = newId()
  const first = await placed()
  await database
    .db('orders')
    .where({ id: first.id })
    .update({ number: orderNumberOf(id) })
  const order = await placed({ id })
  assert.equal(order.number, orderNumberOf(id, 1))
  assert.deepEqual(await orders.find(id), order)
  const [event] = await database.db('outbox').where({ event_key: id }).pluck('data')
  assert.equal(JSON.parse(event).number, order.number)
})

test('orders from before there were numbers get one, and are found', async () => {
  const { db } = database
  const made = [await placed(), await placed(), await placed()]
  const ids = made.map(({ id }) => id)
  await db('orders').whereIn('id', ids).update({ number: null })
  await db('order_index').whereIn('order_id', ids).delete()
  const other = await placed()
  await db('orders')
    .where({ id: other.id })
    .update({ number: orderNumberOf(ids[0] as string) })
  const { number: _, ...unnumbered } = made[0] as Order
  assert.deepEqual(await orders.find(ids[0] as string), unnumbered)
  const found = await search.unnumbered(10)
  assert.deepEqual(found.map(({ id }) => id).sort(), [...ids].sort())
  for (const order of [...found, ...found]) await search.number(order)
  assert.deepEqual(await search.unnumbered(10), [])
  const numbers = await Promise.all(ids.map(async (id) => (await orders.find(id))?.number))
  const [first = '', ...rest] = ids
  assert.deepEqual(numbers, [orderNumberOf(first, 1), ...rest.map((id) => orderNumberOf(id))])
  for (const { id, accountId } of made)
    assert.deepEqual(await idsOf({ by: { kind: 'account', value: accountId } }), [id])
})

test('each entry of a history has the trace of its request, or of the event that it came with', async () => {
  const [one, two] = ['a'.repeat(32), 'b'.repeat(32)]
  const parent = (traceId: string) => `00-${traceId}-${'1'.repeat(16)}-01`
  const { id } = await runInTrace(parent(one), () => placed())
  await orders.updateAll([
    {
      ...{ id, traceparent: parent(two) },
      apply: (order) => ({
        order: { ...order, history: [...order.history, { what: 'paid', at: day(1).toISOString() }] },
        facts: [],
      }),
    },
  ])
  const history = (await orders.find(id))?.history
  assert.deepEqual(
    history?.map(({ what, traceId }) => [what, traceId]),
    [
      ['placed', one],
      ['paid', two],
    ],
  )
})

test('what people look for an order by costs one statement more when it is placed', async () => {
  const sent = await statementsOf(() => placed({ skus: ['ONE-A', 'ONE-B', 'ONE-C'] }))
  assert.equal(sent.filter((sql) => sql.includes('order_index')).length, 1)
})

test('every search reads one index, in its order: nothing is sorted', async () => {
  const { db } = database
  const statuses = ['pending-payment', 'paid', 'confirmed', 'cancelled']
  const rows = Array.from({ length: 6000 }, (_, n) => {
    const id = newId()
    return {
      ...{ id, number: orderNumberOf(id), account_id: newId(), status: statuses[n % 4], currency: 'USD' },
      ...{ total: 1, order_lines: '[]', shipping_address: '{"country": "CN"}', history: '[]' },
      ...{ placed_at: new Date(Date.UTC(2021, 0, 1) + n * 1000), pay_before: new Date() },
    }
  })
  await fill(db, 'orders', rows)
  const sellers = Array.from({ length: 3 }, () => newId())
  const values = (n: number, account: string) => ({
    ...{ account, sku: `PLAN-${n % 3}`, seller: sellers[n % 3] as string },
    ...{ currency: 'USD', code: `CODE${n % 3}` },
  })
  await fill(
    db,
    'order_index',
    rows.flatMap((row, n) =>
      Object.entries(values(n, row.account_id)).map(([kind, value]) => ({
        ...{ kind, value, placed_at: row.placed_at, order_id: row.id },
      })),
    ),
  )
  const middle = rows[3000]
  assert.ok(middle)
  const page = { placedAt: middle.placed_at, id: middle.id }
  const times = { from: new Date(Date.UTC(2021, 0, 1)), until: new Date(Date.UTC(2021, 0, 2)) }
  const kinds = Object.entries(values(0, middle.account_id)) as [
    Exclude<keyof ReturnType<typeof values>, never>,
    string,
  ][]
  const searches: [string, Search][] = [
    ['by_time', {}],
    ['by_status', { by: { kind: 'status', value: 'confirmed' } }],
    ...kinds.map(([kind, value]): [string, Search] => ['PRIMARY', { by: { kind, value } }]),
  ]
  for (const [key, what] of searches)
    for (const window of [{}, times])
      for (const from of [undefined, page]) {
        const name = JSON.stringify([what, window, from])
        const plan = await plansOf(db, () => search.find({ ...what, ...window }, 20, from))
        assert.equal(plan.length, 1, name)
        assert.partialDeepStrictEqual(plan[0], { key }, name)
        assert.match(String(plan[0]?.type), /^(?:ref|range|index)$/, name)
        assert.doesNotMatch(String(plan[0]?.Extra), /filesort|temporary/, name)
      }
  const [byNumber] = await plansOf(db, () =>
    search.find({ by: { kind: 'number', value: middle.number } }, 20, undefined),
  )
  assert.partialDeepStrictEqual(byNumber, { key: 'number', type: 'const' })
  const [listed] = await plansOf(db, () => search.listed(rows.slice(0, 20).map(({ id }) => id)))
  assert.partialDeepStrictEqual(listed, { key: 'PRIMARY', type: 'range' })
  const [unnumbered] = await plansOf(db, () => search.unnumbered(200))
  assert.partialDeepStrictEqual(unnumbered, { key: 'number', type: 'ref' })
})
