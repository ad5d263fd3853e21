import type { Product, ProductSummary } from '@caravan/contracts/catalog'
import { AppError } from '@caravan/service-kit/errors'
import { toTerms } from './terms.ts'

/** What an editor writes; the rest of a product is the catalog's own. */
export type ProductContent = Omit<Product, 'id' | 'version' | 'createdAt' | 'updatedAt'>

/** Throws 422 when two variants have the same SKU. */
export const skusOf = ({ variants }: ProductContent): string[] => {
  const skus = variants.map((variant) => variant.sku)
  const repeated = skus.findIndex((sku, at) => skus.indexOf(sku) !== at)
  if (repeated >= 0) {
    throw new AppError('invalid', 'catalog/invalid-request', 'Each variant has a SKU of its own', {
      errors: [{ pointer: `/variants/${repeated}/sku`, detail: 'given twice' }],
    })
  }
  return skus
}

/** Throws 422 for pictures that are not among these files. */
export const demandPictures = ({ pictures }: ProductContent, files: ReadonlySet<string>): void => {
  const errors = pictures.flatMap(({ file }, at) =>
    files.has(file) ? [] : [{ pointer: `/pictures/${at}/file`, detail: 'there is no such picture' }],
  )
  if (errors.length > 0)
    throw new AppError('invalid', 'catalog/unknown-picture', 'Some pictures are not there', { errors })
}

/** What lists show. The price is the lowest in the first variant's currency. */
export const summarise = (id: string, content: ProductContent): ProductSummary => {
  const { title, category, seller, pictures, variants } = content
  const prices = variants.map(({ price }) => price)
  const priceFrom = prices
    .filter(({ currency }) => currency === prices[0]?.currency)
    .reduce((low, price) => (price.amount < low.amount ? price : low))
  const [picture] = pictures
  return {
    id,
    title,
    category,
    seller,
    ...(picture ? { picture } : {}),
    priceFrom,
    variants: variants.length,
  }
}

/** In whatever languages. */
const wordsOf = (texts: readonly object[]): string => texts.flatMap((text) => Object.values(text)).join(' ')

/** What search looks through, whether the product is on the shelf or not: its title, and all of it. */
export const searchTerms = (content: ProductContent): { title: string[]; all: string[] } => {
  const { title, description, variants, tags, category } = content
  const names = variants.map(({ name }) => name)
  const skus = variants.map(({ sku }) => sku)
  return {
    title: toTerms(wordsOf([title])),
    all: toTerms([wordsOf([title, description, ...names]), category, ...tags, ...skus].join(' ')),
  }
}
