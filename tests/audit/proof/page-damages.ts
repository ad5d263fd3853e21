import { offers, pages, versions } from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofCatalogPages = ({ product, hiddenProduct, skuA }: Story, { sql }: Spoil): Case[] => [
  [
    'a product that changed in catalog alone',
    sql(
      `UPDATE catalog.products SET content = JSON_SET(content, '$.description.en', 'x') WHERE id = '${product}'`,
    ),
    [pages],
  ],
  [
    'a product that left the shelf in catalog alone',
    sql(`UPDATE catalog.products SET status = 'off-shelf' WHERE id = '${product}'`),
    [offers, pages],
  ],
  [
    'a product that catalog shows and nobody else',
    sql(`UPDATE catalog.products SET status = 'on-shelf' WHERE id = '${hiddenProduct}'`),
    [offers, pages],
  ],
  [
    'an older version in orders',
    sql(`UPDATE orders.offered_products SET version = version - 1 WHERE product_id = '${product}'`),
    [versions],
  ],
  [
    'a product that only orders knows',
    sql(`INSERT INTO orders.offered_products (product_id, version) VALUES ('${nobody}', 1)`),
    [versions],
  ],
  [
    'an older price in orders',
    sql(`UPDATE orders.offers SET unit_price = unit_price - 1 WHERE sku = '${skuA}'`),
    [offers],
  ],
  [
    'an offer in another tax class',
    sql(`UPDATE orders.offers SET tax_class = 'reduced' WHERE sku = '${skuA}'`),
    [offers],
  ],
]
