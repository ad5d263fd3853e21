import { newId } from '@caravan/service-kit/ids'
import { as, buy } from './checkout.ts'
import type { Content, Item } from './goods.ts'
import type { Visit } from './visit.ts'
import type { Scenario, World } from './world.ts'

/** What is done of one kind, and its weight among the others. */
type Share = readonly [kind: string, weight: number, act: (world: World, visit: Visit) => Promise<void>]

/** A scenario of several kinds of visit, chosen by their weights; the time of each kind is recorded as `run <kind>`. */
export const mixOf =
  (shares: readonly Share[]): Scenario =>
  (world) => {
    const all = shares.reduce((sum, [, weight]) => sum + weight, 0)
    return async (visit) => {
      let point = visit.random.next() * all
      const chosen = shares.find(([, weight]) => {
        point -= weight
        return point < 0
      })
      const [kind, , act] = chosen ?? (shares[0] as Share)
      const begun = performance.now()
      await act(world, visit)
      visit.record(`run ${kind}`, performance.now() - begun)
    }
  }

const asOperator = (world: World) => as({ token: world.operatorToken })

const chooseItem = (world: World, { random }: Visit): Item =>
  world.goods.products[world.chooseProduct(random)] as Item

/** Sends what `change` makes of a product. One change of a product at a time, as its seller would make them. */
const replace = async (world: World, visit: Visit, step: string, change: (content: Content) => Content) => {
  let item = chooseItem(world, visit)
  while (item.changing) item = visit.random.pick(world.goods.products)
  item.changing = true
  try {
    const content = change(item.content)
    const path = `/v1/products/${item.id}`
    await visit.ask(step, { method: 'PUT', path, headers: asOperator(world), body: JSON.stringify(content) })
    item.content = content
  } finally {
    item.changing = false
  }
}

/** New prices for all variants of a product; catalog has no smaller edit. */
export const changePrice = (world: World, visit: Visit) =>
  replace(world, visit, 'price update', (content) => ({
    ...content,
    variants: content.variants.map((variant) => ({
      ...variant,
      price: { ...variant.price, amount: 500 + visit.random.below(9500) },
    })),
  }))

/** Another description, other tags, weights and prices under the same id and SKUs: orders may be under way for these. */
const replaceProduct = (world: World, visit: Visit) =>
  replace(world, visit, 'replacement', (content) => {
    const text = `Edition ${visit.random.below(1e6)}, made for the load. It holds what it should.`
    return {
      ...content,
      description: { en: text, zh: text },
      tags: ['load', `edition-${visit.random.below(100)}`],
      variants: content.variants.map((variant) => ({
        ...variant,
        weightGrams: 100 + visit.random.below(2000),
        price: { ...variant.price, amount: 500 + visit.random.below(9500) },
      })),
    }
  })

/** A seller's products and what can be sold of each now. */
const readDashboard = async (world: World, visit: Visit): Promise<void> => {
  const { seller } = chooseItem(world, visit)
  const headers = { authorization: `Bearer ${world.operatorToken}` }
  const skus = world.goods.products.filter((item) => item.seller === seller).flatMap((item) => item.skus)
  await visit.ask('dashboard', { method: 'GET', path: `/v1/products?limit=100&seller=${seller}`, headers })
  await visit.ask('dashboard', { method: 'GET', path: `/v1/availability?skus=${skus.join()}`, headers })
}

export const deliver = async (world: World, visit: Visit): Promise<void> => {
  const sku = visit.random.pick(chooseItem(world, visit).skus)
  await visit.ask('delivery', {
    ...{ method: 'PUT', path: `/v1/stock/${sku}/adjustments/${newId()}`, headers: asOperator(world) },
    body: JSON.stringify({ delta: 1 + visit.random.below(20), reason: 'load' }),
  })
}

/**
 * The mix of the Online Marketplace benchmark (Laigner et al.), as far as this shop goes. It has no seller dashboard: that
 * is an operator's reading of a seller's products and their availability. It has no shipments: a delivery update is a
 * delivery of goods to the shop, an adjustment of stock. A replaced product keeps its SKUs.
 */
export const marketplace: Scenario = mixOf([
  ['checkout', 30, (world, visit) => buy(world, visit, 1 + visit.random.below(10))],
  ['seller dashboard', 5, readDashboard],
  ['price update', 3, changePrice],
  ['product replacement', 2, replaceProduct],
  ['delivery update', 60, deliver],
])
