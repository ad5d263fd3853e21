import type { Product } from '@caravan/contracts/catalog'
import type { OrderLine } from '@caravan/contracts/orders'
import type { Database, Transaction } from '@caravan/service-kit/database'

export interface Offer {
  readonly sku: string
  readonly productId: string
  readonly title: OrderLine['title']
  /** Minor units. */
  readonly unitPrice: number
  readonly currency: string
}

/** Orders' own copy of what is on the shelf at what price, so that placing an order asks nobody for a price. */
export const createOfferStore = (db: Database) => {
  /** Takes over a product's state unless it has the same or a newer version: events may come in any order. */
  const replace = async (tx: Transaction, product: Product): Promise<void> => {
    await tx.raw('INSERT IGNORE INTO offered_products (product_id, version) VALUES (?, 0)', [product.id])
    const [newer] = await tx.raw(
      'UPDATE offered_products SET version = ? WHERE product_id = ? AND version < ?',
      [product.version, product.id, product.version],
    )
    if (newer.affectedRows === 0) return
    await tx('offers').where({ product_id: product.id }).delete()
    if (product.status !== 'on-shelf') return
    await tx('offers')
      .insert(
        product.variants.map((variant) => ({
          sku: variant.sku,
          product_id: product.id,
          title: JSON.stringify(product.title),
          unit_price: variant.price.amount,
          currency: variant.price.currency,
        })),
      )
      // A SKU that moved from one product to another.
      .onConflict('sku')
      .merge()
  }

  const find = async (skus: readonly string[]): Promise<Map<string, Offer>> => {
    const rows = await db('offers').whereIn('sku', [...skus])
    return new Map(
      rows.map((row) => [
        row.sku,
        {
          sku: row.sku,
          productId: row.product_id,
          title: JSON.parse(row.title),
          unitPrice: row.unit_price,
          currency: row.currency,
        },
      ]),
    )
  }

  return { replace, find }
}

export type OfferStore = ReturnType<typeof createOfferStore>
