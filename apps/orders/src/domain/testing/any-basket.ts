import { chargeStep } from '@caravan/contracts/price'
import type { DeliveryMethod, Market, PricingContent, TaxZone } from '@caravan/contracts/pricing'
import type { Promotion } from '@caravan/contracts/promotions'
import fc from 'fast-check'
import type { Item } from '../item.ts'
import type { Basket } from '../quote.ts'

export interface Case {
  readonly basket: Basket
  readonly settings: PricingContent
  readonly promotions: readonly Promotion[]
}

/** Numbers that a seed and some words always give alike (mulberry32): what is shrunk away changes nothing of the rest. */
const numbers = (seed: number, ...words: readonly number[]) => {
  let state = words.reduce((hash, word) => Math.imul(hash ^ (word + 0x9e3779b9), 0x85ebca6b), seed | 0)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  const pick = <T>(some: readonly T[]): T => some[whole(0, some.length - 1)] as T
  const chance = (percent: number): boolean => next() * 100 < percent
  return { whole, pick, chance }
}
type Numbers = ReturnType<typeof numbers>

const idOf = (kind: number, n: number) => `0192f3a4-000${kind}-7000-8000-00000000000${n}`
const name = { en: 'Some' }
const [now, soon] = ['2026-12-24T12:00:00.000Z', '2026-12-24T12:00:00.001Z'] as const
const abouts = [
  { categories: ['tea', 'books'] },
  { sellers: [idOf(2, 1)] },
  { skus: ['SKU-1', 'SKU-2'], categories: ['tea'] },
  { products: [idOf(1, 1)] },
]
const window = { timeZone: 'Asia/Kolkata' } as const
const classes = ['standard', 'reduced', 'zero', 'books']
const destinations: readonly Basket['destination'][] = [
  { country: 'DE', postalCode: '10115' },
  { country: 'DE', postalCode: '27 498' },
  { country: 'CN', region: 'Xi’an' },
]
const categories = ['tea', 'tea-ware', 'books']

/** Mostly some coins, where rounding shows most; now and then as much as can be charged. */
const amount = ({ whole, chance }: Numbers, step: number): number =>
  step * (chance(70) ? whole(1, 60) : chance(85) ? whole(1, 20_000) : whole(1, 99_999_999 / step))

const item = (of: Numbers, n: number, step: number): Item => ({
  ...{ sku: `SKU-${n}`, productId: idOf(1, n), title: name, seller: idOf(2, of.whole(1, 2)) },
  ...{ category: of.pick(categories), taxClass: of.pick(classes), weightGrams: of.whole(0, 3000) },
  ...{ unitPrice: amount(of, step), quantity: of.chance(98) ? of.whole(1, 7) : of.whole(1, 1000) },
})

const effect = (of: Numbers, step: number): Promotion['effect'] => {
  const cap = of.chance(30) ? { cap: amount(of, step) } : {}
  switch (of.whole(0, 4)) {
    case 0:
      return {
        ...{ kind: 'percent', basisPoints: of.chance(10) ? 10_000 : of.whole(1, 9999) },
        ...{ of: of.pick(['lines', 'order'] as const), ...cap },
      }
    case 1:
      return { kind: 'amount', amount: amount(of, step), of: of.pick(['unit', 'order'] as const) }
    case 2:
      return { kind: 'fixed-price', unitPrice: amount(of, step) - (of.chance(20) ? 1 : 0) }
    case 3:
      return { kind: 'buy-x-get-y', buy: of.whole(1, 3), get: of.whole(1, 2) }
    default:
      return { kind: 'free-delivery', ...cap }
  }
}

const promotion = (of: Numbers, n: number, currency: string, step: number): Promotion => ({
  ...{ id: idOf(3, n), version: 1, name, trigger: of.chance(40) ? 'code' : 'automatic' },
  ...{ status: of.chance(95) ? 'active' : 'paused', window },
  ...(of.chance(10) ? { from: of.pick([now, soon]) } : {}),
  ...(of.chance(10) ? { until: of.pick([now, soon]) } : {}),
  currency: of.chance(97) ? currency : 'CNY',
  conditions: {
    ...(of.chance(20) ? { leastSpend: amount(of, step) } : {}),
    ...(of.chance(30) ? { items: of.pick(abouts) } : {}),
    ...(of.chance(5) ? { roles: ['friend'] } : {}),
    ...(of.chance(10) ? { firstOrder: true as const } : {}),
  },
  ...{ effect: effect(of, step), priority: of.whole(0, 2), limits: {} },
  combination: of.chance(88) ? 'stacked' : 'exclusive',
  ...{ createdAt: now, updatedAt: now },
})

const method = (of: Numbers, id: string, step: number): DeliveryMethod => ({
  ...{ id, name, taxClass: of.pick(classes), by: of.pick(['weight', 'items', 'total'] as const) },
  brackets: [
    { price: amount(of, step) },
    { upTo: of.chance(50) ? of.whole(1, 20) : of.whole(1, 6000), price: step * of.whole(0, 60) },
  ],
  ...(of.chance(20) ? { freeFrom: amount(of, step) } : {}),
  ...(of.chance(10) ? { mostGrams: of.whole(0, 30_000) } : {}),
  ...(of.chance(10) ? { exceptCategories: ['books'] } : {}),
  workingDays: { least: 1, most: 3 },
})

const taxZone = (of: Numbers, place: TaxZone['places'][number]): TaxZone => ({
  places: [place],
  rates: classes.slice(0, of.whole(1, 3)).map((taxClass) => ({
    ...{ taxClass, name: { en: of.pick(['VAT', 'GST']) } },
    ratePpm: taxClass === 'zero' ? 0 : of.pick([190_000, 70_000, 200_000, 255_000, 88_750, 81_000, 1]),
  })),
})

/**
 * Any order in a currency. How many lines, promotions and codes there are shrinks; what they are follows from the seed, since a
 * hundred thousand orders of arbitraries for each field would take minutes.
 */
export const anyCase = (currency: Market['currency']): fc.Arbitrary<Case> =>
  fc
    .record({
      seed: fc.nat(),
      lines: fc.integer({ min: 1, max: 4 }),
      offers: fc.nat({ max: 4 }),
      isDelivered: fc.boolean(),
    })
    .map(({ seed, lines, offers, isDelivered }): Case => {
      const step = chargeStep(currency)
      const of = numbers(seed, 0)
      const promotions = Array.from({ length: offers }, (_, n) =>
        promotion(numbers(seed, 2, n), n + 1, currency, step),
      )
      const destination = of.pick(destinations)
      const deliveryZone = {
        places: [{ country: 'DE' as const }, { country: 'CN' as const, regions: ['xi’an'] }],
        methods: [method(of, 'post', step), method(of, 'courier', step)],
      }
      return {
        basket: {
          ...{ currency, now, destination },
          items: Array.from({ length: lines }, (_, n) => item(numbers(seed, 1, n), n + 1, step)),
          customer: { roles: of.chance(50) ? ['shopper', 'friend'] : [], isNew: of.chance(50) },
          ...(isDelivered ? { deliveryMethod: of.pick(['post', 'courier']) } : {}),
          codes: promotions.flatMap(({ id, trigger }) =>
            trigger === 'code' && of.chance(80) ? [{ code: `CODE${id}`, promotionId: id }] : [],
          ),
        },
        settings: {
          markets: [
            {
              ...{ currency, prices: of.pick(['gross', 'net'] as const), deliveryZones: [deliveryZone] },
              rounding: of.pick(['line', 'order'] as const),
            },
          ],
          taxZones: [taxZone(of, { country: 'DE', postalCodes: ['274*'] }), taxZone(of, { country: 'DE' })],
        },
        promotions,
      }
    })
