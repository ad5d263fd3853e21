import assert from 'node:assert/strict'
import type { Product } from '@caravan/contracts/catalog'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { type Shop, shippingAddress } from '../support/shop.ts'
import { openRandom, type Random } from './random.ts'

export interface Goods {
  readonly products: readonly Item[]
  readonly sellers: readonly string[]
}

export interface Item {
  readonly id: string
  readonly seller: string
  /** Of its title, as a query has them. */
  readonly words: string
  /** Of its page. */
  readonly path: string
  readonly skus: readonly string[]
  /** What the product is now: whoever replaces it says so here. */
  content: Content
  /** Whether somebody is replacing it. */
  changing: boolean
}

export type Content = Omit<Product, 'id' | 'version' | 'createdAt' | 'updatedAt'>

const materials =
  'oak maple cedar walnut copper brass linen cotton wool felt marble slate clay glass cork'.split(' ')
const things =
  'stool bench shelf tray lamp mirror basket jug plate kettle clock frame stand hook crate'.split(' ')
const stockOfEach = 1_000_000
const perSeller = 10
const text = (value: string) => ({ en: value, zh: value })

/**
 * Puts so many products of 1 to 3 variants on the shelf of a running shop, with stock for a million sales of each, by the
 * public door. Resolves when orders knows the price of each.
 */
export const stockUp = async (shop: Shop, howMany: number, seed: number): Promise<Goods> => {
  const token = await shop.asOperator()
  const random = openRandom(seed, 0x600d5)
  const put = async (path: string, body: object) => {
    const answer = await shop.persistently(() => shop.door('PUT', path, { token, body }))
    assert.equal(answer.status, 200, answer.text)
  }
  const sellers = Array.from({ length: Math.ceil(howMany / perSeller) }, newId)
  await put('/v1/categories/load', { parent: null, name: text('Load') })
  await inTurns(sellers, (seller) =>
    put(`/v1/sellers/${seller}`, { name: text('Load seller'), description: text('Sells to the load.') }),
  )
  const mark = newId().slice(-8).toUpperCase()
  const products = Array.from({ length: howMany }, (_, index) =>
    newItem(random, sellers[Math.floor(index / perSeller)] as string, `L${mark}-${index}`),
  )
  await inTurns(products, async ({ id, skus, content }) => {
    await put(`/v1/products/${id}`, content)
    for (const sku of skus)
      await put(`/v1/stock/${sku}/adjustments/${newId()}`, { delta: stockOfEach, reason: 'load' })
  })
  await untilOffered(shop, token, products)
  return { products, sellers }
}

const newItem = (random: Random, seller: string, mark: string): Item => {
  const words = `${random.pick(materials)}+${random.pick(things)}`
  const name = words.replace('+', ' ')
  const skus = Array.from({ length: 1 + random.below(3) }, (_, index) => `${mark}-${index}`)
  const content: Content = {
    ...{ seller, category: 'load', title: text(`${name} ${mark}`), status: 'on-shelf' },
    description: text(`A ${name}, made for the load. It holds what it should and stands where it is put.`),
    pictures: [],
    variants: skus.map((sku, index) => ({
      ...{ sku, name: text(`Size ${index + 1}`), attributes: { size: String(index + 1) }, weightGrams: 900 },
      price: { amount: 500 + random.below(9500), currency: 'USD' },
    })),
    tags: ['load'],
  }
  const id = newId()
  return { ...{ id, seller, words, skus, content }, path: `/v1/products/${id}`, changing: false }
}

/** Orders has its own copy of prices: a wrong price is refused for its being wrong as soon as each SKU is known. */
const untilOffered = async (shop: Shop, token: string, products: readonly Item[]): Promise<void> => {
  const skus = products.flatMap((product) => product.skus)
  for (let from = 0; from < skus.length; from += 100) {
    const items = skus
      .slice(from, from + 100)
      .map((sku) => ({ sku, quantity: 1, unitPrice: { amount: 1, currency: 'USD' } }))
    await eventually(
      'orders knows the new products',
      async () => {
        const answer = await shop.door('POST', '/v1/orders', { token, body: { items, shippingAddress } })
        return answer.body?.code === 'orders/price-changed'
      },
      60_000,
    )
  }
}

const inTurns = async <T>(list: readonly T[], work: (each: T) => Promise<void>): Promise<void> => {
  const waiting = list.values()
  const worker = async () => {
    for (const each of waiting) await work(each)
  }
  await Promise.all(Array.from({ length: 4 }, worker))
}
