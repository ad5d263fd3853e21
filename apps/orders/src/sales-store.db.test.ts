import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import fc from 'fast-check'
import { cancelUnits, refundMoney, settleRefund } from './domain/fulfilment.ts'
import { capture, confirm, place } from './domain/order.ts'
import { quote } from './domain/quote.ts'
import { anyCase, type Case } from './domain/testing/any-basket.ts'
import { createFulfilmentStore, type FulfilmentStore } from './fulfilment-store.ts'
import { createOrderStore, type OrderStore } from './order-store.ts'
import { createSalesStore, type SalesStore } from './sales-store.ts'

const anybodys = () => undefined
const now = new Date()
const today = now.toISOString().slice(0, 10)
const days = { from: today, until: new Date(now.getTime() + 86_400_000).toISOString().slice(0, 10) }

let database: TestDatabase
let orders: OrderStore
let fulfilments: FulfilmentStore
let sales: SalesStore
const ids: string[] = []

/** A confirmed order of any basket; of some, units are cancelled, or money goes back, or is refused. */
const sell = async ({ basket, settings, promotions }: Case, n: number) => {
  const { quote: paid } = quote(basket, settings, promotions)
  const shippingAddress = { name: 'Mei', line1: '1 Long Road', country: basket.destination.country }
  const order = { id: newId(), accountId: newId(), quote: paid, shippingAddress }
  await orders.insert(place(order, now, 60), anybodys, async () => {})
  if (paid.total > 0) await orders.update(order.id, (each) => capture(each, newId(), now))
  await orders.update(order.id, (each) => confirm(each, now))
  ids.push(order.id)
  const give = async (
    end: 'done' | 'refused',
    apply: (id: string) => Parameters<FulfilmentStore['update']>[2],
  ) => {
    const id = newId()
    await fulfilments.update(order.id, anybodys, apply(id))
    await fulfilments.update(order.id, anybodys, (before) => settleRefund(before, id, end))
  }
  const units = [{ sku: String(paid.lines[0]?.sku), quantity: 1 }]
  if (n % 3 === 0) await give('done', (id) => (before) => cancelUnits(before, id, units, now))
  if (n % 3 === 1 && paid.total > 100)
    await give(n % 2 ? 'done' : 'refused', (id) => (before) => refundMoney(before, id, { amount: 10 }, now))
}
const samples = () =>
  (['USD', 'EUR', 'JPY', 'KWD'] as const).flatMap((currency) => fc.sample(anyCase(currency), 10))

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const outbox = createOutbox({
    ...{ name: 'orders', db, log: createLog('orders', 'silent') },
    sidecar: { publish: async () => new Set<string>() },
  })
  orders = createOrderStore(db, outbox)
  fulfilments = createFulfilmentStore(db, outbox, orders)
  sales = createSalesStore(db, fulfilments)
})
after(() => database.drop())

const all = { ...days, limit: 10_000 }
type Row = Awaited<ReturnType<typeof sales.list>>[number]
const totalsOf = (rows: readonly Row[], currency: string) => {
  const some = rows.filter((row) => row.currency === currency)
  const sum = (of: (row: Row) => number) => some.reduce((total, row) => total + of(row), 0)
  return [sum(({ sold }) => sold.gross), sum(({ back }) => back.gross), sum(({ sold }) => sold.units)]
}

test('by whatever it is asked, a figure is the sum of the orders, with what went back of them', async () => {
  for (const [n, each] of samples().entries()) await sell(each, n)
  // At once, and again when nothing is new.
  await Promise.all(Array.from({ length: 4 }, () => sales.count()))
  while ((await sales.count()) > 0);
  const sold = await fulfilments.findAll(ids)
  assert.equal(sold.length, 40)
  const total = (currency: string) => {
    const own = sold.filter(({ order }) => order.currency === currency)
    const gross = own.reduce((sum, { order }) => sum + order.total, 0)
    const done = own.flatMap(({ fulfilment }) => fulfilment.refunds.filter(({ status }) => status === 'done'))
    const units = own.flatMap(({ order }) => order.lines.map(({ quantity }) => quantity))
    return [
      gross,
      done.reduce((sum, { amount }) => sum + amount, 0),
      units.reduce((sum, quantity) => sum + quantity, 0),
    ]
  }
  const backs = []
  for (const by of ['day', 'sku', 'category', 'seller', 'country'] as const) {
    const rows = await sales.list({ ...all, by })
    for (const currency of ['USD', 'EUR', 'JPY', 'KWD']) {
      assert.deepEqual(totalsOf(rows, currency), total(currency), `${currency} by ${by}`)
      backs.push(total(currency)[1])
    }
    for (const { sold: of, back } of rows) {
      assert.equal(of.net + of.tax, of.gross)
      assert.equal(back.net + back.tax, back.gross)
      assert.ok(back.gross <= of.gross && back.units <= of.units)
    }
  }
  assert.ok(backs.some((back) => Number(back) > 0))
})

test('a SKU is sold as often as orders say; pages are the whole; other days have nothing', async () => {
  const whole = await sales.list({ ...all, by: 'sku' })
  const sold = await fulfilments.findAll(ids)
  for (const { key, currency, sold: of } of whole.filter((row) => row.key !== '')) {
    const lines = sold
      .filter(({ order }) => order.currency === currency)
      .flatMap(({ order }) => order.quote?.lines.filter(({ sku }) => sku === key) ?? [])
    assert.equal(
      of.gross,
      lines.reduce((sum, { gross }) => sum + gross, 0),
    )
    assert.deepEqual(
      await sales.list({ ...all, by: 'sku', sku: key, currency }),
      whole.filter((row) => row.key === key && row.currency === currency),
    )
  }
  const paged: Row[] = []
  for (;;) {
    const last = paged.at(-1)
    const page = await sales.list({ ...days, limit: 3, by: 'sku' }, last && [last.key, last.currency])
    if (page.length === 0) break
    paged.push(...page)
  }
  assert.deepEqual(paged, whole)
  assert.deepEqual(await sales.list({ by: 'day', from: '2020-01-01', until: '2020-12-31', limit: 10 }), [])
})

test('a promotion has what it took off, and how many orders', async () => {
  const rows = await sales.listPromotions(all)
  assert.ok(rows.length > 0)
  const sold = await fulfilments.findAll(ids)
  for (const { promotionId, currency, orders: count, discount } of rows) {
    const own = sold
      .filter(({ order }) => order.currency === currency)
      .flatMap(({ order }) => order.quote?.discounts.filter((each) => each.promotionId === promotionId) ?? [])
    assert.deepEqual([count, discount], [own.length, own.reduce((sum, { amount }) => sum + amount, 0)])
  }
})
