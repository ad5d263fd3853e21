import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Product, type ProductSummary, putProduct } from '@caravan/contracts/catalog'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { get } from '../contract/ask.ts'
import { logLines } from '../support/log-lines.ts'
import type { Line } from '../support/shop.ts'
import { mint, rows, shop } from '../support/stack.ts'

interface Page {
  data: ProductSummary[]
  hasMore: boolean
  next?: string
}

const seeded = JSON.parse(
  readFileSync(new URL('../../tools/seed/data/products.json', import.meta.url), 'utf8'),
) as { id: string; category: string }[]

/** Below the time that a copy in the gateway may live: what is seen sooner was told by an event. */
const soonMs = 40_000
const priceOf = ({ variants }: Product) => variants[0]?.price.amount

const text = (value: string) => ({ en: value, zh: value })

/** A product as the seed's first, of this test alone; `edit` changes it behind the back of the gateway. */
const staged = async () => {
  const { data } = (await shop.door<Page>('GET', '/v1/products?limit=1')).body
  const [{ seller, category } = assert.fail('the shop is empty')] = data
  const [id, mark] = [newId(), `t${randomBytes(5).toString('hex')}`]
  const sku = mark.toUpperCase()
  const edit = async (amount: number, status: Product['status'] = 'on-shelf'): Promise<Product> => {
    const price = { amount, currency: 'USD' }
    const variants = [{ sku, name: text('One'), attributes: {}, price, weightGrams: 1 }]
    const content = { seller, category, title: text(`Thing ${mark}`), description: text('Made by a test.') }
    return get(
      putProduct,
      { params: { productId: id }, body: { ...content, pictures: [], variants, tags: [], status } },
      { token: await shop.asOperator() },
    )
  }
  const lineAt = (amount: number): Line => ({ sku, quantity: 1, unitPrice: { amount, currency: 'USD' } })
  return { id, mark, sku, edit, lineAt, path: `/v1/products/${id}` }
}

const readAll = async (query: string): Promise<string[]> => {
  const seen: string[] = []
  for (let after = ''; ; ) {
    const { status, body, text } = await shop.door<Page>('GET', `/v1/products?${query}${after}`)
    assert.equal(status, 200, text)
    seen.push(...body.data.map(({ id }) => id))
    assert.equal(body.hasMore, body.next !== undefined)
    if (body.next === undefined) return seen
    after = `&after=${encodeURIComponent(body.next)}`
  }
}

test('the shop is full: at least 60 products, and paging shows each exactly once', async () => {
  assert.ok(seeded.length >= 60)
  for (const limit of [7, 100]) {
    const seen = await readAll(`limit=${limit}`)
    assert.equal(new Set(seen).size, seen.length, 'none is shown twice')
    for (const { id } of seeded) assert.ok(seen.includes(id), id)
  }
})

test('a category shows its own products and those of the categories below it', async () => {
  const { data } = (await shop.door('GET', '/v1/categories')).body as {
    data: { slug: string; parent: string | null }[]
  }
  const parent = data.find(({ slug }) => data.some((each) => each.parent === slug))?.slug
  assert.ok(parent)
  const branch = [parent, ...data.filter((each) => each.parent === parent).map(({ slug }) => slug)]
  const expected = seeded.filter(({ category }) => branch.includes(category)).map(({ id }) => id)
  assert.ok(expected.length > 1)
  const seen = await readAll(`limit=5&category=${parent}`)
  for (const id of expected) assert.ok(seen.includes(id), id)
  for (const { id, category } of seeded) if (seen.includes(id)) assert.ok(branch.includes(category), id)
})

test('search finds in English and in Chinese, the best match first', async () => {
  for (const [query, title] of [
    ['gaiwan', /gaiwan/i],
    ['Gaiwans', /gaiwan/i],
    ['盖碗', /盖碗/],
    ['headlamp', /headlamp/i],
    ['头灯', /头灯/],
  ] as const) {
    const { body, text } = await shop.door<Page>('GET', `/v1/search?q=${encodeURIComponent(query)}`)
    const [best] = body.data
    assert.match(`${best?.title.en} ${best?.title.zh}`, title, `${query}: ${text}`)
  }
  const nothing = await shop.door<Page>('GET', '/v1/search?q=zzyzx')
  assert.deepEqual(nothing.body, { data: [], hasMore: false })
})

test('an edited price is seen at the door, and orders takes the new one only', async () => {
  const { edit, path, sku, lineAt } = await staged()
  await edit(1000)
  await shop.receive(sku, 1000)
  assert.equal(priceOf((await shop.door<Product>('GET', path)).body), 1000)
  await eventually(
    'it can be ordered',
    async () => (await shop.tryOrder(mint.member(), [lineAt(1000)])).status === 201,
    soonMs,
  )

  await edit(1250)
  const product = await eventually(
    'the door shows the new price',
    async () => {
      const { body } = await shop.door<Product>('GET', path)
      return priceOf(body) === 1250 && body
    },
    soonMs,
  )
  assert.equal(product.version, 2)
  const refused = await eventually(
    'orders refuses the old price',
    async () => {
      const answer = await shop.tryOrder(mint.member(), [lineAt(1000)])
      return answer.status === 409 && answer
    },
    soonMs,
  )
  assert.equal(refused.body.code, 'orders/price-changed')
  assert.deepEqual(refused.body.prices, [{ sku, unitPrice: { amount: 1250, currency: 'USD' } }])
  const accepted = await shop.tryOrder(mint.member(), [lineAt(1250)])
  assert.equal(accepted.status, 201, accepted.text)
})

test('what is taken off the shelf disappears, and cannot be ordered', async () => {
  const { edit, id, path, mark, sku, lineAt } = await staged()
  await edit(1000)
  await shop.receive(sku, 1)
  const shown = async () => {
    const page = await shop.door('GET', path)
    const search = await shop.door<Page>('GET', `/v1/search?q=${mark}`)
    const list = await shop.door<Page>('GET', '/v1/products?limit=5')
    const isIn = ({ body }: { body: Page }) => body.data.some((each) => each.id === id)
    return [page.status === 200, isIn(search), isIn(list)]
  }
  await eventually('it is everywhere', async () => (await shown()).every(Boolean), soonMs)
  await edit(1000, 'off-shelf')
  await eventually('it is nowhere', async () => !(await shown()).some(Boolean), soonMs)
  const refused = await eventually(
    'orders does not know it',
    async () => {
      const answer = await shop.tryOrder(mint.member(), [lineAt(1000)])
      return answer.status === 422 && answer
    },
    soonMs,
  )
  assert.equal(refused.body.code, 'orders/unknown-sku')
})

test('staff read, list and find what is off the shelf; nobody else learns of it, from no copy', async () => {
  const { edit, id, path, mark } = await staged()
  const asStaff = { token: await shop.asOperator() }
  const pages = [
    `${path}?status=any`,
    '/v1/products?limit=5&status=off-shelf',
    `/v1/search?q=${mark}&status=any`,
  ]
  const product = await edit(1000, 'off-shelf')
  for (let n = 0; n < 2; n += 1) {
    const [page, list, search] = await Promise.all(pages.map((each) => shop.door('GET', each, asStaff)))
    assert.deepEqual(page?.body, product)
    for (const { body } of [list, search] as { body: Page }[])
      assert.ok(body.data.some((each) => each.id === id))
    for (const each of pages) {
      assert.equal((await shop.door('GET', each)).status, 401, each)
      assert.equal((await shop.door('GET', each, { token: mint.member().token })).status, 403, each)
    }
    assert.equal((await shop.door('GET', path)).status, 404)
    assert.deepEqual((await shop.door<Page>('GET', `/v1/search?q=${mark}`)).body.data, [])
  }
})

test('a product that is replaced says whether it is on the shelf', async () => {
  const { edit, path } = await staged()
  const { status: _, ...rest } = await edit(1000, 'off-shelf')
  const answer = await shop.door('PUT', path, { token: await shop.asOperator(), body: rest })
  assert.equal(answer.status, 422, answer.text)
  assert.deepEqual(answer.body.errors?.[0]?.pointer, '/status')
})

test('whoever wants a SKU that is taken is told whose it is, also off the shelf', async () => {
  const { edit, id, sku } = await staged()
  const { id: _, version: __, createdAt: ___, updatedAt: ____, ...content } = await edit(1000, 'off-shelf')
  const token = await shop.asOperator()
  const answer = await shop.door('PUT', `/v1/products/${newId()}`, { token, body: content })
  assert.deepEqual([answer.status, answer.body.code], [409, 'catalog/sku-taken'], answer.text)
  assert.deepEqual(answer.body.taken, [{ sku, productId: id }])
})

test('a search that is read page by page shows each match once, whatever is added and edited meanwhile', async () => {
  const things = [await staged(), await staged(), await staged(), await staged()]
  const [{ mark: word }] = things as [(typeof things)[0]]
  const token = await shop.asOperator()
  const say = async ({ id, sku }: (typeof things)[0], where: 'title' | 'description') => {
    const { data } = (await shop.door<Page>('GET', '/v1/products?limit=1')).body
    const [{ seller, category } = assert.fail('the shop is empty')] = data
    await shop.putProduct(id, {
      ...{ seller, category, title: text('Thing'), description: text('Thing'), [where]: text(word) },
      ...{ pictures: [], tags: [], status: 'on-shelf' },
      variants: [
        {
          ...{ sku, name: text('One'), attributes: {}, weightGrams: 1 },
          price: { amount: 100, currency: 'USD' },
        },
      ],
    })
  }
  for (const [n, each] of things.entries()) await say(each, n % 2 ? 'title' : 'description')
  const ask = (after = '') => shop.door<Page>('GET', `/v1/search?q=${word}&limit=1${after}`, { token })
  const seen: string[] = []
  let page = await eventually('all are found', async () => {
    const { body } = await shop.door<Page>('GET', `/v1/search?q=${word}&limit=100`)
    return body.data.length === things.length && (await ask()).body
  })
  for (let turn = 0; ; turn += 1) {
    seen.push(...page.data.map(({ id }) => id))
    if (!page.next) break
    for (const [n, each] of things.entries()) await say(each, (n + turn) % 2 ? 'description' : 'title')
    await say(await staged(), 'title')
    page = (await ask(`&after=${encodeURIComponent(page.next)}`)).body
  }
  assert.deepEqual(seen.toSorted(), things.map(({ id }) => id).toSorted())
})

test('who has the page gets 304 until it changes', async () => {
  const { edit, path } = await staged()
  await edit(1000)
  const first = await shop.door('GET', path)
  const etag = String(first.headers.get('etag'))
  assert.match(etag, /^"[\w-]+"$/)
  const ask = () => shop.door('GET', path, { headers: { 'if-none-match': etag } })
  for (const again of [await ask(), await ask()]) {
    assert.deepEqual([again.status, again.text], [304, ''])
    assert.equal(again.headers.get('etag'), etag)
  }
  await edit(1100)
  const changed = await eventually(
    'the page has changed',
    async () => {
      const answer = await ask()
      return answer.status === 200 && answer
    },
    soonMs,
  )
  assert.notEqual(changed.headers.get('etag'), etag)
})

test('a thousand clients ask at once for a page that is not cached: the catalog reads it once', async () => {
  const { edit, id, path } = await staged()
  await edit(1000)
  // Its event would have the page read anew.
  const [event] = await rows<{ id: string }>('catalog', 'SELECT id FROM outbox WHERE event_key = ?', id)
  await eventually('the gateway has heard of it', () =>
    logLines('gateway').some(({ event_id, msg }) => event_id === event?.id && msg === 'event handled'),
  )
  const reads = () =>
    logLines('catalog').filter(({ msg, path: asked }) => msg === 'request' && asked === path).length
  const before = reads()
  const answers = await Promise.all(Array.from({ length: 1000 }, () => shop.door<Product>('GET', path)))
  for (const { status, body, text } of answers) {
    assert.equal(status, 200, text)
    assert.equal(priceOf(body), 1000)
  }
  await eventually('the read is in the log', () => reads() > before)
  assert.equal(reads() - before, 1)
})

test('a picture that is not there is refused, with a pointer to it', async () => {
  const token = await shop.asOperator()
  const {
    id,
    version: _,
    createdAt: __,
    updatedAt: ___,
    ...content
  } = await shop.newProduct([`P-${newId().slice(-12).toUpperCase()}`])
  const file = readdirSync(new URL('../../apps/catalog/pictures', import.meta.url)).find((name) =>
    name.endsWith('.svg'),
  )
  const put = (files: unknown[]) =>
    shop.door('PUT', `/v1/products/${id}`, {
      token,
      body: { ...content, pictures: files.map((each) => ({ file: each, alt: text('A picture') })) },
    })
  const refused = await put([file, 'never-drawn.svg'])
  assert.deepEqual(
    [refused.status, refused.body.errors?.[0]?.pointer],
    [422, '/pictures/1/file'],
    refused.text,
  )
  assert.equal((await put([file])).status, 200)
})
