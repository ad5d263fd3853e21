import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createProductStore, type ProductStore } from './product-store.ts'
import { createSearchDocuments } from './search-document-store.ts'

const seller = newId()
let database: TestDatabase
let products: ProductStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'catalog', db, sidecar, log: createLog('catalog', 'silent') })
  products = createProductStore(db, outbox, createSearchDocuments(db))
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
const put = (id: string, its: ReturnType<typeof content>) => products.put(id, its, () => undefined)
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
  await put(first, content('SKU-1'))
  const off = await put(second, content('SKU-2', 100, 'off-shelf'))
  const last = await put(third, content('SKU-3'))
  const changed = await put(first, content('SKU-1', 200))
  await put(second, content('SKU-2', 100, 'off-shelf'))
  for (const limit of [1, 2, 100]) assert.deepEqual(await readAll(until, limit), [off, last, changed])
  const later = (await products.changes({ limit: 1 })).until
  assert.deepEqual(await readAll(later, 10), [])
  assert.deepEqual(await readAll(undefined, 10), [off, last, changed])
})

test('a change has the time of the database, whatever the clock of whoever wrote it', async () => {
  const id = newId()
  await put(id, content('SKU-4'))
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
  await put(id, content('SKU-5'))
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

test('a product is read by its id', async () => {
  const id = newId()
  await put(id, content('SKU-6'))
  const [step] = await plansOf(database.db, () => products.get(id, ['on-shelf', 'off-shelf']))
  assert.partialDeepStrictEqual(step, { table: 'products', key: 'PRIMARY', type: 'const' })
})

test('a product off the shelf is there for whoever asks for such', async () => {
  const id = newId()
  const product = await put(id, content('SKU-7', 100, 'off-shelf'))
  assert.deepEqual(await products.get(id, ['off-shelf']), product)
  await assert.rejects(products.get(id, ['on-shelf']), { code: 'catalog/product-not-found' })
})

test('who has the SKU is told to whoever wants it, and a SKU that was given up is free', async () => {
  const [first, second] = [newId(), newId()]
  await put(first, content('SKU-8', 100, 'off-shelf'))
  const taken = [{ sku: 'SKU-8', productId: first }]
  await assert.rejects(put(second, content('SKU-8')), {
    code: 'catalog/sku-taken',
    details: { errors: [{ pointer: '/variants/0/sku', detail: `of product ${first}` }], data: { taken } },
  })
  await put(first, content('SKU-9'))
  assert.equal((await put(second, content('SKU-8'))).version, 1)
})

test('the condition of a write is asked under the lock: of many that found the same, one is done', async () => {
  const id = newId()
  const seen = await put(id, content('SKU-10'))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) =>
      products.put(id, content('SKU-10', 200 + n), (current) => assert.deepEqual(current, seen)),
    ),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await products.get(id, ['on-shelf'])).version, 2)

  const unborn = newId()
  const births = await Promise.allSettled(
    Array.from({ length: 12 }, (_, n) =>
      products.put(unborn, content('SKU-11', 200 + n), (current) => assert.equal(current, undefined)),
    ),
  )
  assert.equal(births.filter(({ status }) => status === 'fulfilled').length, 1)
})
