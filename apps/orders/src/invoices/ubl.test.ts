import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anInvoice, invoice, lineOf, samples, untaxed, vat } from './fixture.ts'
import { type Invoice, totalsOf } from './invoice.ts'
import { ublOf } from './ubl.ts'
import { ublFault } from './ubl-fault.ts'

/** The texts of all elements of a name. */
const textsOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, text]) => text ?? '')
const cents = (text: string | undefined) => Math.round(Number(text) * 100)
const sumOf = (xml: string, name: string) => textsOf(xml, name).reduce((sum, text) => sum + cents(text), 0)
const one = (xml: string, name: string): number => {
  assert.equal(textsOf(xml, name).length, 1, name)
  return cents(textsOf(xml, name)[0])
}

test('what is told adds up as the norm reckons it, and is to the cent what was frozen', () => {
  fc.assert(
    fc.property(anInvoice, (some) => {
      const xml = ublOf(some)
      const { net, tax, gross, taxes } = totalsOf(some)
      const [all, ...linesOfAll] = textsOf(xml, 'cbc:LineExtensionAmount').map(cents)
      const lines = linesOfAll.reduce((sum, each) => sum + each, 0)
      assert.equal(all, lines, 'BR-CO-10')
      const charges = one(xml, 'cbc:ChargeTotalAmount')
      assert.deepEqual([one(xml, 'cbc:TaxExclusiveAmount'), all + charges], [net, net], 'BR-CO-13')
      assert.equal(one(xml, 'cbc:TaxInclusiveAmount'), gross, 'BR-CO-15')
      assert.equal(sumOf(xml, 'cbc:TaxableAmount'), net)
      assert.equal(sumOf(xml, 'cbc:TaxAmount'), 2 * tax, 'BR-CO-14: the sum, then its parts')
      assert.equal(textsOf(xml, 'cbc:TaxableAmount').length, taxes.length)
      const lineOf = (xml: string) => ({
        quantity: Number(/Quantity unitCode="C62">(\d+)<\/cbc:(?:Invoiced|Credited)/.exec(xml)?.[1]),
        base: Number(textsOf(xml, 'cbc:BaseQuantity')[0] ?? 1),
      })
      const written = xml.split(/<cac:(?:Invoice|CreditNote)Line>/).slice(1)
      assert.equal(written.length, some.lines.length)
      for (const line of written) {
        const { quantity, base } = lineOf(line)
        const allowance = sumOf(line, 'cbc:Amount')
        const price = (one(line, 'cbc:PriceAmount') * quantity) / base
        assert.equal(price - allowance, one(line, 'cbc:LineExtensionAmount'))
      }
    }),
  )
})

test('what a person wrote is there as it was written', () => {
  const xml = ublOf(samples.discounted as Invoice)
  assert.ok(xml.includes('3 &amp; 4 &lt;楼&gt;') && xml.includes('王小明') && xml.includes('Łódź'))
  assert.ok(xml.includes('Tea week, TEA &amp; &lt;10&gt;'))
})

test('a currency without decimals has none, one of three is told in hundredths', () => {
  assert.deepEqual(textsOf(ublOf(samples.yen as Invoice), 'cbc:TaxInclusiveAmount'), ['3853'])
  const dinars = ublOf(samples['dinars in tens of fils'] as Invoice)
  assert.deepEqual(textsOf(dinars, 'cbc:TaxInclusiveAmount'), ['38.87'])
  assert.deepEqual(textsOf(dinars, 'cbc:PriceAmount'), ['12.340'])
})

test('a price that is no whole number of cents is told for all of the line', () => {
  const xml = ublOf(samples.gross as Invoice)
  assert.deepEqual(textsOf(xml, 'cbc:PriceAmount'), ['24.37', '40.24'])
  assert.deepEqual(textsOf(xml, 'cbc:BaseQuantity'), ['3'])
})

const far = Array.from({ length: 5 }, () => lineOf('net', ['Cup', 1, 105, vat(10)]))
const { delivery: _, ...withoutDelivery } = invoice
const { vatId: _id, ...withoutVatId } = invoice.seller
const { registration: _no, ...withoutRegistration } = invoice.seller
const outside = lineOf('net', ['Gaiwan', 1, 9900, untaxed('O', 'Not subject to VAT')])
const unsayable: [rule: string, invoice: Invoice][] = [
  ['BR-CO-17', { ...withoutDelivery, currency: 'JPY', prices: 'net', lines: far }],
  ['BR-CO-17', { ...withoutDelivery, prices: 'net', lines: [lineOf('net', ['Gold', 1, 50_000, vat(0.4)])] }],
  [
    'BR-DEC',
    {
      ...withoutDelivery,
      currency: 'KWD',
      prices: 'net',
      lines: [lineOf('net', ['Gaiwan', 1, 12_345, vat(0)])],
    },
  ],
  [
    'BR-O-11',
    { ...withoutDelivery, prices: 'net', lines: [outside, lineOf('net', ['Cup', 1, 100, vat(5)])] },
  ],
  ['BR-S-02', { ...invoice, seller: withoutVatId }],
  ['BR-CO-26', { ...withoutDelivery, prices: 'net', lines: [outside], seller: withoutRegistration }],
]
for (const [rule, some] of unsayable)
  test(`what the norm has no form for is told before it is written: ${rule}`, () => {
    assert.ok(ublFault(some)?.includes(rule), ublFault(some))
    assert.throws(() => ublOf(some), { message: new RegExp(rule) })
  })

test('amounts that contradict one another are not written', () => {
  const lines = [{ ...lineOf('gross', ['Gaiwan', 3, 999, vat(23)]), tax: 561 }]
  assert.throws(() => ublOf({ ...invoice, lines }), /net and tax are not gross/)
})
