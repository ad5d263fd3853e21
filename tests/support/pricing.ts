import type { PricingContent } from '@caravan/contracts/pricing'
import type { Shop } from './shop.ts'

/** Replaces the shop's settings; as a shop begins without any. */
export const setPricing = async (
  shop: Shop,
  markets: PricingContent['markets'] = [],
  taxZones: PricingContent['taxZones'] = [],
): Promise<void> => {
  const answer = await shop.persistently(async () =>
    shop.door('PUT', '/v1/pricing', { token: await shop.asOperator(), body: { markets, taxZones } }),
  )
  if (answer.status !== 200) throw new Error(answer.text)
}
