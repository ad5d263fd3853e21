import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chargeStep } from '@caravan/contracts/price'
import type { Quote } from '@caravan/contracts/quotes'
import fc from 'fast-check'
import { quote } from './quote.ts'
import {
  grossOf,
  type Shares,
  type Sums,
  type Taken,
  takeAmount,
  takeDelivery,
  takeUnits,
  wholeOf,
} from './refund-shares.ts'
import { anyCase } from './testing/any-basket.ts'

const orders = 100_000
const sum = (amounts: readonly number[]) => amounts.reduce((all, each) => all + each, 0)
const everything = ({ lines, delivery }: Shares): readonly Sums[] => [...lines, delivery]

/** What somebody asks for: units of a line, the delivery, or some of the money that is left; in parts of a hundred of what is left. */
interface Wish {
  readonly kind: 'units' | 'units-with-delivery' | 'delivery' | 'amount'
  readonly line: number
  readonly percent: number
}
const kinds = ['units', 'units-with-delivery', 'delivery', 'amount'] as const
const anyWishes = fc.array(
  fc
    .nat({ max: 4 * 4 * 101 - 1 })
    .map((n): Wish => ({ kind: kinds[n % 4] as Wish['kind'], line: (n >> 2) % 4, percent: n >> 4 })),
  { maxLength: 5 },
)

const grant = (left: Shares, { kind, line, percent }: Wish): Taken => {
  const step = chargeStep(left.currency)
  if (kind === 'delivery') return takeDelivery(left)
  if (kind === 'amount') return takeAmount(left, Math.floor((grossOf(left) * percent) / 100 / step) * step)
  const { sku, quantity } = left.lines[line % left.lines.length] as Shares['lines'][number]
  const units = new Map([[sku, Math.ceil((quantity * percent) / 100)]])
  return takeUnits(left, units, { withDelivery: kind === 'units-with-delivery' })
}

const inOneGo = (left: Shares) =>
  takeUnits(left, new Map(left.lines.map(({ sku, quantity }) => [sku, quantity])), { withDelivery: true })

/** No part is below nothing, all that is given back never above what was paid, and in the end just that: of each line, too. */
const givesBack = (paid: Quote, wishes: readonly Wish[]) => {
  const step = chargeStep(paid.currency)
  const parts: Shares[] = []
  let left = wholeOf(paid)
  let back = 0
  for (const wish of [...wishes, undefined]) {
    const taken = wish ? grant(left, wish) : inOneGo(left)
    left = taken.left
    parts.push(taken.part)
    back += grossOf(taken.part)
    assert.ok(back <= paid.total)
    for (const shares of [taken.part, left])
      for (const { discount, net, tax, gross } of everything(shares)) {
        assert.ok(Math.min(discount, net, tax) >= 0 && gross === net + tax)
        assert.ok(discount % step === 0 && tax % step === 0 && gross % step === 0)
      }
  }
  assert.equal(back, paid.total)
  for (const [n, line] of everything(wholeOf(paid)).entries())
    for (const field of ['net', 'tax', 'gross'] as const)
      assert.equal(sum(parts.map((part) => everything(part)[n]?.[field] ?? 0)), line[field])
  for (const { quantity } of left.lines) assert.equal(quantity, 0)
}

for (const currency of ['USD', 'EUR', 'JPY', 'KWD'] as const)
  test(`${orders} orders in ${currency} are given back in any parts, never less than nothing, nor more than was paid, and whole in the end`, () => {
    fc.assert(
      fc.property(anyCase(currency), anyWishes, ({ basket, settings, promotions }, wishes) =>
        givesBack(quote(basket, settings, promotions).quote, wishes),
      ),
      { numRuns: orders },
    )
  })

test('units one by one are given back as much as together, to a step', () => {
  fc.assert(
    fc.property(fc.constantFrom('EUR' as const, 'KWD' as const).chain(anyCase), (given) => {
      const { quote: paid } = quote(given.basket, given.settings, given.promotions)
      for (const { sku, quantity, gross } of paid.lines.filter((line) => line.quantity < 20)) {
        let left = wholeOf(paid)
        for (let unit = 0; unit < quantity; unit += 1) {
          const taken = takeUnits(left, new Map([[sku, 1]]))
          const exact = gross / quantity
          assert.ok(Math.abs(grossOf(taken.part) - exact) < 2 * chargeStep(paid.currency))
          left = taken.left
        }
        assert.equal(grossOf(left), paid.total - gross)
      }
    }),
    { numRuns: 2000 },
  )
})

test('more than is left, what nobody bought, and what no card can be given back are refused', () => {
  const line = { discount: 0, net: 100, tax: 20, gross: 120 }
  const left = { currency: 'KWD', lines: [{ sku: 'A', quantity: 2, ...line }], delivery: line }
  assert.throws(() => takeUnits(left, new Map([['A', 3]])), RangeError)
  assert.throws(() => takeUnits(left, new Map([['B', 1]])), RangeError)
  assert.throws(() => takeAmount(left, 250), RangeError)
  assert.throws(() => takeAmount(left, 5), RangeError)
  assert.equal(grossOf(takeAmount(left, 240).left), 0)
})
