import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  getProduct,
  getSeller,
  listCategories,
  listProductChanges,
  listProducts,
  putCategory,
  putProduct,
  putSeller,
  searchProducts,
} from '@caravan/contracts/catalog'
import { placeOrder } from '@caravan/contracts/orders'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'
import { ask, get, refused } from './ask.ts'
import { holdToContract } from './hold-to-contract.ts'

holdToContract('catalog')

const text = (en: string, zh = en) => ({ en, zh })
const asOrders = { through: 'orders' } as const
const asOperator = async () => ({ token: await shop.asOperator() })

/** A category, a seller and the content of a product of this test alone, which is not there yet. */
const staged = async () => {
  const by = await asOperator()
  const mark = `x${randomBytes(5).toString('hex')}`
  const [seller, id, category] = [newId(), newId(), `contract-${mark}`]
  const names = { name: text(`Seller ${mark}`), description: text('Sells.') }
  await get(putSeller, { params: { sellerId: seller }, body: names }, by)
  await get(putCategory, { params: { slug: category }, body: { parent: null, name: text(mark) } }, by)
  const sku = mark.toUpperCase()
  const content = (amount: number, changes: object = {}) => ({
    ...{ seller, category, title: text(`Gaiwan ${mark}`, `盖碗 ${mark}`), description: text('A test.') },
    ...{ pictures: [], tags: [], status: 'on-shelf', ...changes },
    variants: [
      { sku, name: text('One'), attributes: {}, price: { amount, currency: 'USD' }, weightGrams: 1 },
    ],
  })
  const put = (body: object) => get(putProduct, { params: { productId: id }, body }, by)
  return { by, mark, seller, category, id, sku, names, content, put, params: { productId: id } }
}
const idsOf = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id)
/** What orders makes of the SKU: its price as it learnt it from product.changed, or the refusal of an unknown one. */
const knownToOrders = async (sku: string) => {
  const items = [{ sku, quantity: 1, unitPrice: { amount: 1, currency: 'USD' } }]
  const by = { token: mint.member().token }
  const { body } = await ask(placeOrder, { body: { items, shippingAddress } }, by)
  return body.prices?.[0].unitPrice.amount ?? body.code
}

test('a product’s version grows by one with each change, and not without one', async () => {
  const { put, content, params } = await staged()
  const first = await put(content(100))
  assert.deepEqual([first.version, first.createdAt], [1, first.updatedAt])
  assert.deepEqual(await put(content(100)), first)
  const second = await put(content(200))
  assert.deepEqual([second.version, second.createdAt], [2, first.createdAt])
  assert.deepEqual(await get(getProduct, { params }), second)
})

test('each change is published: orders knows the new price, and what is off the shelf', async () => {
  const { put, content, sku } = await staged()
  for (const amount of [100, 250]) {
    await put(content(amount))
    await eventually(`orders knows the price ${amount}`, async () => (await knownToOrders(sku)) === amount)
  }
  await put(content(250, { status: 'off-shelf' }))
  await eventually('it is gone', async () => (await knownToOrders(sku)) === 'orders/unknown-sku')
})

test('a product is in the lists of its category and seller, and search finds it in both languages', async () => {
  const { put, content, id, category, seller, mark, params } = await staged()
  await put(content(100))
  for (const query of [{ category }, { seller }, { category, seller }])
    assert.deepEqual(idsOf(await get(listProducts, { query })), [id])
  for (const q of [mark, `gaiwans ${mark}`, `盖碗 ${mark}`]) {
    await eventually(`search finds ${q}`, async () => {
      const [best] = idsOf(await get(searchProducts, { query: { q } }))
      return best === id
    })
  }
  await put(content(100, { status: 'off-shelf' }))
  assert.deepEqual(idsOf(await get(listProducts, { query: { category } })), [])
  assert.deepEqual(idsOf(await get(searchProducts, { query: { q: mark } })), [])
  await refused([404, 'catalog/product-not-found'], getProduct, { params })
})

test('a list is read page by page, each product once', async () => {
  const { by, content, category, mark } = await staged()
  const ids: string[] = []
  for (let n = 0; n < 5; n += 1) {
    const productId = newId()
    const [variant] = content(100).variants
    const body = { ...content(100), variants: [{ ...variant, sku: `${mark.toUpperCase()}-${n}` }] }
    await get(putProduct, { params: { productId }, body }, by)
    ids.unshift(productId)
  }
  const seen: string[] = []
  let page = await get(listProducts, { query: { category, limit: '2' } })
  for (;;) {
    seen.push(...idsOf(page))
    assert.equal(page.hasMore, page.next !== undefined)
    if (!page.hasMore) break
    page = await get(listProducts, { query: { category, limit: '2', after: page.next } })
  }
  assert.deepEqual(seen, ids)
})

test('what changed is told page by page, each product as it is now, also off the shelf', async () => {
  const since = { since: (await get(listProductChanges, {}, asOrders)).until }
  const [first, second] = [await staged(), await staged()]
  const made = [await first.put(first.content(100))]
  made.push(await second.put(second.content(100, { status: 'off-shelf' })))
  made[0] = await first.put(first.content(200))
  const seen = new Map<string, object>()
  for (let after: string | undefined; ; ) {
    const page = await get(
      listProductChanges,
      { query: { ...since, limit: '1', ...(after ? { after } : {}) } },
      asOrders,
    )
    for (const product of page.data) seen.set(product.id, product)
    after = page.next
    if (!page.hasMore) break
  }
  for (const product of made) assert.deepEqual(seen.get(product.id), product)
})

test('what a product refers to must be there, and a SKU is one product’s', async () => {
  const { by, put, content } = await staged()
  const params = { productId: newId() }
  const refuse = (code: string, changes: object) =>
    refused([409, code], putProduct, { params, body: { ...content(100), ...changes } }, by)
  await refuse('catalog/unknown-seller', { seller: newId() })
  await refuse('catalog/unknown-category', { category: 'no-such-category' })
  await put(content(100))
  await refuse('catalog/sku-taken', {})
})

test('sellers and categories come back as they were written', async () => {
  const { seller, names, category, mark } = await staged()
  assert.deepEqual(await get(getSeller, { params: { sellerId: seller } }), { id: seller, ...names })
  const { data } = await get(listCategories)
  assert.partialDeepStrictEqual(data, [{ slug: category, parent: null, name: text(mark) }])
})
