import {
  findSkus,
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
import { type Route, route } from '@caravan/service-kit/route'
import { branch } from './category.ts'
import type { CategoryStore } from './category-store.ts'
import { demandPictures } from './product.ts'
import type { ProductLists } from './product-list-store.ts'
import type { ProductStore } from './product-store.ts'
import type { SellerStore } from './seller-store.ts'

interface Parts {
  readonly products: ProductStore
  readonly lists: ProductLists
  readonly categories: CategoryStore
  readonly sellers: SellerStore
  /** The files that there are. */
  readonly pictures: ReadonlySet<string>
}

export const catalogRoutes = ({ products, lists, categories, sellers, pictures }: Parts): Route[] => [
  route(listProducts, async ({ query: { category, ...query } }) => {
    const slugs = category && branch(await categories.all(), category)
    return lists.list({ ...query, ...(slugs ? { categories: slugs } : {}) })
  }),
  route(getProduct, ({ params }) => products.get(params.productId)),
  route(searchProducts, ({ query }) => lists.search(query)),
  route(listCategories, async () => ({ data: await categories.all() })),
  route(getSeller, ({ params }) => sellers.get(params.sellerId)),
  route(putProduct, ({ params, body }) => {
    demandPictures(body, pictures)
    return products.put(params.productId, body)
  }),
  route(putCategory, ({ params, body }) => categories.put({ slug: params.slug, ...body })),
  route(putSeller, ({ params, body }) => sellers.put({ id: params.sellerId, ...body })),
  route(listProductChanges, ({ query }) => products.changes(query)),
  route(findSkus, async ({ query }) => ({ data: await products.known(query.skus) })),
]
