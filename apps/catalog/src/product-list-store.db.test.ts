import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { summarise } from './product.ts'
import { createProductLists, type ProductLists } from './product-list-store.ts'

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
        terms: '',
      }
    }),
  )
})
after(() => database.drop())

const newestFirst = (which: (n: number) => boolean): string[] =>
  ids
    .map((id, n) => ({ id, n }))
    .filter(({ n }) => which(n))
    .sort((a, b) => Math.floor(b.n / 3) - Math.floor(a.n / 3) || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id)
const onShelf = (which: (n: number) => boolean): string[] =>
  newestFirst((n) => contentOf(n).status === 'on-shelf' && which(n))

const statuses = ['on-shelf'] as const
const readAll = async (
  query: Partial<Parameters<ProductLists['list']>[0]>,
  limit: number,
): Promise<string[]> => {
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await lists.list({ statuses, ...query, limit, after })
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

test('who may see what is off the shelf gets it alone, or among the rest, in the same order', async () => {
  const [seller] = sellers
  const [category] = categories
  const hidden = (n: number) => contentOf(n).status === 'off-shelf'
  const some = (n: number) => contentOf(n).seller === seller && contentOf(n).category === category
  assert.deepEqual(await readAll({ statuses: ['off-shelf'] }, 100), newestFirst(hidden))
  const any = { statuses: ['on-shelf', 'off-shelf'] as const }
  assert.deepEqual(
    await readAll(any, 100),
    newestFirst(() => true),
  )
  const own = { ...any, seller: seller as string, categories: [category as string] }
  assert.deepEqual(await readAll(own, 3), newestFirst(some))
})

const plans: Record<string, [query: Parameters<ProductLists['list']>[0], key: string]> = {
  'the whole shelf': [{ statuses, limit: 20 }, 'shelf'],
  'what is on the shelf and what is not': [{ statuses: ['on-shelf', 'off-shelf'], limit: 20 }, 'shelf'],
  'the shelf of a category': [{ statuses, limit: 20, categories: ['category-1'] }, 'shelf_of_category'],
  'the shelf of a seller': [{ statuses, limit: 20, seller: String(sellers[1]) }, 'shelf_of_seller'],
  'a seller’s shelf of a category': [
    { statuses, limit: 20, seller: String(sellers[1]), categories: ['category-1'] },
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
