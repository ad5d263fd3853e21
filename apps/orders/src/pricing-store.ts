import { pricingContent } from '@caravan/contracts/pricing'
import type { Database } from '@caravan/service-kit/database'
import { createSettingsStore } from './settings-store.ts'
import { renewMark } from './terms-store.ts'

/** The one document of markets, taxes and delivery. */
export const createPricingStore = (db: Database) =>
  createSettingsStore(db, 'pricing', pricingContent, renewMark)

export type PricingStore = ReturnType<typeof createPricingStore>
