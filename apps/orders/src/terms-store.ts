import type { PricingContent } from '@caravan/contracts/pricing'
import type { Promotion } from '@caravan/contracts/promotions'
import type { Database, Transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'

/** What an order costs beyond the prices of its goods. */
export interface Terms {
  readonly settings: PricingContent
  /** Those in force, now or later. */
  readonly promotions: readonly Promotion[]
}

/** To be called in the transaction of each change of the terms: what is in memory under the mark before is read anew. */
export const renewMark = async (tx: Transaction): Promise<void> => {
  await tx('terms').where({ id: 1 }).update({ mark: newId() })
}

/** Reads the terms as they are, or as they were a moment later than asked. */
export const createReadTerms = (db: Database) => async (): Promise<Terms> => {
  const { content } = await db('pricing').where({ id: 1 }).first('content')
  const rows: { content: string }[] = await db('promotions')
    .where({ status: 'active' })
    .andWhere('ends_at', '>', db.raw('NOW(3)'))
    .select('content')
  return {
    settings: JSON.parse(content),
    promotions: rows.map((row) => JSON.parse(row.content)),
  }
}
