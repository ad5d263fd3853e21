import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chargeStep } from '@caravan/contracts/price'
import type { Quote } from '@caravan/contracts/quotes'
import fc from 'fast-check'
import { quote } from '../domain/quote.ts'
import { grossOf, type Taken, takeAmount, takeUnits, wholeOf } from '../domain/refund-shares.ts'
import { anyCase } from '../domain/testing/any-basket.ts'
import { credit, invoice } from './fixture.ts'
import { contradiction, sum, totalsOf, type Unnumbered } from './invoice.ts'
import { creditNoteOf, invoiceOf } from './of-quote.ts'
import { ublFault } from './ubl-fault.ts'

const { order, language, seller, buyer } = invoice
const particulars = { order, language, seller, buyer }

/** Some of the money, a unit of the first line, the rest. */
const creditNotesOf = (paid: Quote): Unnumbered[] => {
  const step = chargeStep(paid.currency)
  let left = wholeOf(paid)
  const notes: Unnumbered[] = []
  const give = ({ part, left: rest }: Taken) => {
    left = rest
    if (grossOf(part) > 0) notes.push(creditNoteOf(paid, part, { ...particulars, ...credit }))
  }
  give(takeAmount(left, Math.floor(paid.total / 3 / step) * step))
  give(takeUnits(left, new Map([[left.lines[0]?.sku ?? '', 1]]), { withDelivery: true }))
  const all = new Map(left.lines.map(({ sku, quantity }) => [sku, quantity]))
  give(takeUnits(left, all, { withDelivery: true }))
  return notes
}

for (const currency of ['USD', 'EUR', 'JPY', 'KWD'] as const)
  test(`in ${currency} an invoice tells what its order keeps, and its credit notes what was paid back of it`, () => {
    fc.assert(
      fc.property(anyCase(currency), ({ basket, settings, promotions }) => {
        const { quote: paid } = quote(basket, settings, promotions)
        const told = invoiceOf(paid, particulars)
        const notes = creditNotesOf(paid)
        for (const some of [told, ...notes]) {
          assert.equal(contradiction(some), undefined)
          assert.match(ublFault(some) ?? 'none', /none|BR-CO-17/)
        }
        for (const field of ['net', 'tax'] as const) {
          assert.equal(totalsOf(told)[field], paid[field])
          assert.equal(sum(notes.map((note) => totalsOf(note)[field])), paid[field])
        }
        const names = told.lines.flatMap(({ discounts }) => discounts.map(({ name }) => name))
        assert.ok(names.every((name) => name === 'Some'))
      }),
      { numRuns: 1000 },
    )
  })

test('without tax an order is outside of VAT, a rate of zero is one', () => {
  const paid = { net: 100, tax: 0, gross: 100, taxClass: 'standard' }
  const line = {
    sku: 'TEA-1',
    productId: '',
    title: { zh: '茶' },
    quantity: 1,
    unitPrice: 100,
    subtotal: 100,
  }
  const one = { ...line, lineDiscounts: [], orderDiscounts: [], ...paid }
  const some = (lines: Quote['lines']): Quote => ({
    ...{ currency: 'EUR', prices: 'gross', lines, discounts: [], taxes: [] },
    ...{ subtotal: 100, discount: 0, net: 100, tax: 0, total: 100 },
  })
  const zero = { ...one, taxRate: { name: { en: 'VAT 0 %' }, ratePpm: 0 } }
  assert.deepEqual(invoiceOf(some([one]), particulars).lines[0]?.rate.category, 'O')
  assert.deepEqual(invoiceOf(some([zero]), particulars).lines[0]?.rate.category, 'Z')
  assert.equal(invoiceOf(some([zero]), { ...particulars, language: 'zh' }).lines[0]?.rate.name, 'VAT 0 %')
})
