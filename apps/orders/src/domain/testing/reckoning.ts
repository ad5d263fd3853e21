import type { Promotion } from '@caravan/contracts/promotions'
import type { Quote } from '@caravan/contracts/quotes'
import type { Case } from './any-basket.ts'

// What an order costs, reckoned by fractions and one thing after another: slow, plain, and with nothing of the module in it.

/** Numerator and denominator. */
type Fraction = readonly [bigint, bigint]
const fraction = (n: number | bigint, d: number | bigint = 1): Fraction => [BigInt(n), BigInt(d)]
const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]
const minus = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d - c * b, b * d]
const isAbove = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d > c * b
const floor = ([n, d]: Fraction): bigint => n / d
/** In steps: half a step and more is a whole one. */
const nearest = ([n, d]: Fraction, step: number): number =>
  Number(floor([2n * n + d * BigInt(step), 2n * d * BigInt(step)])) * step

/** Everybody gets whole steps below the exact share; then, one by one, a step goes to whoever lacks most, the first of equals. */
const divide = (sum: number, weights: readonly number[], step: number): number[] => {
  const whole = weights.reduce((a, b) => a + b, 0)
  if (whole === 0) return weights.map(() => 0)
  const exact = weights.map((weight) => times(fraction(sum), fraction(weight, whole)))
  const given = exact.map((share) => Number(floor(times(share, fraction(1, step)))) * step)
  for (let rest = sum - given.reduce((a, b) => a + b, 0); rest > 0; rest -= step) {
    let neediest = 0
    const lack = (index: number) => minus(exact[index] as Fraction, fraction(given[index] as number))
    for (let index = 1; index < given.length; index += 1)
      if (isAbove(lack(index), lack(neediest))) neediest = index
    given[neediest] = (given[neediest] as number) + step
  }
  return given
}

interface Goods {
  readonly sku: string
  readonly unit: number
  readonly count: number
  readonly isAbout: boolean
  readonly left: number
}

const lower = (amount: number, step: number) => Math.floor(amount / step) * step

/** Each unit of the goods by itself, the dearest first. */
const giveAway = (goods: readonly Goods[], buy: number, get: number): Map<string, number> => {
  const units = goods
    .filter(({ isAbout, left }) => isAbout && left > 0)
    .flatMap(({ sku, unit, count }) => Array.from({ length: count }, () => ({ sku, unit })))
    .sort((a, b) => b.unit - a.unit)
  const free = new Map<string, number>()
  for (let first = 0; first + buy + get <= units.length; first += buy + get)
    for (const { sku } of units.slice(first + buy, first + buy + get)) free.set(sku, (free.get(sku) ?? 0) + 1)
  return free
}

const taken = (effect: Promotion['effect'], goods: readonly Goods[], step: number): number[] => {
  const lefts = goods.map(({ isAbout, left }) => (isAbout ? left : 0))
  const all = lefts.reduce((a, b) => a + b, 0)
  const one = (of: (goods: Goods) => number) =>
    goods.map((each, n) => Math.max(Math.min(of(each), lefts[n] as number), 0))
  if (effect.kind === 'percent') {
    const rate = fraction(effect.basisPoints, 10_000)
    const most = effect.cap === undefined ? all : lower(effect.cap, step)
    const wholes =
      effect.of === 'order'
        ? divide(nearest(times(fraction(all), rate), step), lefts, step)
        : one(({ left }) => nearest(times(fraction(left), rate), step))
    const sum = wholes.reduce((a, b) => a + b, 0)
    if (sum <= most) return wholes
    return divide(most, effect.of === 'order' ? lefts : wholes, step)
  }
  if (effect.kind === 'amount')
    return effect.of === 'order'
      ? divide(Math.min(all, lower(effect.amount, step)), lefts, step)
      : one(({ count }) => count * lower(effect.amount, step))
  if (effect.kind === 'fixed-price')
    return one(({ left, count }) => left - count * Math.ceil(effect.unitPrice / step) * step)
  if (effect.kind === 'buy-x-get-y') {
    const free = giveAway(goods, effect.buy, effect.get)
    return one(({ sku, left, count }) =>
      nearest(times(fraction(left), fraction(free.get(sku) ?? 0, count)), step),
    )
  }
  return goods.map(() => 0)
}

/** The promotions that count, in their turn. */
const counting = ({ basket, promotions }: Case): Promotion[] => {
  const { items, codes, customer } = basket
  const now = Date.parse(basket.now)
  const counts = (each: Promotion): boolean => {
    const { conditions: when } = each
    const about = items.filter((item) => isAbout(each, item))
    const worth = about.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0)
    const goods = about.map((item) => ({
      ...{ sku: item.sku, unit: item.unitPrice, count: item.quantity, isAbout: true },
      left: item.unitPrice * item.quantity,
    }))
    return (
      each.status === 'active' &&
      each.currency === basket.currency &&
      (each.trigger === 'automatic' || codes.some(({ promotionId }) => promotionId === each.id)) &&
      Date.parse(each.from ?? '2000-01-01') <= now &&
      now < Date.parse(each.until ?? '2100-01-01') &&
      about.length > 0 &&
      worth >= (when.leastSpend ?? 0) &&
      (!when.roles || when.roles.some((role) => customer.roles.includes(role))) &&
      (!when.firstOrder || customer.isNew) &&
      (each.effect.kind === 'free-delivery' || taken(each.effect, goods, 1).some((amount) => amount > 0))
    )
  }
  const turn = ({ priority, id }: Promotion) => `${9 - priority} ${id}`
  const some = promotions.filter(counts).sort((a, b) => (turn(a) < turn(b) ? -1 : 1))
  const [first] = some
  return first?.combination === 'exclusive' ? [first] : some.filter((each) => each.combination === 'stacked')
}

const isAbout = ({ conditions }: Promotion, item: Case['basket']['items'][number]): boolean => {
  const { skus, products, categories, sellers } = conditions.items ?? {}
  const pairs: [string[] | undefined, string | undefined][] = [
    [skus, item.sku],
    [products, item.productId],
    [categories, item.category],
    [sellers, item.seller],
  ]
  return pairs.every(([some, own]) => some === undefined || some.some((each) => each === own))
}

interface Piece {
  readonly price: number
  readonly rate: { name: { en?: string | undefined }; ratePpm: number } | undefined
}

const taxes = (pieces: readonly Piece[], isNet: boolean, byLine: boolean, step: number): number[] => {
  const of = (price: number, ppm: number) =>
    nearest(times(fraction(price), fraction(ppm, isNet ? 1_000_000 : 1_000_000 + ppm)), step)
  const result = pieces.map(({ price, rate }) => of(price, rate?.ratePpm ?? 0))
  if (byLine) return result
  const key = ({ rate }: Piece) => `${rate?.ratePpm} ${rate?.name.en}`
  for (const one of new Set(pieces.map(key))) {
    const places = pieces.flatMap((piece, n) => (key(piece) === one ? [n] : []))
    const prices = places.map((n) => pieces[n]?.price ?? 0)
    const rate = pieces[places[0] as number]?.rate?.ratePpm ?? 0
    const sum = of(
      prices.reduce((a, b) => a + b, 0),
      rate,
    )
    for (const [i, share] of divide(sum, prices, step).entries()) result[places[i] as number] = share
  }
  return result
}

/** The zone and the market are found by what `any-basket.ts` makes of them. */
const ratesOf = ({ basket: { destination }, settings }: Case) => {
  if (destination.country !== 'DE') return () => undefined
  const zone = settings.taxZones[destination.postalCode?.startsWith('27') ? 0 : 1]
  const byClass = new Map(zone?.rates.map(({ taxClass, ...rate }) => [taxClass, rate]))
  return (taxClass: string) => byClass.get(taxClass) ?? byClass.get('standard')
}

const deliveryPrice = ({ basket, settings }: Case, total: number) => {
  const method = settings.markets[0]?.deliveryZones[0]?.methods.find(({ id }) => id === basket.deliveryMethod)
  if (!method) return undefined
  let [grams, units] = [0, 0]
  for (const { weightGrams, quantity } of basket.items) {
    grams += weightGrams * quantity
    units += quantity
  }
  const refused = basket.items.some(({ category }) => method.exceptCategories?.includes(category ?? '?'))
  if (refused || grams > (method.mostGrams ?? grams)) return undefined
  const measure = method.by === 'weight' ? grams : method.by === 'items' ? units : total
  const [open, narrow] = method.brackets
  const price = measure <= (narrow?.upTo ?? -1) ? narrow?.price : open?.price
  return { method, price: method.freeFrom !== undefined && total >= method.freeFrom ? 0 : (price ?? 0) }
}

/** The numbers of a quote, without its words. */
export const reckon = (given: Case, step: number) => {
  const { basket, settings } = given
  const market = settings.markets[0]
  const isNet = market?.prices === 'net'
  const chosen = counting(given)
  let goods = basket.items.map((item) => ({
    ...{ item, sku: item.sku, unit: item.unitPrice, count: item.quantity },
    ...{ left: item.unitPrice * item.quantity, own: [] as object[], shared: [] as object[] },
  }))
  const isOfOrder = ({ effect }: Promotion) => 'of' in effect && effect.of === 'order'
  for (const isLast of [false, true])
    for (const promotion of chosen.filter((each) => isOfOrder(each) === isLast)) {
      const cuts = taken(
        promotion.effect,
        goods.map((each) => ({ ...each, isAbout: isAbout(promotion, each.item) })),
        step,
      )
      goods = goods.map((each, n) => {
        const amount = cuts[n] as number
        if (amount === 0) return each
        const list = isLast ? 'shared' : 'own'
        const share = { promotionId: promotion.id, amount }
        return { ...each, left: each.left - amount, [list]: [...each[list], share] }
      })
    }
  const delivery = deliveryPrice(
    given,
    goods.reduce((sum, { left }) => sum + left, 0),
  )
  let free = 0
  for (const { effect } of chosen)
    if (delivery && effect.kind === 'free-delivery')
      free += Math.min(delivery.price - free, lower(effect.cap ?? delivery.price, step))
  const rate = ratesOf(given)
  const pieces = [
    ...goods.map(({ left, item }) => ({ price: left, rate: rate(item.taxClass) })),
    ...(delivery ? [{ price: delivery.price - free, rate: rate(delivery.method.taxClass) }] : []),
  ]
  const tax = taxes(pieces, isNet, market?.rounding === 'line', step)
  const paid = pieces.map(({ price }, n) => {
    const own = tax[n] as number
    return isNet ? { net: price, tax: own, gross: price + own } : { net: price - own, tax: own, gross: price }
  })
  return {
    lines: goods.map(({ own, shared }, n) => ({ lineDiscounts: own, orderDiscounts: shared, ...paid[n] })),
    ...(delivery ? { delivery: { price: delivery.price, ...paid.at(-1) } } : {}),
    total: paid.reduce((sum, { gross }) => sum + gross, 0),
  }
}

/** What of a quote `reckon` tells. */
export const reckoned = ({ lines, delivery, total }: Quote) => ({
  lines: lines.map(({ lineDiscounts, orderDiscounts, net, tax, gross }) => ({
    ...{ lineDiscounts, orderDiscounts, net, tax, gross },
  })),
  ...(delivery
    ? {
        delivery: { price: delivery.price, net: delivery.net, tax: delivery.tax, gross: delivery.gross },
      }
    : {}),
  total,
})
