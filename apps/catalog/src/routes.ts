import {
  findSkus,
  getCategory,
  getProduct,
  getSeller,
  listCategories,
  listProductChanges,
  listProducts,
  listSellers,
  putCategory,
  putProduct,
  putSeller,
  searchProducts,
  status,
} from '@caravan/contracts/catalog'
import { type Route, route } from '@caravan/service-kit/route'
import { branch } from './category.ts'
import type { CategoryStore } from './category-store.ts'
import { demandPictures } from './product.ts'
import type { ProductLists, Status } from './product-list-store.ts'
import type { ProductSearch } from './product-search-store.ts'
import type { ProductStore } from './product-store.ts'
import type { SellerStore } from './seller-store.ts'

interface Parts {
  readonly products: ProductStore
  readonly lists: ProductLists
  readonly search: ProductSearch
  readonly categories: CategoryStore
  readonly sellers: SellerStore
  /** The files that there are. */
  readonly pictures: ReadonlySet<string>
}

const statusesOf = (asked: Status | 'any' = 'on-shelf'): readonly Status[] =>
  asked === 'any' ? status.options : [asked]

export const catalogRoutes = (parts: Parts): Route[] => {
  const { products, lists, search, categories, sellers, pictures } = parts
  return [
    route(listProducts, async ({ query: { category, status, ...query } }) => {
      const slugs = category && branch(await categories.all(), category)
      return lists.list({
        ...{ ...query, statuses: statusesOf(status) },
        ...(slugs ? { categories: slugs } : {}),
      })
    }),
    route(getProduct, ({ params, query }) => products.get(params.productId, statusesOf(query.status))),
    route(searchProducts, ({ query: { status, ...query } }) =>
      search({ ...query, statuses: statusesOf(status) }),
    ),
    route(listCategories, async () => ({ data: await categories.all() })),
    route(getCategory, ({ params }) => categories.get(params.slug)),
    route(listSellers, async ({ query: { limit, after } }) => sellers.list(limit, after)),
    route(getSeller, ({ params }) => sellers.get(params.sellerId)),
    route(putProduct, ({ params, body, precondition }) => {
      demandPictures(body, pictures)
      return products.put(params.productId, body, precondition)
    }),
    route(putCategory, ({ params, body, precondition }) =>
      categories.put({ slug: params.slug, ...body }, precondition),
    ),
    route(putSeller, ({ params, body, precondition }) =>
      sellers.put({ id: params.sellerId, ...body }, precondition),
    ),
    route(listProductChanges, ({ query }) => products.changes(query)),
    route(findSkus, async ({ query }) => ({ data: await products.known(query.skus) })),
  ]
}
