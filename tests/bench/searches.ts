import { connect } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { Pool } from 'undici'
import { type ProductContent, searchTerms, summarise } from '../../apps/catalog/src/product.ts'
import { indexedAs } from '../../apps/catalog/src/search-document-store.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { closedLoop, measure } from './measure.ts'
import type { Part } from './rounds.ts'

const products = 100_000
const batch = 500
const limit = 20

const text = (value: string) => ({ en: value, zh: value })
const word = (kind: string, number: number) => `${kind}${String(number).padStart(6, '0')}`
/** Of the nth product: one of 10 colours, of 20 materials, of 50 things; no two of these go together more often than others. */
const wordsOf = (n: number) => [
  word('colour', n % 10),
  word('material', Math.floor(n / 10) % 20),
  word('thing', Math.floor(n / 200) % 50),
]

const contentOf = (n: number, seller: string): ProductContent => {
  const words = wordsOf(n).join(' ')
  return {
    ...{ seller, category: 'searches', title: text(`${words} ${word('model', n)}`), status: 'on-shelf' },
    description: text(`A ${words}, made for the bench. It holds what it should and stands where it is put.`),
    ...{ pictures: [], tags: [] },
    variants: [
      {
        ...{ sku: `SEARCH-${n}`, name: text('One'), attributes: {}, weightGrams: 900 },
        price: { amount: 500, currency: 'USD' },
      },
    ],
  }
}

/** Straight into catalog's tables, as its store writes them, but for the events. */
const fill = async (url: string): Promise<void> => {
  const db = connect(url)
  const seller = newId()
  await db('sellers').insert({ id: seller, document: '{}' })
  await db('categories').insert({ slug: 'searches', parent: null, name: JSON.stringify(text('Searches')) })
  for (let from = 0; from < products; from += batch) {
    const made = Array.from({ length: batch }, (_, index) => {
      const [id, now, content] = [newId(), new Date(), contentOf(from + index, seller)]
      const terms = searchTerms(content)
      const { category, status } = content
      return {
        product: {
          ...{ id, version: 1, seller, category, status, created_at: now, updated_at: now, ...indexedAs(1) },
          ...{ content: JSON.stringify(content), summary: JSON.stringify(summarise(id, content)) },
          terms: terms.all.join(' '),
        },
        document: {
          ...{ product: id, since: 0, status },
          ...{ title_terms: terms.title.join(' '), terms: terms.all.join(' ') },
        },
      }
    })
    await db('products').insert(made.map(({ product }) => product))
    await db('search_documents').insert(made.map(({ document }) => document))
  }
  await db.destroy()
}

/** What a search costs by how many products it finds. */
export const searches = async (stack: Stack): Promise<Part> => {
  await fill(String(stack.secrets['catalog-mysql']))
  const sidecar = new Pool(`http://127.0.0.1:${stack.process('catalog.sidecar').ports.http}`)
  const headers = { 'dapr-api-token': String(stack.tokens.catalog?.dapr) }
  const processes = ['catalog', 'catalog.sidecar', 'mysql'].map((name): [string, number] => [
    name,
    Number(stack.process(name).pid),
  ])

  const search = async (q: string, after?: string) => {
    const query = new URLSearchParams({ q, limit: String(limit), ...(after ? { after } : {}) })
    const path = `/v1.0/invoke/catalog/method/operations/searchProducts?${query}`
    const { statusCode, body } = await sidecar.request({ method: 'GET', path, headers })
    const answer = await body.text()
    if (statusCode !== 200) throw new Error(`${q}: ${statusCode} ${answer}`)
    return JSON.parse(answer) as { data: unknown[]; next?: string }
  }
  const some = (below: number) => Math.floor(Math.random() * below)
  const leg = (name: string, found: number, ask: () => ReturnType<typeof search>) => ({
    name,
    run: (ms: number) =>
      measure([['client', 0], ...processes], () =>
        closedLoop(1, ms, async () => {
          const { data } = await ask()
          if (data.length !== found) throw new Error(`${name}: ${data.length} on the page, not ${found}`)
        }),
      ),
  })
  const tenthPage = async (q: string) => {
    let after: string | undefined
    for (let page = 1; page < 10; page += 1) after = (await search(q, after)).next
    return after
  }
  const far = await tenthPage(word('thing', 7))
  return {
    letter: 'g',
    title: `Search among ${products.toLocaleString('en')} products`,
    about:
      `The first ${limit} of what a search finds, one search at a time, by the HTTP port of catalog’s own sidecar; past the gateway, which keeps the pages of searches that come again. ` +
      'Each product has three words of its title in common with others, and one of its own.',
    base: 'its own word: 1',
    legs: [
      leg('its own word: 1', 1, () => search(word('model', some(products)))),
      leg('two words: 100', limit, () => search(wordsOf(some(products)).slice(1).join(' '))),
      leg('one word: 2,000', limit, () => search(word('thing', some(50)))),
      leg('its tenth page', limit, () => search(word('thing', 7), far)),
      leg('one word: 10,000', limit, () => search(word('colour', some(10)))),
      leg('two words that none has both of: 4,000', limit, () => {
        const thing = some(49)
        return search(`${word('thing', thing)} ${word('thing', thing + 1)}`)
      }),
      leg('a word that all have: 100,000', limit, () => search('bench')),
    ],
    legMs: 4000,
    warmUpMs: 1000,
    close: () => sidecar.close(),
  }
}
