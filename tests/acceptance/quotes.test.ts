import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { DeliveryMethod, PricingContent } from '@caravan/contracts/pricing'
import { promotionChanged } from '@caravan/contracts/promotions'
import type { OfferedQuote } from '@caravan/contracts/quotes'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { setPricing } from '../support/pricing.ts'
import type { Line } from '../support/shop.ts'
import { mint, rows, shop } from '../support/stack.ts'

// Germany's VAT, § 12 UStG: 19 %, reduced 7 %.
const taxZones: PricingContent['taxZones'] = [
  {
    places: [{ country: 'DE' }],
    rates: [
      { taxClass: 'standard', name: { en: 'VAT 19 %' }, ratePpm: 190_000 },
      { taxClass: 'reduced', name: { en: 'VAT 7 %' }, ratePpm: 70_000 },
    ],
  },
]
const post: DeliveryMethod = {
  ...{ id: 'post', name: { en: 'Post' }, taxClass: 'standard', by: 'weight' },
  ...{ brackets: [{ upTo: 1000, price: 499 }, { price: 999 }], freeFrom: 10_000 },
  workingDays: { least: 2, most: 4 },
}
const courier = { ...post, id: 'courier', brackets: [{ price: 1500 }], mostGrams: 5000 }

type Market = PricingContent['markets'][number]
const germany = (methods: readonly DeliveryMethod[], more: Partial<Market> = {}): Market => ({
  ...{ currency: 'EUR', countries: ['DE'], prices: 'gross', rounding: 'order' },
  deliveryZones: [{ places: [{ country: 'DE' }], methods: [...methods] }],
  ...more,
})
const sell = (methods: readonly DeliveryMethod[] = [post, courier], zones = taxZones) =>
  setPricing(shop, [germany(methods)], zones)

const berlin = {
  ...{ name: 'Mei Lin', line1: 'Lange Straße 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
}
const destination = { country: 'DE', postalCode: '10115' }
const text = (value: string) => ({ en: value, zh: value })
const mark = randomBytes(5).toString('hex').toUpperCase()
const [tea, cup] = [`Q-${mark}-TEA`, `Q-${mark}-CUP`]
const products = new Map<string, { id: string; content: object }>()
const seller = newId()

/** On the shelf at a price in euros, and known to orders. */
const offer = async (sku: string, amount: number, taxClass?: string): Promise<void> => {
  const id = products.get(sku)?.id ?? newId()
  const content = {
    ...{ seller, category: 'quotes', title: text(sku), description: text('A test.'), pictures: [], tags: [] },
    ...(taxClass ? { taxClass } : {}),
    variants: [
      {
        ...{ sku, name: text('One'), attributes: {}, weightGrams: 400 },
        price: { amount, currency: 'EUR' },
      },
    ],
    status: 'on-shelf',
  }
  products.set(sku, { id, content })
  await shop.putProduct(id, content)
  await eventually('orders knows the price', async () => {
    const { body } = await quoteOf({ items: [{ sku, quantity: 1 }] })
    return body.lines?.[0]?.unitPrice === amount && body.lines[0].taxClass === (taxClass ?? 'standard')
  })
}

const quoteOf = (more: object, token?: string) =>
  shop.door<OfferedQuote & Record<string, unknown>>('POST', '/v1/quotes', {
    ...(token ? { token } : {}),
    key: null,
    body: { destination, ...more },
  })
const lineOf = (sku: string, quantity: number, amount: number): Line => ({
  ...{ sku, quantity, unitPrice: { amount, currency: 'EUR' } },
})
const basket = [lineOf(tea, 2, 1000), lineOf(cup, 1, 333)]
const wanted = basket.map(({ sku, quantity }) => ({ sku, quantity }))
const tryOrder = (shopper: { token: string }, more: object, items: readonly Line[] = basket) =>
  shop.door('POST', '/v1/orders', {
    token: shopper.token,
    body: { items, shippingAddress: berlin, ...more },
  })
const euros = (amount: number) => ({ amount, currency: 'EUR' })

/** A promotion of orders' own copy, as promotion.changed would bring it. */
const promote = async (more: object): Promise<string> => {
  const promotion = { ...promotionChanged.example, id: newId(), from: undefined, conditions: {}, ...more }
  await rows(
    'orders',
    "INSERT INTO promotions (id, version, status, ends_at, content) VALUES (?, 1, 'active', '2100-01-01', ?)",
    promotion.id,
    JSON.stringify(promotion),
  )
  await rows('orders', 'UPDATE terms SET mark = ?', newId())
  return promotion.id
}
const withdraw = async (id: string): Promise<void> => {
  await rows('orders', 'DELETE FROM promotions WHERE id = ?', id)
  await rows('orders', 'UPDATE terms SET mark = ?', newId())
}

before(async () => {
  const token = await shop.asOperator()
  const about = { name: text('Tester'), description: text('Tests.') }
  assert.equal((await shop.door('PUT', `/v1/sellers/${seller}`, { token, body: about })).status, 200)
  const category = { parent: null, name: text('Quotes') }
  assert.equal((await shop.door('PUT', '/v1/categories/quotes', { token, body: category })).status, 200)
  await sell()
  await offer(tea, 1000, 'reduced')
  await offer(cup, 333)
  await shop.receive(tea, 100)
  await shop.receive(cup, 100)
})
beforeEach(() => sell())
after(() => setPricing(shop))

test('a quote tells each part of what an order costs, and how it may travel, to anyone', async () => {
  const { status, body, text } = await quoteOf({ items: wanted, deliveryMethod: 'post' })
  assert.equal(status, 200, text)
  assert.partialDeepStrictEqual(body, {
    ...{ currency: 'EUR', prices: 'gross', subtotal: 2333, discount: 0, total: 3332 },
    lines: [
      // 2000 / 1.07 is 1869.16; 333 and 999 of one rate are 1332, of which 1332 × 19 / 119 = 212.67 is tax.
      { sku: tea, subtotal: 2000, net: 1869, tax: 131, gross: 2000, taxRate: { ratePpm: 70_000 } },
      { sku: cup, subtotal: 333, net: 280, tax: 53, gross: 333, taxRate: { ratePpm: 190_000 } },
    ],
    delivery: { method: 'post', price: 999, net: 839, tax: 160, gross: 999 },
    taxes: [
      { ratePpm: 70_000, net: 1869, tax: 131 },
      { ratePpm: 190_000, net: 1119, tax: 213 },
    ],
  })
  assert.deepEqual(
    body.deliveryMethods?.map(({ id, price }) => [id, price]),
    [
      ['post', 999],
      ['courier', 1500],
    ],
  )
})

test('an order costs its quote, to the cent: in the order, its payment and at the provider', async () => {
  const id = await promote({ effect: { kind: 'percent', basisPoints: 1000, of: 'order' } })
  const shopper = mint.member()
  const wishes = { deliveryMethod: 'courier' }
  const { deliveryMethods: _, idleCodes: __, ...quote } = (await quoteOf({ items: wanted, ...wishes })).body
  assert.deepEqual(quote.discounts, [
    { promotionId: id, version: 1, name: promotionChanged.example.name, amount: 233 },
  ])
  const { status, body, text } = await tryOrder(shopper, { ...wishes, total: euros(quote.total) })
  assert.equal(status, 201, text)
  assert.deepEqual([body.total, body.quote], [2333 - 233 + 1500, quote])
  const payment = await shop.pay(shopper, body.id)
  assert.equal(payment.amount, quote.total)
  assert.equal((await shop.chargesOf(payment.id))[0]?.amount, quote.total)
  assert.equal((await shop.settled(shopper, body.id)).status, 'confirmed')
  await withdraw(id)
  assert.deepEqual((await shop.orderOf(shopper, body.id)).quote, quote)
})

describe('what changes between a quote and its order is told with the new quote, and nothing is reserved', () => {
  const changes: [what: string, change: () => Promise<unknown>, undo?: () => Promise<unknown>][] = [
    ['a price', () => offer(tea, 1100, 'reduced'), () => offer(tea, 1000, 'reduced')],
    ['the price of the delivery', () => sell([{ ...post, brackets: [{ price: 500 }] }])],
    ['a delivery method that is not there any more', () => sell([courier])],
    [
      'a tax, where prices come without it',
      () => setPricing(shop, [germany([post], { prices: 'net' })], taxZones),
    ],
  ]
  for (const [what, change, undo] of changes)
    test(what, async () => {
      const shopper = mint.member()
      const wishes = { deliveryMethod: 'post' }
      const { total } = (await quoteOf({ items: wanted, ...wishes })).body
      const before = await Promise.all([tea, cup].map(shop.stockOf))
      await change()
      const { status, body, text } = await tryOrder(shopper, { ...wishes, total: euros(total) })
      const isOfPrices = what === 'a price'
      assert.deepEqual(
        [status, body.code],
        [409, isOfPrices ? 'orders/price-changed' : 'orders/total-changed'],
        text,
      )
      const isThere = body.quote.delivery !== undefined
      const fresh = (await quoteOf({ items: wanted, ...(isThere ? wishes : {}) })).body
      assert.deepEqual(body.quote, fresh)
      assert.notDeepEqual([fresh.total, isThere], [total, true])
      assert.deepEqual(await Promise.all([tea, cup].map(shop.stockOf)), before)
      const again = { total: euros(fresh.total), deliveryMethod: fresh.deliveryMethods?.[0]?.id }
      const items = [lineOf(tea, 2, fresh.lines[0]?.unitPrice ?? 0), lineOf(cup, 1, 333)]
      const chosen = (await quoteOf({ items: wanted, deliveryMethod: again.deliveryMethod })).body
      const placed = await tryOrder(shopper, { ...again, total: euros(chosen.total) }, items)
      assert.deepEqual([placed.status, placed.body.total], [201, chosen.total], placed.text)
      await undo?.()
    })

  test('a promotion that ends', async () => {
    const shopper = mint.member()
    const id = await promote({ effect: { kind: 'amount', amount: 300, of: 'order' } })
    const wishes = { deliveryMethod: 'post' }
    const { total, discount } = (await quoteOf({ items: wanted, ...wishes })).body
    assert.equal(discount, 300)
    await withdraw(id)
    const { status, body, text } = await tryOrder(shopper, { ...wishes, total: euros(total) })
    assert.deepEqual([status, body.code, body.quote?.total], [409, 'orders/total-changed', total + 300], text)
  })
})

test('who names no total has seen the prices alone: it is 409 where there is more to pay, and 201 where there is not', async () => {
  const shopper = mint.member()
  const delivered = await tryOrder(shopper, { deliveryMethod: 'post' })
  assert.deepEqual([delivered.status, delivered.body.quote?.total], [409, 3332], delivered.text)
  await setPricing(shop, [germany([], { deliveryZones: [] })], taxZones)
  const placed = await tryOrder(shopper, {})
  assert.deepEqual([placed.status, placed.body.total], [201, 2333], placed.text)
})

test('an order says how it is to travel where there is a choice, and a quote names no way that there is not', async () => {
  const none = await tryOrder(mint.member(), { total: euros(2333) })
  assert.deepEqual([none.status, none.body.code], [422, 'orders/no-delivery-method'], none.text)
  assert.equal(none.body.quote.deliveryMethods.length, 2)
  const unknown = await quoteOf({ items: wanted, deliveryMethod: 'airship' })
  assert.deepEqual([unknown.status, unknown.body.code], [422, 'orders/no-such-delivery'], unknown.text)
  const heavy = await quoteOf({ items: [{ sku: cup, quantity: 20 }], deliveryMethod: 'courier' })
  assert.deepEqual([heavy.status, heavy.body.code], [422, 'orders/no-such-delivery'], heavy.text)
})

test('an order of nothing to pay is confirmed without a card', async () => {
  const id = await promote({ effect: { kind: 'percent', basisPoints: 10_000, of: 'lines' } })
  const shopper = mint.member()
  await sell([{ ...post, freeFrom: 0 }])
  const { status, body, text } = await tryOrder(shopper, { deliveryMethod: 'post', total: euros(0) })
  assert.deepEqual([status, body.status, body.total], [201, 'paid', 0], text)
  const order = await shop.settled(shopper, body.id)
  assert.deepEqual([order.status, order.payment], ['confirmed', undefined])
  assert.deepEqual(
    order.history.map(({ what }) => what),
    ['placed', 'paid', 'confirmed'],
  )
  const paying = await shop.tryPay(shopper, body.id, await shop.tokenise())
  assert.equal(paying.status, 409, paying.text)
  await withdraw(id)
})

test('a first order’s discount is given once, to however many orders that come at once', async () => {
  const id = await promote({
    ...{ effect: { kind: 'amount', amount: 100, of: 'order' }, conditions: { firstOrder: true } },
  })
  const shopper = mint.member()
  const more = { deliveryMethod: 'post', total: euros(3232) }
  assert.equal((await quoteOf({ items: wanted, deliveryMethod: 'post' }, shopper.token)).body.total, 3232)
  assert.equal((await quoteOf({ items: wanted, deliveryMethod: 'post' })).body.total, 3332)
  const before = (await shop.stockOf(tea)).reserved
  const answers = await Promise.all(Array.from({ length: 5 }, () => tryOrder(shopper, more)))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [201, 409, 409, 409, 409])
  const refused = answers.find(({ status }) => status === 409)?.body
  assert.deepEqual([refused?.code, refused?.quote?.total], ['orders/total-changed', 3332])
  await eventually(
    'what the others reserved is back',
    async () => (await shop.stockOf(tea)).reserved === before + 2,
  )
  await withdraw(id)
})

describe('what promotions counts', () => {
  const wishes = { deliveryMethod: 'post' }
  const put = async (path: string, body: object) => {
    const answer = await shop.door('PUT', path, { token: await shop.asOperator(), body })
    assert.equal(answer.status, 200, answer.text)
  }
  /** A promotion of one euro that promotions keeps, until orders knows it. */
  const promoted = async (more: object, codes: readonly string[] = []): Promise<string> => {
    const id = newId()
    await put(`/v1/promotions/${id}`, {
      ...{ name: text('A euro'), trigger: 'automatic', status: 'active', currency: 'EUR', conditions: {} },
      ...{ window: { timeZone: 'Asia/Kolkata' }, effect: { kind: 'amount', amount: 100, of: 'order' } },
      ...{ priority: 0, combination: 'stacked', limits: {} },
      ...more,
    })
    for (const code of codes) await put(`/v1/promotions/${id}/codes/${code}`, { status: 'active', uses: 1 })
    await eventually('orders knows the promotion', async () => {
      const { body } = await quoteOf({ items: wanted, ...(codes.length > 0 ? { codes } : {}) })
      return body.discounts.some(({ promotionId }) => promotionId === id)
    })
    return id
  }
  const ended = async (id: string) => {
    const { body } = await shop.door('GET', `/v1/promotions/${id}`, { token: await shop.asOperator() })
    await put(`/v1/promotions/${id}`, { ...body, status: 'paused' })
    await eventually('orders knows it', async () =>
      (await quoteOf({ items: wanted })).body.discounts.every(({ promotionId }) => promotionId !== id),
    )
  }

  test('is given as often as it may be, and who comes late is told with the quote without it, at which the order is placed', async () => {
    const id = await promoted({ limits: { uses: 1 } })
    const [first, second, third] = [mint.member(), mint.member(), mint.member()]
    const placed = await tryOrder(first, { ...wishes, total: euros(3232) })
    assert.deepEqual([placed.status, placed.body.total], [201, 3232], placed.text)
    const before = (await shop.stockOf(tea)).reserved
    const late = await tryOrder(second, { ...wishes, total: euros(3232) })
    assert.deepEqual(
      [late.status, late.body.code, late.body.quote?.total, late.body.refused],
      [409, 'orders/total-changed', 3332, { promotionId: id, reason: 'limit' }],
      late.text,
    )
    assert.equal((await shop.stockOf(tea)).reserved, before)
    const without = { without: [id], total: euros(3332) }
    assert.equal((await quoteOf({ items: wanted, ...wishes, without: [id] })).body.total, 3332)
    assert.equal((await tryOrder(second, { ...wishes, ...without })).status, 201)
    await shop.cancel(first, placed.body.id)
    const again = await eventually('what was cancelled is free again', async () => {
      const answer = await tryOrder(third, { ...wishes, total: euros(3232) })
      return answer.status === 201 && answer
    })
    assert.equal(again.body.total, 3232)
    await ended(id)
  })

  test('is brought by a code, in either case; one that is wrong, used or paused does nothing, and tells nothing', async () => {
    const [code, spare] = [`ONE-${mark}`, `TWO-${mark}`]
    const id = await promoted({ trigger: 'code' }, [code, spare])
    const shopper = mint.member()
    const asked = { items: wanted, ...wishes, codes: [code.toLowerCase(), `NO-${mark}`] }
    const { body } = await quoteOf(asked, shopper.token)
    assert.deepEqual([body.total, body.discounts[0]?.code], [3232, code])
    assert.deepEqual(body.idleCodes, [{ code: `NO-${mark}`, why: 'not-found' }])
    const placed = await tryOrder(shopper, { ...wishes, codes: [code], total: euros(3232) })
    assert.deepEqual([placed.status, placed.body.quote?.discounts[0]?.code], [201, code], placed.text)
    const used = await tryOrder(mint.member(), { ...wishes, codes: [code], total: euros(3232) })
    assert.deepEqual(
      [used.status, used.body.refused, used.body.quote?.total],
      [409, { promotionId: id, reason: 'code' }, 3332],
      used.text,
    )
    assert.equal(
      (await quoteOf({ items: wanted, ...wishes, codes: [spare] }, shopper.token)).body.total,
      3232,
    )
    await ended(id)
    const after = await eventually('orders knows that it is over', async () => {
      const quote = await quoteOf({ items: wanted, ...wishes, codes: [spare] }, shopper.token)
      return quote.body.total === 3332 && quote
    })
    assert.deepEqual(after.body.idleCodes, [{ code: spare, why: 'not-found' }])
  })

  test('is given back when the order that took it cannot have its goods', async () => {
    const id = await promoted({ limits: { uses: 1 } })
    const greedy = [lineOf(tea, 1000, 1000)]
    const { total } = (await quoteOf({ items: [{ sku: tea, quantity: 1000 }], ...wishes })).body
    const short = await tryOrder(mint.member(), { ...wishes, total: euros(total) }, greedy)
    assert.deepEqual([short.status, short.body.code], [409, 'inventory/insufficient-stock'], short.text)
    await eventually('the next order has it', async () => {
      const { status } = await tryOrder(mint.member(), { ...wishes, total: euros(3232) })
      return status === 201
    })
    await ended(id)
  })
})

test('settings that contradict themselves are refused, and what was read can be sent back', async () => {
  const token = await shop.asOperator()
  const body = { markets: [germany([{ ...post, workingDays: { least: 3, most: 1 } }])], taxZones }
  const refused = await shop.door('PUT', '/v1/pricing', { token, body })
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.errors?.[0]?.pointer],
    [422, 'orders/unsound-pricing', '/markets/0/deliveryZones/0/methods/0/workingDays/most'],
  )
  const kept = await shop.door('GET', '/v1/pricing', { token })
  const again = await shop.door('PUT', '/v1/pricing', {
    ...{ token, body: kept.body, headers: { 'if-match': String(kept.headers.get('etag')) } },
  })
  assert.deepEqual([again.status, again.body], [200, kept.body])
  assert.equal((await shop.door('GET', '/v1/pricing', { token: mint.member().token })).status, 403)
})
