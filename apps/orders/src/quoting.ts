import type { OfferedQuote } from '@caravan/contracts/quotes'
import type { Code } from './domain/choice.ts'
import { goodsOf, type Offer, type Wanted } from './domain/goods.ts'
import type { Destination } from './domain/place.ts'
import { type Quoted, quote } from './domain/quote.ts'
import type { FindCodes } from './find-codes.ts'
import type { OfferStore } from './offer-store.ts'
import type { Orders } from './orders.ts'
import type { IndexedTerms, TermsAt } from './terms.ts'

export interface QuoteRequest {
  readonly items: readonly Wanted[]
  readonly destination: Destination
  readonly deliveryMethod?: string | undefined
  readonly codes?: readonly string[] | undefined
  readonly without?: readonly string[] | undefined
}

export interface Shopper {
  /** Absent for somebody unknown. */
  readonly accountId?: string
  readonly roles: readonly string[]
  /** Whose guesses of codes are counted together. */
  readonly customer: string
}

/** What something else about the same request would have been. */
export interface Otherwise {
  readonly without?: readonly string[]
  readonly isNew?: boolean
}

export interface Quotation extends Quoted {
  readonly offers: ReadonlyMap<string, Offer>
  readonly terms: IndexedTerms
  readonly otherwise: (change: Otherwise) => Quoted
}

export const presentQuote = ({ quote, deliveryMethods, idle }: Quoted): OfferedQuote => ({
  ...quote,
  ...(deliveryMethods ? { deliveryMethods: [...deliveryMethods] } : {}),
  idleCodes: [...idle].map(([code, why]) => ({ code, why })),
})

interface Parts {
  readonly orders: Pick<Orders, 'standingOf'>
  readonly offers: Pick<OfferStore, 'find'>
  readonly termsAt: TermsAt
  readonly findCodes: FindCodes
}

/**
 * Brings together what a quote is made of: prices, terms, codes, and whether it would be the account's first order, as far as that
 * matters. One statement, and a call where a code is new here. Throws 422 and 429 as `goodsOf`, `quote` and `findCodes` do.
 */
export const createQuoting =
  ({ orders, offers: { find }, termsAt, findCodes }: Parts) =>
  async (request: QuoteRequest, { accountId, roles, customer }: Shopper): Promise<Quotation> => {
    const { destination, deliveryMethod, without = [] } = request
    const { offers, mark } = await find(request.items.map(({ sku }) => sku))
    const goods = goodsOf(request.items, offers)
    const codes: Code[] = request.codes?.length ? await findCodes(customer, request.codes) : []
    const terms = await termsAt(mark)
    const candidates = [
      ...(terms.automatic.get(goods.currency) ?? []),
      ...new Set(codes.flatMap(({ promotionId }) => terms.byId.get(promotionId ?? '') ?? [])),
    ]
    const isAsked = candidates.some(({ conditions }) => conditions.firstOrder)
    const isNew = isAsked && accountId !== undefined && !(await orders.standingOf(accountId)).hasOrdered
    const now = new Date().toISOString()
    const otherwise = (change: Otherwise): Quoted => {
      const refused = new Set([...without, ...(change.without ?? [])])
      return quote(
        {
          ...{ ...goods, destination, deliveryMethod, codes, now },
          customer: { roles, isNew: change.isNew ?? isNew },
        },
        terms.settings,
        candidates.filter(({ id }) => !refused.has(id)),
      )
    }
    return { ...otherwise({}), offers, terms, otherwise }
  }

export type Quoting = ReturnType<typeof createQuoting>
