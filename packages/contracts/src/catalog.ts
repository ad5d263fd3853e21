import { z } from 'zod'
import { id, instant, keptText, limit, money, page, paging, sku, skus, text, visible } from './common.ts'
import { event } from './event.ts'
import { line, prose } from './line.ts'
import { operation } from './operation.ts'
import { price } from './price.ts'
import { takingBack } from './taking-back.ts'

const app = 'catalog'
export const slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(60)
/** By which a tax zone finds the rate; what says nothing is `standard`. */
export const taxClass = slug.meta({ examples: ['standard', 'reduced'] })
const file = z
  .string()
  .regex(/^[a-z0-9-]+\.svg$/)
  .max(80)

export const status = z.enum(['on-shelf', 'off-shelf'])

const asWritten = { text, line }
/** Older than a rule, maybe. */
const asKept: typeof asWritten = { text: () => keptText, line: () => z.string() }

const contentAt = <P extends z.ZodType>(price: P, { text, line }: typeof asWritten) =>
  z.strictObject({
    seller: id,
    category: slug,
    title: text(160),
    description: text(4000, prose),
    pictures: z.array(z.strictObject({ file, alt: text(200) })).max(12),
    variants: z
      .array(
        z.strictObject({
          sku,
          name: text(120),
          attributes: z.record(line(40), line(80)),
          price,
          weightGrams: z.int().min(0).max(1_000_000),
        }),
      )
      .min(1)
      .max(50),
    tags: z.array(line(40)).max(20),
    taxClass: taxClass.optional(),
    status,
  })

/** What an editor writes: by the rules of now. What was written before is shown and told as it is. */
const productContent = contentAt(price, asWritten)

/** `version` grows by one with each change; a consumer ignores what is older than what it has. */
export const product = contentAt(money, asKept).extend({
  id,
  version: z.int().min(1),
  createdAt: instant,
  updatedAt: instant,
})
export type Product = z.infer<typeof product>

const productSummary = z.object({
  id,
  title: keptText,
  category: slug,
  seller: id,
  picture: z.strictObject({ file, alt: keptText }).optional(),
  priceFrom: money,
  variants: z.int(),
})
export type ProductSummary = z.infer<typeof productSummary>

const categoryContent = z.strictObject({ parent: slug.nullable(), name: text(80) })
export const category = z.object({ slug, parent: slug.nullable(), name: keptText })
export type Category = z.infer<typeof category>

const sellerContent = z.strictObject({ name: text(120), description: text(2000, prose) })
export const seller = z.object({ id, name: keptText, description: keptText })
export type Seller = z.infer<typeof seller>

/** No operation, for its answer is a file and not JSON; open to anyone, and asked for as operations are. */
export const pictureFile = { app, id: 'getPicture', method: 'GET', path: '/pictures/{file}' } as const

const productParams = z.strictObject({ productId: id })
const staff = { roles: ['catalogue-manager'] } as const

export const putProduct = operation({
  app,
  id: 'putProduct',
  method: 'PUT',
  path: '/v1/products/{productId}',
  summary:
    'Create or replace a product under an id of the caller, all of it; takes back what getProduct gave',
  access: staff,
  status: 200,
  tagged: true,
  params: productParams,
  body: takingBack(productContent, product, {
    named: { id: 'productId' },
    moved: ['version', 'updatedAt'],
  }),
  response: product,
  problems: {
    'catalog/sku-taken': 409,
    'catalog/unknown-category': 409,
    'catalog/unknown-seller': 409,
    'catalog/unknown-picture': 422,
  },
})

/** What is off the shelf is there for those only who may edit it. */
const showingHidden = {
  query: z.strictObject({
    status: z
      .enum([...status.options, 'any'])
      .optional()
      .meta({ description: 'Without it, what is on the shelf; for staff, who see it as it is now' }),
  }),
  privileged: { query: 'status', by: putProduct },
} as const

export const listProducts = operation({
  app,
  id: 'listProducts',
  method: 'GET',
  path: '/v1/products',
  summary: 'Products on the shelf, newest first',
  access: 'anyone',
  status: 200,
  privileged: showingHidden.privileged,
  query: paging.extend({ category: slug.optional(), seller: id.optional(), ...showingHidden.query.shape }),
  response: page(productSummary),
})

export const getProduct = operation({
  app,
  id: 'getProduct',
  method: 'GET',
  path: '/v1/products/{productId}',
  summary: 'One product with its variants',
  access: 'anyone',
  status: 200,
  tagged: true,
  ...showingHidden,
  params: productParams,
  response: product,
  problems: { 'catalog/product-not-found': 404 },
})

export const searchProducts = operation({
  app,
  id: 'searchProducts',
  method: 'GET',
  path: '/v1/search',
  summary:
    'Full-text search in English and Chinese, best match first; its pages, for an hour, are of the moment of the first',
  access: 'anyone',
  status: 200,
  privileged: showingHidden.privileged,
  query: z.strictObject({
    q: line(100),
    limit,
    after: visible.optional(),
    ...showingHidden.query.shape,
  }),
  response: page(productSummary),
})

export const listCategories = operation({
  app,
  id: 'listCategories',
  method: 'GET',
  path: '/v1/categories',
  summary: 'The whole category tree',
  access: 'anyone',
  status: 200,
  response: z.object({ data: z.array(category) }),
})

export const getCategory = operation({
  app,
  id: 'getCategory',
  method: 'GET',
  path: '/v1/categories/{slug}',
  summary: 'One category as it is now, for whoever edits it',
  access: staff,
  status: 200,
  tagged: true,
  params: z.strictObject({ slug }),
  response: category,
  problems: { 'catalog/category-not-found': 404 },
})

export const listSellers = operation({
  app,
  id: 'listSellers',
  method: 'GET',
  path: '/v1/sellers',
  summary: 'All sellers, those with and without products, in the order of their ids',
  access: staff,
  status: 200,
  query: paging,
  response: page(seller),
})

export const getSeller = operation({
  app,
  id: 'getSeller',
  method: 'GET',
  path: '/v1/sellers/{sellerId}',
  summary: 'One seller',
  access: 'anyone',
  status: 200,
  tagged: true,
  params: z.strictObject({ sellerId: id }),
  response: seller,
  problems: { 'catalog/seller-not-found': 404 },
})

export const putCategory = operation({
  app,
  id: 'putCategory',
  method: 'PUT',
  path: '/v1/categories/{slug}',
  summary: 'Create or replace a category; takes back what getCategory gave',
  access: staff,
  status: 200,
  tagged: true,
  params: z.strictObject({ slug }),
  body: takingBack(categoryContent, category, { named: { slug: 'slug' } }),
  response: category,
  problems: { 'catalog/unknown-category': 409, 'catalog/category-circle': 409 },
})

export const putSeller = operation({
  app,
  id: 'putSeller',
  method: 'PUT',
  path: '/v1/sellers/{sellerId}',
  summary: 'Create or replace a seller; takes back what getSeller gave',
  access: staff,
  status: 200,
  tagged: true,
  params: z.strictObject({ sellerId: id }),
  body: takingBack(sellerContent, seller, { named: { id: 'sellerId' } }),
  response: seller,
})

export const listProductChanges = operation({
  app,
  id: 'listProductChanges',
  method: 'GET',
  path: '/v1/product-changes',
  summary: 'All products that changed since a moment, each as it is now, the longest unchanged first',
  access: { apps: ['orders'] },
  status: 200,
  query: paging.extend({ since: instant.optional() }),
  /** `until`: the moment of this answer by catalog's clock. What was under way then may be told as changed before it. */
  response: page(product.loose()).extend({ until: instant }),
})

export const findSkus = operation({
  app,
  id: 'findSkus',
  method: 'GET',
  path: '/v1/skus',
  summary: 'Those of some SKUs that a product has, on the shelf or not',
  access: { apps: ['inventory'] },
  status: 200,
  query: z.strictObject({ skus }),
  response: z.object({ data: z.array(sku) }),
})

export const catalogOperations = [
  listProducts,
  getProduct,
  searchProducts,
  listCategories,
  getCategory,
  listSellers,
  getSeller,
  putProduct,
  putCategory,
  putSeller,
  listProductChanges,
  findSkus,
] as const

export const productChanged = event({
  topic: 'product.changed',
  publisher: app,
  summary: 'A product was created, edited, or taken on or off the shelf; the event holds all of it',
  data: product.loose(),
  key: (data) => data.id,
  example: {
    id: '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6',
    version: 1,
    seller: '0192f3a4-0000-7000-8000-000000000001',
    category: 'tea-ware',
    title: { en: 'Porcelain gaiwan', zh: '白瓷盖碗' },
    description: { en: 'A lidded bowl for brewing tea.', zh: '用来泡茶的带盖瓷碗。' },
    pictures: [{ file: 'gaiwan.svg', alt: { en: 'A white gaiwan', zh: '一只白色盖碗' } }],
    variants: [
      {
        sku: 'GAIWAN-WHITE',
        name: { en: 'White', zh: '白' },
        attributes: { color: 'white' },
        price: { amount: 2400, currency: 'USD' },
        weightGrams: 310,
      },
    ],
    tags: ['tea'],
    status: 'on-shelf',
    createdAt: '2026-11-01T08:00:00.000Z',
    updatedAt: '2026-11-01T08:00:00.000Z',
  },
})

export const catalogEvents = [productChanged] as const
