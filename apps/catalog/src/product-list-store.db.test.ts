import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { searchTerms, summarise } from './product.ts'
import { createProductLists, type ProductLists } from './product-list-store.ts'
import { createProductStore } from './product-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
const categories = Array.from({ length: 10 }, (_, n) => `category-${n}`)
const sellers = Array.from({ length: 10 }, () => newId())
const ids = Array.from({ length: 5000 }, () => newId())
const words = ['gaiwan', 'kettle', 'lantern', 'notebook', 'scarf', 'tent', 'vase']
let database: TestDatabase
let lists: ProductLists

const text = (value: string) => ({ en: value, zh: value })
const contentOf = (n: number) => ({
  ...{ seller: sellers[n % 10] as string, category: categories[(n >> 3) % 10] as string },
  ...{ title: text(`${words[n % 7]} number${n}`), description: text('A thing.'), pictures: [], tags: [] },
  variants: [
    {
      ...{ sku: `SKU-${n}`, name: text('One'), attributes: {}, weightGrams: 1 },
      price: { amount: 100, currency: 'USD' },
    },
  ],
  status: n % 5 === 0 ? ('off-shelf' as const) : ('on-shelf' as const),
})

before(async () => {
  database = await createTestDatabase(migrations)
  const { db } = database
  lists = createProductLists(db)
  await fill(
    db,
    'sellers',
    sellers.map((id) => ({ id, document: '{}' })),
  )
  await fill(
    db,
    'categories',
    categories.map((slug) => ({ slug, parent: null, name: '{}' })),
  )
  await fill(
    db,
    'products',
    ids.map((id, n) => {
      const content = contentOf(n)
      const { seller, category, status } = content
      return {
        ...{ id, version: 1, seller, category, status },
        ...{ created_at: new Date(1_700_000_000_000 + 1000 * Math.floor(n / 3)), updated_at: new Date() },
        ...{ content: JSON.stringify(content), summary: JSON.stringify(summarise(id, content)) },
        terms: searchTerms(content),
      }
    }),
  )
})
after(() => database.drop())

const onShelf = (which: (n: number) => boolean): string[] =>
  ids
    .map((id, n) => ({ id, n }))
    .filter(({ n }) => contentOf(n).status === 'on-shelf' && which(n))
    .sort((a, b) => Math.floor(b.n / 3) - Math.floor(a.n / 3) || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)

const readAll = async (query: { seller?: string; categories?: string[] }, limit: number) => {
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await lists.list({ ...query, limit, after })
    seen.push(...page.data.map(({ id }) => id))
    if (!page.hasMore) return seen
    after = page.next
  }
}

test('pages show what is on the shelf once, newest first, though many are of the same moment', async () => {
  assert.deepEqual(
    await readAll({}, 100),
    onShelf(() => true),
  )
})

test('pages of some categories, of a seller and of both are merged in the same order', async () => {
  const [seller] = sellers
  const two = categories.slice(2, 4)
  const inTwo = (n: number) => two.includes(contentOf(n).category)
  const ofSeller = (n: number) => contentOf(n).seller === seller
  assert.deepEqual(await readAll({ categories: two }, 100), onShelf(inTwo))
  assert.deepEqual(await readAll({ seller: seller as string }, 100), onShelf(ofSeller))
  assert.deepEqual(
    await readAll({ seller: seller as string, categories: two }, 7),
    onShelf((n) => inTwo(n) && ofSeller(n)),
  )
})

test('search finds by word, and not what is off the shelf', async () => {
  const found = await lists.search({ q: 'number4711', limit: 10 })
  assert.deepEqual(
    found.data.map(({ id }) => id),
    [ids[4711]],
  )
  assert.deepEqual((await lists.search({ q: 'number4710', limit: 10 })).data, [])
})

const plans: Record<string, [query: Parameters<ProductLists['list']>[0], key: string]> = {
  'the whole shelf': [{ limit: 20 }, 'shelf'],
  'the shelf of a category': [{ limit: 20, categories: ['category-1'] }, 'shelf_of_category'],
  'the shelf of a seller': [{ limit: 20, seller: String(sellers[1]) }, 'shelf_of_seller'],
  'a seller’s shelf of a category': [
    { limit: 20, seller: String(sellers[1]), categories: ['category-1'] },
    'shelf_of_seller_and_category',
  ],
}
for (const [what, [query, key]] of Object.entries(plans)) {
  test(`${what} is a stretch of the index ${key}, on every page`, async () => {
    const next = (await lists.list(query)).next
    assert.ok(next)
    for (const after of [undefined, next]) {
      const steps = (await plansOf(database.db, () => lists.list({ ...query, after }))).filter(
        ({ table }) => table === 'products',
      )
      assert.ok(steps.length > 0)
      for (const step of steps) {
        assert.partialDeepStrictEqual(step, { key })
        assert.match(step.type, /^(ref|range)$/)
        assert.doesNotMatch(String(step.Extra), /filesort/)
      }
    }
  })
}

test('search goes by the full-text index', async () => {
  const steps = await plansOf(database.db, () => lists.search({ q: 'lantern', limit: 20 }))
  const [step] = steps.filter(({ table }) => table === 'products')
  assert.partialDeepStrictEqual(step, { key: 'search', type: 'fulltext' })
})

test('a product is read by its id', async () => {
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'catalog', db, sidecar, log: createLog('catalog', 'silent') })
  const [step] = await plansOf(db, () => createProductStore(db, outbox).get(String(ids[1])))
  assert.partialDeepStrictEqual(step, { table: 'products', key: 'PRIMARY', type: 'const' })
})
