import type { Visit } from './visit.ts'
import type { Scenario, World } from './world.ts'

export const readPage = async (world: World, { ask, random }: Visit): Promise<void> => {
  const path = world.goods.products[world.chooseProduct(random)]?.path ?? ''
  await ask('product page', { method: 'GET', path })
}

/** The first page of a search, of the category or of a seller's products. */
export const readList = async (world: World, { ask, random }: Visit): Promise<void> => {
  const item = random.pick(world.goods.products)
  const { seller } = item
  const paths = [
    `/v1/search?limit=20&q=${item.words}`,
    '/v1/products?category=load',
    `/v1/products?seller=${seller}`,
  ]
  await ask('list', { method: 'GET', path: random.pick(paths) })
}

/** One product page, or, where the world says so, sometimes a list. */
export const browse: Scenario = (world) => (visit) =>
  world.lists > 0 && visit.random.next() < world.lists ? readList(world, visit) : readPage(world, visit)
