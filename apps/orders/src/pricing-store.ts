import { isDeepStrictEqual } from 'node:util'
import { type Pricing, type PricingContent, pricingContent } from '@caravan/contracts/pricing'
import { type Database, transaction } from '@caravan/service-kit/database'
import type { Precondition } from '@caravan/service-kit/precondition'
import { renewMark } from './terms-store.ts'

interface Row {
  version: number
  content: string
  updated_at: Date | null
}

const present = ({ version, content, updated_at }: Row): Pricing => ({
  ...(JSON.parse(content) as PricingContent),
  version,
  ...(updated_at ? { updatedAt: updated_at.toISOString() } : {}),
})

/** The one document of markets, taxes and delivery. */
export const createPricingStore = (db: Database) => {
  const get = async (): Promise<Pricing> => present(await db('pricing').where({ id: 1 }).first())

  /** Replaces it. The same content again changes nothing. Throws 412. */
  const put = (content: PricingContent, precondition: Precondition): Promise<Pricing> =>
    transaction(db, async (tx) => {
      const row: Row = await tx('pricing').where({ id: 1 }).forUpdate().first()
      const current = present(row)
      precondition(current)
      if (isDeepStrictEqual(pricingContent.strip().parse(current), content)) return current
      const next: Row = {
        version: row.version + 1,
        content: JSON.stringify(content),
        updated_at: new Date(),
      }
      await tx('pricing').where({ id: 1 }).update(next)
      await renewMark(tx)
      return present(next)
    })

  return { get, put }
}

export type PricingStore = ReturnType<typeof createPricingStore>
