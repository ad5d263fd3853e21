import type { Promotion } from '@caravan/contracts/promotions'
import type { Idle } from '@caravan/contracts/quotes'
import { cut } from './discounts.ts'
import type { Item } from './item.ts'
import { sumOf } from './proportion.ts'

/** A code as the shopper wrote it, and the promotion that it belongs to; none where it is no code that counts now. */
export interface Code {
  readonly code: string
  readonly promotionId?: string | undefined
}

export interface Customer {
  readonly roles: readonly string[]
  /** Whether there is no order of theirs yet; of somebody unknown that is not known. */
  readonly isNew: boolean
}

export interface Situation {
  readonly items: readonly Item[]
  readonly currency: string
  readonly customer: Customer
  /** In UTC with milliseconds, as a promotion's own window. */
  readonly now: string
}

export interface Chosen {
  readonly promotion: Promotion
  readonly code?: string
  /** By line, whether the promotion is about it. */
  readonly about: readonly boolean[]
}

const aboutOf = ({ conditions: { items: of } }: Promotion, items: readonly Item[]): boolean[] =>
  items.map(
    ({ sku, productId, category, seller }) =>
      (of?.skus?.includes(sku) ?? true) &&
      (of?.products?.includes(productId) ?? true) &&
      (of?.categories?.includes(category ?? '') ?? true) &&
      (of?.sellers?.includes(seller ?? '') ?? true),
  )

/** Why a promotion does not count here, by what is bought, by whom and when: none of it depends on another promotion. */
const obstacle = (
  promotion: Promotion,
  about: readonly boolean[],
  { items, currency, customer, now }: Situation,
): Idle | undefined => {
  const { conditions, effect, from, until, status } = promotion
  if (status !== 'active') return 'not-found'
  if ((from && now < from) || (until && now >= until)) return 'not-now'
  if (promotion.currency !== currency) return 'other-currency'
  if (!about.includes(true)) return 'other-goods'
  const prices = items.map(({ unitPrice, quantity }) => unitPrice * quantity)
  if (sumOf(prices.filter((_, index) => about[index])) < (conditions.leastSpend ?? 0)) return 'too-little'
  if (conditions.roles && !conditions.roles.some((role) => customer.roles.includes(role)))
    return 'other-customers'
  if (conditions.firstOrder && !customer.isNew) return 'other-customers'
  const isOfGoods = effect.kind !== 'free-delivery'
  if (isOfGoods && sumOf(cut(effect, items, prices, about, 1)) === 0) return 'too-little'
  return undefined
}

/** The higher priority first, then the older: an id begins with its time. */
const inTurn = ({ promotion: a }: Chosen, { promotion: b }: Chosen): number =>
  b.priority - a.priority || (a.id < b.id ? -1 : 1)

/**
 * The promotions that an order has, in their turn, and the codes that bring none. If the first is exclusive, it is the only one; else
 * it is all that are not. One that needs a code is there for those alone who give it; `promotions` are all that may concern the order.
 */
export const choose = (
  promotions: readonly Promotion[],
  codes: readonly Code[],
  situation: Situation,
): { chosen: Chosen[]; idle: Map<string, Idle> } => {
  const idle = new Map<string, Idle>()
  const codeOf = new Map(codes.toReversed().map(({ code, promotionId }) => [promotionId, code]))
  const fitting: Chosen[] = []
  for (const promotion of promotions) {
    const code = promotion.trigger === 'code' ? codeOf.get(promotion.id) : undefined
    if (promotion.trigger === 'code' && code === undefined) continue
    const about = aboutOf(promotion, situation.items)
    const why = obstacle(promotion, about, situation)
    if (why === undefined) fitting.push({ promotion, about, ...(code === undefined ? {} : { code }) })
    else if (code !== undefined) idle.set(code, why)
  }
  const [first, ...others] = fitting.sort(inTurn)
  if (first === undefined) return { chosen: [], idle: withLost(idle, codes, []) }
  const isAlone = first.promotion.combination === 'exclusive'
  const chosen = [first, ...others.filter(({ promotion }) => !isAlone && promotion.combination === 'stacked')]
  for (const { code } of others.filter((each) => !chosen.includes(each)))
    if (code !== undefined) idle.set(code, 'not-combinable')
  return { chosen, idle: withLost(idle, codes, chosen) }
}

/** Codes of no promotion that there is, and a second code of one that another brought. */
const withLost = (
  idle: Map<string, Idle>,
  codes: readonly Code[],
  chosen: readonly Chosen[],
): Map<string, Idle> => {
  const told = new Set([...idle.keys(), ...chosen.map(({ code }) => code)])
  for (const { code, promotionId } of codes) {
    if (told.has(code)) continue
    const isSecond = promotionId !== undefined && chosen.some(({ promotion }) => promotion.id === promotionId)
    idle.set(code, isSecond ? 'not-combinable' : 'not-found')
  }
  return idle
}
