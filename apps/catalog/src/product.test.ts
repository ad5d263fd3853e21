import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Category, productChanged } from '@caravan/contracts/catalog'
import { branch } from './category.ts'
import { type ProductContent, searchTerms, skusOf, summarise } from './product.ts'

const { id, version: _, createdAt: __, updatedAt: ___, ...example } = productChanged.example
const content = example as ProductContent
const [variant] = content.variants
if (!variant) throw new Error('the example has a variant')
const priced = (sku: string, amount: number, currency = 'USD') => ({
  ...variant,
  sku,
  price: { amount, currency },
})

test('a summary shows the lowest price in the first variant’s currency', () => {
  const variants = [priced('A-1', 900), priced('A-2', 700), priced('A-3', 1, 'CNY')]
  const summary = summarise(id, { ...content, variants })
  assert.deepEqual(summary.priceFrom, { amount: 700, currency: 'USD' })
  assert.equal(summary.variants, 3)
})

test('a SKU given twice is refused with a pointer to the second', () => {
  const variants = [priced('A-1', 1), priced('A-2', 1), priced('A-1', 1)]
  assert.throws(() => skusOf({ ...content, variants }), {
    status: 422,
    details: { errors: [{ pointer: '/variants/2/sku', detail: 'given twice' }] },
  })
})

test('search looks through all that is said of a product, and knows what its title says', () => {
  const { title, all } = searchTerms(content)
  assert.deepEqual(title, ['enporcelain', 'engaiwan', 'u767d', 'u74f7', 'u76d6', 'u7897', ...title.slice(6)])
  for (const term of [...title, 'enbrewing', 'u6ce1u8336', 'enwhite', 'entea', 'enware'])
    assert.ok(all.includes(term), term)
  assert.ok(!title.includes('enbrewing'))
  assert.deepEqual(searchTerms({ ...content, status: 'off-shelf' }), { title, all })
})

test('what is written in one language is found in it, and nothing else is', () => {
  const only = (language: 'en' | 'zh') => {
    const { title, description, variants } = content
    const one = (some: typeof title) => ({ [language]: some[language] })
    return searchTerms({
      ...{ ...content, title: one(title), description: one(description), category: 'c', tags: [] },
      variants: variants.map((each) => ({ ...each, sku: 'A-1', name: one(each.name) })),
    }).all
  }
  assert.ok(only('en').includes('engaiwan') && !only('en').includes('u76d6u7897'))
  assert.ok(only('zh').includes('u76d6u7897') && !only('zh').includes('engaiwan'))
  for (const language of ['en', 'zh'] as const) assert.ok(!only(language).includes('enundefined'))
})

test('a branch is the category and all below it', () => {
  const category = (slug: string, parent: string | null): Category => ({
    slug,
    parent,
    name: { en: slug, zh: slug },
  })
  const all = [
    category('a', null),
    category('b', 'a'),
    category('c', 'b'),
    category('d', 'a'),
    category('x', null),
  ]
  assert.deepEqual(branch(all, 'a').sort(), ['a', 'b', 'c', 'd'])
  assert.deepEqual(branch(all, 'c'), ['c'])
  assert.deepEqual(branch(all, 'unknown'), ['unknown'])
})
