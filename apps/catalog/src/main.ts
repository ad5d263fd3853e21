import { catalogOperations } from '@caravan/contracts/catalog'
import { runService } from '@caravan/service-kit/run-service'
import { createCategoryStore } from './category-store.ts'
import { config } from './config.ts'
import { createPictures } from './pictures.ts'
import { createProductLists } from './product-list-store.ts'
import { createProductStore } from './product-store.ts'
import { catalogRoutes } from './routes.ts'
import { createSellerStore } from './seller-store.ts'

await runService({
  name: 'catalog',
  config,
  operations: catalogOperations,
  migrations: new URL('../migrations/', import.meta.url),
  build: async ({ db, outbox }) => {
    const pictures = await createPictures(new URL('../pictures/', import.meta.url))
    return {
      routes: catalogRoutes({
        products: createProductStore(db, outbox),
        lists: createProductLists(db),
        categories: createCategoryStore(db),
        sellers: createSellerStore(db),
        pictures: pictures.names,
      }),
      files: pictures.serve,
    }
  },
})
