import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { migrate, transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import fc from 'fast-check'
import { createProductSearch, type ProductSearch } from './product-search-store.ts'
import { createProductStore, type ProductStore } from './product-store.ts'
import { createSearchDocuments, type SearchDocuments } from './search-document-store.ts'

const migrations = new URL('../migrations/', import.meta.url)
const seller = newId()
let database: TestDatabase
let documents: SearchDocuments
let products: ProductStore
let search: ProductSearch

before(async () => {
  database = await createTestDatabase(migrations)
  const { db } = database
  const sidecar = { publish: async () => new Set<string>() }
  const outbox = createOutbox({ name: 'catalog', db, sidecar, log: createLog('catalog', 'silent') })
  documents = createSearchDocuments(db)
  products = createProductStore(db, outbox, documents)
  search = createProductSearch(db, documents)
  await db('sellers').insert({ id: seller, document: '{}' })
  await db('categories').insert({ slug: 'tests', parent: null, name: '{}' })
})
after(() => database.drop())

const text = (value: string) => ({ en: value, zh: value })
interface Said {
  readonly title?: string
  readonly description?: string
  readonly status?: 'on-shelf' | 'off-shelf'
  readonly amount?: number
}
const put = (
  id: string,
  { title = 'Thing', description = 'A thing.', status = 'on-shelf', amount = 1 }: Said,
) =>
  products.put(
    id,
    {
      ...{ seller, category: 'tests', title: text(title), description: text(description), status },
      ...{ pictures: [], tags: [] },
      variants: [
        {
          ...{ sku: `S-${id.slice(-12).toUpperCase()}`, name: text('One'), attributes: {}, weightGrams: 1 },
          price: { amount, currency: 'USD' },
        },
      ],
    },
    () => undefined,
  )
const made = async (said: Said): Promise<string> => (await put(newId(), said)).id
const shelf = ['on-shelf'] as const

/** All that a search finds, page by page; `between` runs after each page but the last. */
const readAll = async (
  q: string,
  limit: number,
  between: () => Promise<void> = async () => undefined,
  statuses: readonly ('on-shelf' | 'off-shelf')[] = shelf,
): Promise<string[]> => {
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await search({ q, limit, after, statuses })
    seen.push(...page.data.map(({ id }) => id))
    after = page.next
    if (!page.hasMore) return seen
    await between()
  }
}
let marks = 0
/** A word that no other test has. */
const newWord = (): string => {
  marks += 1
  return `w${marks}q`
}

test('what has the words in its title comes first, then what was made last', async () => {
  const word = newWord()
  const inText = await made({ description: `Of ${word}.` })
  const beginning = await made({ title: `A ${word}ish thing` })
  const first = await made({ title: `${word} one` })
  const second = await made({ title: `${word} two`, description: `${word} ${word} ${word}` })
  const textToo = await made({ description: `More ${word}s of ${word}.` })
  assert.deepEqual(await readAll(word, 2), [second, first, beginning, textToo, inText])
  assert.deepEqual(await readAll(`${word} one`, 10), [
    first,
    ...(await readAll(word, 10)).filter((id) => id !== first),
  ])
})

test('what has all the words is found or, where there is none, what has any, the most first', async () => {
  const [a, b, c] = [newWord(), newWord(), newWord()]
  const one = await made({ title: a })
  const two = await made({ title: `${a} ${b}` })
  assert.deepEqual(await readAll(`${a} ${b}`, 10), [two])
  assert.deepEqual(await readAll(`${a} ${b} ${c}`, 1), [two, one])
})

test('forms and spellings of a word find the same', async () => {
  const found = new Map<string, string>()
  for (const title of [
    'High Passes',
    'Lange Straße',
    'Łódź Smørrebrød',
    'Leather knives',
    'Men’s T-Shirts',
    '白瓷盖碗',
  ])
    found.set(title, await made({ title }))
  const forms: Record<string, string[]> = {
    'High Passes': ['pass', 'passes', 'PASS'],
    'Lange Straße': ['strasse', 'straße', 'STRASSE', 'strassen'.slice(0, 7)],
    'Łódź Smørrebrød': ['lodz', 'łódź', 'smorrebrod'],
    'Leather knives': ['knife', 'knives'],
    'Men’s T-Shirts': ['mens t-shirt', 'men’s t shirts', "man's T-shirt"],
    白瓷盖碗: ['白瓷', '瓷', '盖碗'],
  }
  for (const [title, queries] of Object.entries(forms))
    for (const q of queries) assert.deepEqual(await readAll(q, 10), [found.get(title)], q)
})

test('operators of the full-text syntax mean nothing', async () => {
  const [a, b] = [newWord(), newWord()]
  const both = await made({ title: `${a}-${b} the` })
  for (const q of [`${a}-${b}`, `+the ${a}`, `-${a} "${b}`, `(${a} @ ${b}*`, `~${a} <${b}`])
    assert.deepEqual(await readAll(q, 10), [both], q)
})

test('what is off the shelf is found by whoever may, and by nobody else', async () => {
  const word = newWord()
  const hidden = await made({ title: word, status: 'off-shelf' })
  const shown = await made({ title: word })
  assert.deepEqual(await readAll(word, 10), [shown])
  assert.deepEqual(await readAll(word, 1, undefined, ['on-shelf', 'off-shelf']), [shown, hidden])
  await put(shown, { title: word, status: 'off-shelf' })
  assert.deepEqual(await readAll(word, 10), [])
  await put(hidden, { title: word })
  assert.deepEqual(await readAll(word, 10), [hidden])
})

type Step = readonly [what: 'create' | 'move' | 'price' | 'hide' | 'unsay', which: number]
const steps = fc.array(
  fc.tuple(fc.constantFrom<Step[0][]>('create', 'move', 'price', 'hide', 'unsay'), fc.nat(1000)),
  { minLength: 10, maxLength: 40 },
)

test('while products are created, edited and taken away, each that matches all the while is shown once', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (plan, limit, any) => {
      const word = newWord()
      const q = any ? `${word} ${newWord()}` : word
      const sayings = [{ title: word }, { title: `${word}ish` }, { description: word }]
      const said = new Map<string, Said>()
      for (let n = 0; n < 9; n += 1) said.set(await made(sayings[n % 3] as Said), sayings[n % 3] as Said)
      const throughout = new Set(said.keys())
      const rest = [...plan]
      const change = async ([what, which]: Step): Promise<void> => {
        const id = [...said.keys()][which % said.size] as string
        const next = {
          create: { ...sayings[which % 3], amount: 2 },
          move: { ...sayings[which % 3] },
          price: { ...said.get(id), amount: which + 2 },
          hide: { ...said.get(id), status: 'off-shelf' as const },
          unsay: {},
        }[what] as Said
        if (what === 'create') {
          said.set(await made(next), next)
          return
        }
        if (what === 'hide' || what === 'unsay') throughout.delete(id)
        said.set(id, next)
        await put(id, next)
      }
      const seen = await readAll(q, limit, async () => {
        for (const step of rest.splice(0, 6)) await change(step)
      })
      assert.equal(new Set(seen).size, seen.length, 'none is shown twice')
      for (const id of throughout) assert.ok(seen.includes(id), 'none is left out')
    }),
    { numRuns: 12 },
  )
})

test('so it is while four others write at the same time', async () => {
  const word = newWord()
  const sayings = [{ title: word }, { title: `${word}ish` }, { description: word }] as const
  const ids: string[] = []
  for (let n = 0; n < 12; n += 1) ids.push(await made(sayings[n % 3] as Said))
  let over = false
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = writer; !over; n += 4) {
      await put(ids[n % 12] as string, { ...(sayings[(n * 7 + writer) % 3] as Said), amount: n + 1 })
      if (n % 5 === 0) await made(sayings[n % 3] as Said)
    }
  })
  try {
    for (let round = 0; round < 5; round += 1) {
      const seen = await readAll(word, 3)
      assert.equal(new Set(seen).size, seen.length, 'none is shown twice')
      for (const id of ids) assert.ok(seen.includes(id), 'none is left out')
    }
  } finally {
    over = true
    await Promise.all(writers)
  }
})

test('products that the version before wrote, or by older rules, are found as those of today, whichever replica indexes them', async () => {
  const word = newWord()
  const ids: string[] = []
  for (let n = 0; n < 5; n += 1) ids.unshift(await made({ title: 'Thing' }))
  const { db } = database
  const before = await db('products').whereIn('id', ids).orderBy('id').pluck('changed_at')
  const [edited, old, ...missing] = ids as [string, string, ...string[]]
  const content = JSON.stringify({ ...(await contentOf(edited)), title: text(`${word}es`) })
  await db('products')
    .whereIn('id', ids)
    .update({ content, changed_at: db.raw('changed_at') })
  await db('products')
    .where({ id: edited })
    .update({ version: 2, changed_at: db.raw('changed_at') })
  await db('products')
    .where({ id: old })
    .update({ indexed_edition: 1, changed_at: db.raw('changed_at') })
  await db('search_documents').whereIn('product', missing).delete()
  await db('products')
    .whereIn('id', missing)
    .update({ indexed_version: 0, changed_at: db.raw('changed_at') })
  assert.deepEqual(await readAll(word, 10), [])

  await Promise.all([documents, createSearchDocuments(database.open())].map(({ catchUp }) => catchUp()))
  assert.deepEqual(await readAll(word, 2), ids)
  assert.deepEqual(await db('products').whereIn('id', ids).orderBy('id').pluck('changed_at'), before)
  const versions = await documents.versions()
  await documents.catchUp()
  assert.deepEqual(await documents.versions(), versions)
})

const contentOf = async (id: string): Promise<object> =>
  JSON.parse((await database.db('products').where({ id }).first('content')).content)

test('what was replaced an hour ago is deleted, and a search that began before is not read on', async () => {
  const word = newWord()
  const ids = [await made({ title: word }), await made({ title: word })]
  const page = await search({ q: word, limit: 1, statuses: shelf })
  await put(ids[0] as string, { title: `${word} anew` })
  await documents.trim()
  const next = () => search({ q: word, limit: 1, after: page.next, statuses: shelf })
  assert.equal((await next()).data.length, 1)

  const { db } = database
  await db('search_documents')
    .whereNotNull('until')
    .update({ replaced_at: db.raw('NOW(3) - INTERVAL 61 MINUTE') })
  await documents.trim()
  assert.deepEqual(await db('search_documents').whereNotNull('until'), [])
  await assert.rejects(next(), { status: 422, code: 'catalog/invalid-request' })
  assert.equal((await readAll(word, 1)).length, 2)
})

test('search goes by the full-text index, on every page', async () => {
  const word = newWord()
  for (let n = 0; n < 3; n += 1) await made({ title: word })
  const { next } = await search({ q: word, limit: 2, statuses: shelf })
  for (const after of [undefined, next]) {
    const steps = await plansOf(database.db, () => search({ q: word, limit: 2, after, statuses: shelf }))
    const [step] = steps.filter(({ table }) => table === 'search_documents')
    assert.partialDeepStrictEqual(step, { key: 'terms', type: 'fulltext' })
    const [shown] = steps.filter(({ table }) => table === 'products')
    assert.partialDeepStrictEqual(shown, { key: 'PRIMARY', type: 'eq_ref' })
  }
})

test('what is behind is looked for in an index alone', async () => {
  const steps = await plansOf(database.db, () => documents.catchUp())
  const [step] = steps.filter(({ table }) => table === 'products')
  assert.partialDeepStrictEqual(step, { key: 'indexing' })
  assert.match(String(step?.Extra), /Using index/)
})

test('a product is found whose document is older than the one spelling of its id', async () => {
  const { db } = database
  const id = await made({ title: 'Quince jelly' })
  await transaction(db, async (tx) => {
    await tx.raw('SET SESSION foreign_key_checks = 0')
    await tx.raw('UPDATE search_documents SET product = UPPER(product) WHERE product = ?', [id])
    await tx.raw('SET SESSION foreign_key_checks = 1')
  })
  const found = async () =>
    (await search({ q: 'quince', limit: 5, statuses: shelf })).data.map((hit) => hit.id)
  assert.deepEqual(await found(), [])
  await db('migrations').where('name', 'like', '0004-%').delete()
  await migrate(db, migrations)
  assert.deepEqual(await found(), [id])
})
