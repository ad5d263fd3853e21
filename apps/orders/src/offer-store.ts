import type { Product } from '@caravan/contracts/catalog'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import type { Offer } from './domain/goods.ts'

const offered = 'sku product_id title unit_price currency seller category tax_class weight_grams'.split(' ')

/** Orders' own copy of what is on the shelf at what price, so that placing an order asks nobody for a price. */
export const createOfferStore = (db: Database) => {
  const write = async (tx: Transaction, product: Product): Promise<void> => {
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
          seller: product.seller,
          category: product.category,
          tax_class: product.taxClass ?? 'standard',
          weight_grams: variant.weightGrams,
          changed_at: new Date(product.updatedAt),
        })),
      )
      .onConflict(['sku', 'product_id'])
      .merge()
  }

  /** Takes over a product's state unless it has the same or a newer version: events may come in any order. */
  const replace = async (tx: Transaction, product: Product): Promise<void> => {
    await tx.raw('INSERT IGNORE INTO offered_products (product_id, version) VALUES (?, 0)', [product.id])
    const [newer] = await tx.raw(
      'UPDATE offered_products SET version = ? WHERE product_id = ? AND version < ?',
      [product.version, product.id, product.version],
    )
    if (newer.affectedRows > 0) await write(tx, product)
  }

  /** Writes a product's offers anew, unless it has another version by now. */
  const repair = async (tx: Transaction, product: Product): Promise<void> => {
    const known = await tx('offered_products')
      .where({ product_id: product.id, version: product.version })
      .forUpdate()
      .first('version')
    if (known) await write(tx, product)
  }

  /**
   * What is offered of some SKUs, and the mark of the terms at that moment. Of a SKU that moved from a product to another, and whose
   * event of one of them is still to come, the newer offer.
   */
  const find = async (skus: readonly string[]): Promise<{ offers: Map<string, Offer>; mark: string }> => {
    const rows = await db('offers')
      .whereIn('sku', [...skus])
      .orderBy('changed_at')
      .select(...offered, db.raw('(SELECT mark FROM terms WHERE id = 1) AS mark'))
    const offers = new Map<string, Offer>(
      rows.map((row) => [
        row.sku,
        {
          sku: row.sku,
          productId: row.product_id,
          title: JSON.parse(row.title),
          unitPrice: row.unit_price,
          currency: row.currency,
          ...(row.seller ? { seller: row.seller, category: row.category } : {}),
          taxClass: row.tax_class,
          weightGrams: row.weight_grams,
        },
      ]),
    )
    return { offers, mark: rows[0]?.mark ?? '' }
  }

  /**
   * Takes over those products of which an older version or none is here, and those whose SKUs are not the ones offered by the
   * same version, or are offered by nobody: a version of orders before this one could lose an offer when its SKU moved, and wrote no
   * seller. Gives the number of both.
   */
  const catchUp = async (products: readonly Product[]): Promise<number> => {
    const ids = products.map(({ id }) => id)
    const rows: { product_id: string; version: number }[] = await db('offered_products').whereIn(
      'product_id',
      ids,
    )
    const offered: { product_id: string; sku: string; seller: string | null }[] = await db('offers')
      .whereIn('product_id', ids)
      .select('product_id', 'sku', 'seller')
    const known = new Map(rows.map((row) => [row.product_id, row.version]))
    const held = Map.groupBy(offered, (row) => row.product_id)
    const late = products.filter(({ id, version }) => version > (known.get(id) ?? 0))
    const lost = products.filter((product) => {
      const skus = product.status === 'on-shelf' ? product.variants.map(({ sku }) => sku) : []
      const have = held.get(product.id)?.map(({ sku, seller }) => (seller ? sku : '')) ?? []
      return product.version === known.get(product.id) && `${skus.toSorted()}` !== `${have.toSorted()}`
    })
    for (const product of late) await transaction(db, (tx) => replace(tx, product))
    for (const product of lost) await transaction(db, (tx) => repair(tx, product))
    return late.length + lost.length
  }

  /** Up to when catalog's changes were read, by its clock; null at the beginning, and while offers are incomplete. */
  const feed = {
    read: async (): Promise<Date | null> => {
      if (await db('offers').whereNull('seller').first('sku')) return null
      return (await db('catalog_feed').where({ id: 1 }).first()).read_until
    },
    write: async (until: Date): Promise<void> => {
      await db('catalog_feed').where({ id: 1 }).update({ read_until: until })
    },
  }

  return { replace, find, catchUp, feed }
}

export type OfferStore = ReturnType<typeof createOfferStore>
