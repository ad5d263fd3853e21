import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { DeliveryMethod, PricingContent } from '@caravan/contracts/pricing'
import type { OfferedQuote } from '@caravan/contracts/quotes'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { openRandom } from '../load/random.ts'
import { setPricing } from '../support/pricing.ts'
import { mint, shop } from '../support/stack.ts'

/** `BASKETS=10000 npm test -- tests/acceptance/baskets.test.ts` is the whole heap. */
const baskets = Number(process.env.BASKETS ?? 150)
const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
const atOnce = 8
/** One of so many is paid; the others are cancelled. */
const paidOf = 25

const text = (value: string) => ({ en: value, zh: value })
const mark = randomBytes(5).toString('hex').toUpperCase()
const sellers = [newId(), newId()]
const categories = [`tea-${mark}`, `books-${mark}`].map((slug) => slug.toLowerCase())
const skus = Array.from({ length: 12 }, (_, n) => `B-${mark}-${n}`)
const prices = skus.map((_, n) => [7, 99, 333, 1250, 4999, 20_001][n % 6] as number)
const code = `BASKET-${mark}`

const method = (id: string, more: Partial<DeliveryMethod>): DeliveryMethod => ({
  ...{ id, name: text(id), taxClass: 'standard', workingDays: { least: 1, most: 3 } },
  ...{ by: 'weight', brackets: [{ upTo: 2000, price: 499 }, { price: 1249 }] },
  ...more,
})
const methods = [
  method('post', { freeFrom: 15_000 }),
  method('courier', { by: 'total', brackets: [{ upTo: 5000, price: 1500 }, { price: 990 }] }),
  method('parcel', { by: 'items', mostGrams: 20_000, exceptCategories: [String(categories[1])] }),
]
const market = (prices: 'gross' | 'net', rounding: 'line' | 'order', country: 'DE' | 'PL' | 'AT') => ({
  ...{ currency: 'EUR' as const, countries: [country], prices, rounding },
  deliveryZones: [{ places: [{ country }], methods }],
})
const settings: [PricingContent['markets'], PricingContent['taxZones']] = [
  [market('gross', 'order', 'DE'), market('net', 'line', 'PL'), market('net', 'order', 'AT')],
  // Directive 2006/112/EC as the countries have it: Büsingen is Germany, but not of its VAT territory (article 6).
  [
    { places: [{ country: 'DE', postalCodes: ['78266'] }], rates: [rate('standard', 0)] },
    { places: [{ country: 'DE' }], rates: [rate('standard', 190_000), rate('reduced', 70_000)] },
    { places: [{ country: 'PL' }], rates: [rate('standard', 230_000), rate('reduced', 80_000)] },
    { places: [{ country: 'AT' }], rates: [rate('standard', 200_000), rate('reduced', 100_000)] },
  ],
]
function rate(taxClass: string, ratePpm: number) {
  return { taxClass, name: text('VAT'), ratePpm }
}

const places = [
  { city: 'Berlin', postalCode: '10115', country: 'DE' },
  { city: 'Büsingen', postalCode: '78266', country: 'DE' },
  { city: 'Gdańsk', postalCode: '80-001', country: 'PL' },
  { city: 'Wien', postalCode: '1010', country: 'AT' },
]

const put = async (path: string, body: object) => {
  const token = await shop.asOperator()
  const answer = await shop.persistently(() => shop.door('PUT', path, { token, body }))
  assert.equal(answer.status, 200, answer.text)
}
const promotions = new Map<string, object>()
const promote = async (id: string, more: object) => {
  const content = {
    ...{ name: text('A promotion'), trigger: 'automatic', status: 'active', currency: 'EUR' },
    ...{ window: { timeZone: 'Europe/Warsaw' }, priority: 0, combination: 'stacked' },
    ...{ limits: {}, conditions: {} },
    ...more,
  }
  promotions.set(id, content)
  await put(`/v1/promotions/${id}`, content)
}
const quoteOf = (body: object, token?: string) =>
  shop.persistently(() =>
    shop.door<OfferedQuote & { code?: string }>('POST', '/v1/quotes', {
      ...(token ? { token } : {}),
      ...{ key: null, body },
    }),
  )

before(async () => {
  for (const seller of sellers)
    await put(`/v1/sellers/${seller}`, { name: text('T'), description: text('T') })
  for (const category of categories)
    await put(`/v1/categories/${category}`, { parent: null, name: text('Tests') })
  for (const [n, sku] of skus.entries()) {
    await put(`/v1/products/${newId()}`, {
      ...{ seller: sellers[n % 2], category: categories[n % 2], status: 'on-shelf', pictures: [], tags: [] },
      ...{ title: text(sku), description: text('A test.'), ...(n % 3 ? {} : { taxClass: 'reduced' }) },
      variants: [
        {
          ...{ sku, name: text('One'), attributes: {}, weightGrams: 50 + 333 * n },
          price: { amount: prices[n], currency: 'EUR' },
        },
      ],
    })
    await shop.receive(sku, 1_000_000)
  }
  await setPricing(shop, ...settings)
  const byCode = newId()
  await promote(newId(), {
    ...{ effect: { kind: 'percent', basisPoints: 750, of: 'order', cap: 2000 }, priority: 1 },
    conditions: { leastSpend: 3000 },
  })
  await promote(newId(), {
    ...{ effect: { kind: 'buy-x-get-y', buy: 2, get: 1 }, conditions: { items: { sellers: [sellers[0]] } } },
  })
  await promote(newId(), {
    ...{ effect: { kind: 'amount', amount: 25, of: 'unit' }, limits: { budget: 1_000_000_000 } },
    conditions: { items: { categories: [categories[1]] } },
  })
  await promote(byCode, { trigger: 'code', effect: { kind: 'free-delivery', cap: 700 } })
  await put(`/v1/promotions/${byCode}/codes/${code}`, { status: 'active' })
  await eventually('orders knows prices and promotions', async () => {
    const items = skus.map((sku) => ({ sku, quantity: 10 }))
    const destination = { country: 'DE', postalCode: '10115' }
    const { status, body } = await quoteOf({ items, destination, deliveryMethod: 'courier', codes: [code] })
    return status === 200 && body.discounts.length === 4
  })
})
after(async () => {
  for (const [id, content] of promotions) await put(`/v1/promotions/${id}`, { ...content, status: 'paused' })
  await setPricing(shop)
})

const buy = async (n: number): Promise<{ isDiscounted: boolean }> => {
  const random = openRandom(seed, n)
  const shopper = mint.member()
  const items = Array.from({ length: 1 + random.below(5) }, () => random.below(skus.length))
    .filter((sku, at, all) => all.indexOf(sku) === at)
    .map((at) => ({ sku: skus[at] as string, quantity: 1 + random.below(6), at }))
  const place = places[random.below(places.length)] as (typeof places)[number]
  const wanted = {
    items: items.map(({ sku, quantity }) => ({ sku, quantity })),
    destination: { country: place.country, postalCode: place.postalCode },
    ...(random.below(3) === 0 ? { codes: [code.toLowerCase()] } : {}),
  }
  const { deliveryMethods = [] } = (await quoteOf(wanted, shopper.token)).body
  const deliveryMethod = deliveryMethods[random.below(deliveryMethods.length)]?.id
  const quoted = await quoteOf({ ...wanted, deliveryMethod }, shopper.token)
  assert.equal(quoted.status, 200, quoted.text)
  const { deliveryMethods: _, idleCodes: __, ...quote } = quoted.body
  const { destination: ___, ...wishes } = { ...wanted, deliveryMethod }
  const body = {
    ...wishes,
    items: items.map(({ sku, quantity, at }) => ({
      ...{ sku, quantity, unitPrice: { amount: prices[at] as number, currency: 'EUR' } },
    })),
    shippingAddress: { name: 'Mei', line1: '1', ...place },
    total: { amount: quote.total, currency: 'EUR' },
  }
  const key = newId()
  const { token } = shopper
  const {
    status,
    body: order,
    text,
  } = await shop.persistently(() => shop.door('POST', '/v1/orders', { token, key, body }))
  assert.equal(status, 201, `seed ${seed}, basket ${n}: ${text}`)
  assert.deepEqual([order.total, order.quote], [quote.total, quote], `seed ${seed}, basket ${n}`)
  if (n % paidOf === 0 && order.status === 'pending-payment') {
    const payment = await shop.pay(shopper, order.id)
    const [charge] = await shop.chargesOf(payment.id)
    assert.deepEqual([payment.amount, charge?.amount], [quote.total, quote.total])
  } else await shop.persistently(() => shop.cancel(shopper, order.id))
  return { isDiscounted: quote.discount > 0 }
}

test(`a quote is what is charged, in ${baskets} random baskets, seed ${seed}`, async () => {
  let next = 0
  let discounted = 0
  const client = async () => {
    while (next < baskets) {
      next += 1
      if ((await buy(next - 1)).isDiscounted) discounted += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, client))
  assert.ok(discounted > baskets / 4, `${discounted} had a discount`)
})
