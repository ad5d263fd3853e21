import type { Promotion } from '@caravan/contracts/promotions'
import type { Terms } from './terms-store.ts'

export interface IndexedTerms extends Pick<Terms, 'settings'> {
  /** By currency. */
  readonly automatic: ReadonlyMap<string, readonly Promotion[]>
  readonly byId: ReadonlyMap<string, Promotion>
}

/**
 * The terms under a mark, from memory if they are there. Each request reads the mark with the prices, so a change counts for all
 * requests after it, on every replica, and is read and parsed once.
 */
export const createTerms = (read: () => Promise<Terms>) => {
  let kept: { readonly mark: string; readonly terms: Promise<IndexedTerms> } | undefined

  const index = async (): Promise<IndexedTerms> => {
    const { settings, promotions } = await read()
    const automatic = promotions.filter(({ trigger }) => trigger === 'automatic')
    return {
      settings,
      automatic: Map.groupBy(automatic, ({ currency }) => currency),
      byId: new Map(promotions.map((promotion) => [promotion.id, promotion])),
    }
  }

  return (mark: string): Promise<IndexedTerms> => {
    if (kept?.mark !== mark) {
      const fresh = { mark, terms: index() }
      kept = fresh
      fresh.terms.catch(() => {
        if (kept === fresh) kept = undefined
      })
    }
    return kept.terms
  }
}

export type TermsAt = ReturnType<typeof createTerms>
