import { chargeStep } from '@caravan/contracts/price'
import type { Market, PricingContent } from '@caravan/contracts/pricing'
import type { Promotion } from '@caravan/contracts/promotions'
import type { DeliveryOffer, Idle, Quote, QuotedDelivery, QuoteLine } from '@caravan/contracts/quotes'
import { AppError } from '@caravan/service-kit/errors'
import { type Code, choose, type Situation } from './choice.ts'
import { carrying } from './delivery.ts'
import type { Item } from './item.ts'
import { type Destination, zoneOf } from './place.ts'
import { sumOf } from './proportion.ts'
import { amountOf, type ReducedDelivery, reduceDelivery, reduceGoods, type Share } from './reductions.ts'
import { byRate, type Paid, rateOf, type Taxed, withTaxes } from './taxes.ts'

export interface Basket extends Situation {
  readonly destination: Destination
  readonly deliveryMethod?: string | undefined
  readonly codes: readonly Code[]
}

export interface Quoted {
  readonly quote: Quote
  /** Of which one has to be chosen; absent where nothing is to be chosen. */
  readonly deliveryMethods?: DeliveryOffer[]
  /** Why a code does nothing. */
  readonly idle: ReadonlyMap<string, Idle>
}

type Terms = Pick<Market, 'prices' | 'rounding' | 'deliveryZones'>

/** Without any market, as a shop begins: what is paid are the prices. */
const plain: Terms = { prices: 'gross', rounding: 'line', deliveryZones: [] }

/** Throws 422 where nothing is sold in this currency. */
const termsOf = (markets: readonly Market[], currency: string, { country }: Destination): Terms => {
  if (markets.length === 0) return plain
  const market = markets.find(
    (each) =>
      each.currency === currency && (!each.countries || each.countries.some((one) => one === country)),
  )
  if (market) return market
  throw new AppError('invalid', 'orders/not-sold-there', `Nothing is sold to ${country} in ${currency}`)
}

/** Lines, then the delivery, if there is any. */
type Parts = readonly (Paid & Taxed & { readonly taxClass: string })[]

const paidFor = ({ net, tax, gross, taxClass, taxRate }: Parts[number]) => ({
  ...{ net, tax, gross, taxClass },
  ...(taxRate ? { taxRate } : {}),
})

const lineOf = (
  { weightGrams: _, ...item }: Item,
  subtotal: number,
  lineDiscounts: readonly Share[],
  orderDiscounts: readonly Share[],
  part: Parts[number],
): QuoteLine => ({
  ...{ ...item, subtotal, lineDiscounts: [...lineDiscounts], orderDiscounts: [...orderDiscounts] },
  ...paidFor(part),
})

const deliveryOf = ({ method, price, shares }: ReducedDelivery, part: Parts[number]): QuotedDelivery => {
  const { id, name, workingDays } = method
  return { method: id, name, price, discounts: [...shares], workingDays, ...paidFor(part) }
}

const offerOf = ({ method: { id, name, workingDays }, price, shares }: ReducedDelivery): DeliveryOffer => ({
  ...{ id, name, workingDays, price, discount: amountOf(shares) },
})

/**
 * What a basket costs: lines, what is taken off each, what is taken off all and shared out, delivery, taxes, total. No clock and
 * nothing from outside: the same basket, settings and promotions always cost the same. A delivery method that does not carry these
 * goods there counts as none.
 */
export const quote = (
  basket: Basket,
  { markets, taxZones }: PricingContent,
  promotions: readonly Promotion[],
): Quoted => {
  const { items, currency, destination, codes, deliveryMethod } = basket
  const terms = termsOf(markets, currency, destination)
  const step = chargeStep(currency)
  const { chosen, idle } = choose(promotions, codes, basket)
  const goods = reduceGoods(items, chosen, step)

  const methods = zoneOf(terms.deliveryZones, destination)?.methods ?? []
  const carried = carrying(methods, items, sumOf(goods.left)).map((priced) =>
    reduceDelivery(priced, chosen, step),
  )
  const delivered = carried.find(({ method }) => method.id === deliveryMethod)

  const taxZone = zoneOf(taxZones, destination)
  const priced = [
    ...items.map(({ taxClass }, index) => ({ taxClass, price: goods.left[index] as number })),
    ...(delivered ? [{ taxClass: delivered.method.taxClass, price: delivered.left }] : []),
  ].map((part) => ({ ...part, taxRate: rateOf(taxZone, part.taxClass) }))
  const taxed = withTaxes(priced, terms, step)
  const parts: Parts = priced.map((part, index) => ({ ...part, ...(taxed[index] as Paid) }))

  const shares = [...goods.lineShares, ...goods.orderShares, delivered?.shares ?? []].flat()
  const discounts = chosen.flatMap(({ promotion: { id, version, name }, code }) => {
    const amount = amountOf(shares.filter(({ promotionId }) => promotionId === id))
    if (amount > 0) return [{ promotionId: id, version, name, amount, ...(code ? { code } : {}) }]
    if (code) idle.set(code, 'nothing-left')
    return []
  })
  const [net, tax] = [sumOf(parts.map((part) => part.net)), sumOf(parts.map((part) => part.tax))]
  return {
    quote: {
      ...{ currency, prices: terms.prices },
      lines: items.map((item, index) =>
        lineOf(
          item,
          goods.subtotals[index] as number,
          goods.lineShares[index] as readonly Share[],
          goods.orderShares[index] as readonly Share[],
          parts[index] as Parts[number],
        ),
      ),
      discounts,
      ...(delivered ? { delivery: deliveryOf(delivered, parts.at(-1) as Parts[number]) } : {}),
      taxes: byRate(parts),
      subtotal: sumOf(goods.subtotals),
      discount: amountOf(shares),
      ...{ net, tax, total: net + tax },
    },
    ...(terms.deliveryZones.length > 0 ? { deliveryMethods: carried.map(offerOf) } : {}),
    idle,
  }
}
