import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createProductStore, type ProductStore } from './product-store.ts'

const seller = newId()
let database: TestDatabase
let products: ProductStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'catalog', db, sidecar, log: createLog('catalog', 'silent') })
  products = createProductStore(db, outbox)
  await db('sellers').insert({ id: seller, document: '{}' })
  await db('categories').insert({ slug: 'tests', parent: null, name: '{}' })
})
after(() => database.drop())

const text = (value: string) => ({ en: value, zh: value })
const content = (sku: string, amount = 100, status: 'on-shelf' | 'off-shelf' = 'on-shelf') => ({
  ...{ seller, category: 'tests', title: text('Thing'), description: text('A thing.'), status },
  ...{ pictures: [], tags: [] },
  variants: [{ sku, name: text('One'), attributes: {}, price: { amount, currency: 'USD' }, weightGrams: 1 }],
})
const readAll = async (since: string | undefined, limit: number) => {
  const seen = []
  for (let after: string | undefined; ; ) {
    const page = await products.changes({ since, after, limit })
    seen.push(...page.data)
    after = page.next
    if (!page.hasMore) return seen
  }
}

test('what changed is told once, as it is now, in the order of the last changes, also off the shelf', async () => {
  const { until } = await products.changes({ limit: 1 })
  const [first, second, third] = [newId(), newId(), newId()]
  await products.put(first, content('SKU-1'))
  const off = await products.put(second, content('SKU-2', 100, 'off-shelf'))
  const last = await products.put(third, content('SKU-3'))
  const changed = await products.put(first, content('SKU-1', 200))
  await products.put(second, content('SKU-2', 100, 'off-shelf'))
  for (const limit of [1, 2, 100]) assert.deepEqual(await readAll(until, limit), [off, last, changed])
  const later = (await products.changes({ limit: 1 })).until
  assert.deepEqual(await readAll(later, 10), [])
  assert.deepEqual(await readAll(undefined, 10), [off, last, changed])
})

test('a change has the time of the database, whatever the clock of whoever wrote it', async () => {
  const id = newId()
  await products.put(id, content('SKU-4'))
  const { until } = await products.changes({ limit: 1 })
  await database
    .db('products')
    .where({ id })
    .update({ version: 2, updated_at: new Date(0) })
  assert.deepEqual(
    (await readAll(until, 10)).map((product) => product.id),
    [id],
  )
})

test('a change that is committed late is told to whoever reads from before it', async () => {
  const id = newId()
  const { until } = await products.changes({ limit: 1 })
  await products.put(id, content('SKU-5'))
  await database.db.transaction(async (tx) => {
    await tx('products').where({ id }).update({ version: 2 })
    const meanwhile = await products.changes({ since: until, limit: 10 })
    assert.equal(meanwhile.data.find((product) => product.id === id)?.version, 1)
  })
  assert.equal((await readAll(until, 10)).find((product) => product.id === id)?.version, 2)
})

test('pages of the same moment hold each product once, and are read in the order of an index', async () => {
  const { until } = await products.changes({ limit: 1 })
  const moment = new Date(Date.parse(until) + 60_000)
  const rows = Array.from({ length: 3000 }, (_, n) => ({
    ...{ id: newId(), version: 1, seller, category: 'tests', status: 'on-shelf' },
    ...{ created_at: moment, updated_at: moment, changed_at: new Date(moment.getTime() + (n >> 8)) },
    ...{ content: JSON.stringify(content(`MANY-${n}`)), summary: '{}', terms: '' },
  }))
  await fill(database.db, 'products', rows)
  const seen = await readAll(moment.toISOString(), 100)
  assert.deepEqual(new Set(seen.map(({ id }) => id)), new Set(rows.map(({ id }) => id)))
  assert.equal(seen.length, rows.length)

  const { next } = await products.changes({ since: moment.toISOString(), limit: 20 })
  for (const query of [{}, { since: moment.toISOString() }, { after: next }]) {
    const steps = await plansOf(database.db, () => products.changes({ ...query, limit: 20 }))
    const [step] = steps.filter(({ table }) => table === 'products')
    assert.partialDeepStrictEqual(step, { table: 'products', key: 'changes' })
    assert.doesNotMatch(String(step?.Extra), /filesort/)
  }
})
