import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anInvoice, invoice, lineOf, samples, untaxed, vat } from './fixture.ts'
import { contradiction, type Invoice, netBeforeDiscounts, positionsOf, totalsOf } from './invoice.ts'

test('sums are those of the positions, tax by tax', () => {
  const { net, tax, gross, taxes } = totalsOf(samples['mixed-rate'] as Invoice)
  assert.deepEqual(
    taxes.map((each) => [each.rate.ratePpm, each.net, each.tax]),
    [
      [230_000, 2437, 560],
      [50_000, 6349, 317],
      [80_000, 719 + 1389, 58 + 111],
      [0, 2500, 0],
    ],
  )
  assert.deepEqual([net, tax, gross], [13_394, 1046, 14_440])
})

test('without its discounts a position is net at least what it is with them, and just that where there are none', () => {
  fc.assert(
    fc.property(anInvoice, (some) => {
      for (const position of positionsOf(some)) {
        const net = netBeforeDiscounts(position, some)
        assert.ok(net >= position.net)
        if (position.discounts.length === 0) assert.equal(net, position.net)
      }
    }),
  )
})

test('so it is where the tax was rounded in the order, and a line has its share of that', () => {
  const discounts = [{ name: 'Gift', amount: 1 }]
  const rounded = { ...{ price: 100, discounts, rate: vat(23) }, ...{ net: 82, tax: 17, gross: 99 } }
  assert.equal(netBeforeDiscounts(rounded, invoice), 82)
})

test('what adds up is taken', () => {
  for (const [kind, sample] of Object.entries(samples)) assert.equal(contradiction(sample), undefined, kind)
  fc.assert(fc.property(anInvoice, (some) => assert.equal(contradiction(some), undefined)))
})

const [line] = invoice.lines
const broken: [what: RegExp, lines: Partial<typeof line>][] = [
  [/position 1: net and tax/, { tax: 561 }],
  [/position 1: price less discounts is not gross/, { discounts: [{ name: 'Gift', amount: 1 }] }],
  [
    /position 1 has an amount below 0/,
    { discounts: [{ name: 'Fee', amount: -1 }], price: 2996, unitPrice: 2996, quantity: 1 },
  ],
  [/position 1 has a rate/, { rate: { ...vat(23), category: 'Z' } }],
  [/position 1 has a tax without a rate/, { rate: untaxed('E', 'Exempt') }],
  [/line 1: quantity times unit price/, { quantity: 4 }],
]
for (const [what, part] of broken)
  test(`it is told where amounts contradict one another: ${what.source}`, () => {
    const lines = [{ ...lineOf('gross', ['Gaiwan', 3, 999, vat(23)]), ...part }]
    assert.match(contradiction({ ...invoice, lines }) ?? '', what)
  })

test('a document about nothing is none', () => {
  const { delivery: _, ...nothing } = { ...invoice, lines: [] }
  assert.match(contradiction(nothing) ?? '', /nothing is on it/)
})
