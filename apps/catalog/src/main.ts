import { catalogOperations } from '@caravan/contracts/catalog'
import { every } from '@caravan/service-kit/background'
import { runService } from '@caravan/service-kit/run-service'
import { createCategoryStore } from './category-store.ts'
import { config } from './config.ts'
import { createPictures } from './pictures.ts'
import { createProductLists } from './product-list-store.ts'
import { createProductSearch } from './product-search-store.ts'
import { createProductStore } from './product-store.ts'
import { catalogRoutes } from './routes.ts'
import { createSearchDocuments } from './search-document-store.ts'
import { createSellerStore } from './seller-store.ts'

await runService({
  name: 'catalog',
  config,
  operations: catalogOperations,
  migrations: new URL('../migrations/', import.meta.url),
  build: async ({ db, outbox, log }) => {
    const documents = createSearchDocuments(db)
    const pictures = await createPictures(new URL('../pictures/', import.meta.url))
    return {
      routes: catalogRoutes({
        products: createProductStore(db, outbox, documents),
        lists: createProductLists(db),
        search: createProductSearch(db, documents),
        categories: createCategoryStore(db),
        sellers: createSellerStore(db),
        pictures: pictures.names,
      }),
      files: pictures.serve,
      background: [
        every(15_000, 'index-products', log, documents.catchUp),
        every(60_000, 'trim-search', log, documents.trim),
      ],
    }
  },
})
