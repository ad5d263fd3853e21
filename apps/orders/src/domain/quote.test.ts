import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chargeFault, chargeStep } from '@caravan/contracts/price'
import type { Market } from '@caravan/contracts/pricing'
import { type Quote, quote as quoteSchema } from '@caravan/contracts/quotes'
import fc from 'fast-check'
import { quote } from './quote.ts'
import { anyCase, type Case } from './testing/any-basket.ts'
import { reckon, reckoned } from './testing/reckoning.ts'

const orders = 100_000
const sum = (amounts: readonly number[]) => amounts.reduce((all, each) => all + each, 0)
const quoted = ({ basket, settings, promotions }: Case) => quote(basket, settings, promotions)

/** `deepEqual`, in a tenth of the time where it holds. */
const same = (actual: object, expected: object) => {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) assert.deepEqual(actual, expected)
}

/** Every part of a quote adds up, and none is below 0. */
const addsUp = (all: Quote) => {
  const delivery = all.delivery ? [all.delivery] : []
  const parts = [...all.lines, ...delivery]
  assert.equal(all.total, sum(parts.map(({ gross }) => gross)))
  assert.equal(all.total, all.net + all.tax)
  assert.equal(all.net, sum(parts.map(({ net }) => net)))
  assert.equal(all.tax, sum(all.taxes.map(({ tax }) => tax)))
  const rated = parts.filter(({ taxRate }) => taxRate)
  assert.equal(sum(rated.map(({ net }) => net)), sum(all.taxes.map(({ net }) => net)))
  for (const { subtotal, unitPrice, quantity, lineDiscounts, orderDiscounts, ...line } of all.lines) {
    assert.equal(subtotal, unitPrice * quantity)
    const off = sum([...lineDiscounts, ...orderDiscounts].map(({ amount }) => amount))
    assert.equal(subtotal - off, all.prices === 'net' ? line.net : line.gross)
  }
  for (const { price, discounts, ...line } of delivery)
    assert.equal(
      price - sum(discounts.map(({ amount }) => amount)),
      all.prices === 'net' ? line.net : line.gross,
    )
  const shares = [
    ...all.lines.flatMap(({ lineDiscounts, orderDiscounts }) => [...lineDiscounts, ...orderDiscounts]),
    ...delivery.flatMap(({ discounts }) => discounts),
  ]
  for (const { promotionId, amount } of all.discounts)
    assert.equal(
      amount,
      sum(shares.filter((each) => each.promotionId === promotionId).map((each) => each.amount)),
    )
  assert.equal(all.discount, sum(all.discounts.map(({ amount }) => amount)))
  assert.equal(all.discount, sum(shares.map(({ amount }) => amount)))
  const step = chargeStep(all.currency)
  for (const { net, tax, gross } of parts) {
    assert.equal(gross, net + tax)
    for (const amount of [net, tax, gross]) assert.ok(amount >= 0 && amount % step === 0)
  }
}

/** What costs its net price and tax costs as much, and as much tax, where that is the gross price. */
const sameBothWays = ({ basket, settings, promotions }: Case) => {
  const [market] = settings.markets as [Market]
  const at = (prices: Market['prices'], deliveryZones: Market['deliveryZones']) => ({
    ...settings,
    markets: [{ ...market, prices, deliveryZones }],
  })
  const { quote: net } = quote(basket, at('net', market.deliveryZones), promotions)
  const items = basket.items.map((item, n) => ({
    ...item,
    unitPrice: net.lines[n]?.gross as number,
    quantity: 1,
  }))
  const zones = market.deliveryZones.map(({ places, methods }) => ({
    places,
    methods: methods.flatMap(({ id, name, taxClass, by, workingDays }) =>
      id === net.delivery?.method
        ? [{ id, name, taxClass, by, workingDays, brackets: [{ price: net.delivery.gross }] }]
        : [],
    ),
  }))
  const { quote: gross } = quote({ ...basket, items }, at('gross', zones), [])
  const figures = ({ total, net, tax, taxes }: Quote) => ({ total, net, tax, taxes })
  same(figures(gross), figures(net))
}

for (const currency of ['USD', 'EUR', 'JPY', 'KWD'] as const)
  describe(`${orders} orders in ${currency}`, () => {
    test('parts add up, fractions come to the same in each step, and gross prices to the same as net ones', () => {
      let [discounted, taxed, delivered] = [0, 0, 0]
      fc.assert(
        fc.property(anyCase(currency), (given) => {
          const { quote: result } = quoted(given)
          addsUp(result)
          same(reckoned(result), reckon(given, chargeStep(currency)))
          sameBothWays(given)
          if (result.discount > 0) discounted += 1
          if (result.tax > 0) taxed += 1
          if (result.delivery) delivered += 1
        }),
        { numRuns: orders },
      )
      for (const some of [discounted, taxed, delivered]) assert.ok(some > orders / 5, String(some))
    })
  })

test('a quote is what its contract says, and can be charged if it is not too much', () => {
  fc.assert(
    fc.property(fc.constantFrom('EUR' as const, 'KWD' as const).chain(anyCase), (given) => {
      const { quote: result } = quoted(given)
      assert.deepEqual(quoteSchema.parse(result), result)
      const { total, currency } = result
      if (total > 0 && total < 99_999_999) assert.equal(chargeFault({ amount: total, currency }), undefined)
    }),
  )
})
