import fc from 'fast-check'
import { type Invoice, type InvoiceLine, type Position, sum, type Tax } from './invoice.ts'

/** What a shop sells that rounds tax by line, half up. */
export const vat = (percent: number): Tax => ({
  ...{ category: percent > 0 ? 'S' : 'Z', name: `VAT ${percent} %`, ratePpm: percent * 10_000 },
})
export const untaxed = (category: 'E' | 'G' | 'O', name: string): Tax => ({ category, name, ratePpm: 0 })

type Prices = Invoice['prices']
type Discounts = Position['discounts']

export const position = (prices: Prices, price: number, rate: Tax, discounts: Discounts = []): Position => {
  const left = price - sum(discounts.map(({ amount }) => amount))
  const share = rate.ratePpm / 1_000_000
  const tax = Math.round(prices === 'net' ? left * share : (left * share) / (1 + share))
  const [net, gross] = prices === 'net' ? [left, left + tax] : [left - tax, left]
  return { ...{ price, discounts, net, tax, gross, rate } }
}

export const lineOf = (
  prices: Prices,
  [title, quantity, unitPrice, rate, discounts]: [string, number, number, Tax, Discounts?],
): InvoiceLine => ({
  ...{ sku: 'GAIWAN-WHITE', title, quantity, unitPrice },
  ...position(prices, quantity * unitPrice, rate, discounts),
})

const courier = (prices: Prices, price: number, rate: Tax, discounts?: Discounts) => ({
  ...{ name: 'Courier' },
  ...position(prices, price, rate, discounts),
})

export const invoice: Invoice = {
  ...{
    kind: 'invoice',
    number: '2026-000017',
    issuedOn: '2026-11-28',
    order: 'CV-7K3M-92QF',
    language: 'en',
  },
  ...{ currency: 'EUR', prices: 'gross', payment: 'Zapłacono kartą.\n已用卡支付。' },
  seller: {
    ...{
      name: 'Łucja Żółć',
      company: 'Karawana Herbat Sp. z o.o.',
      line1: 'ul. Świętokrzyska 1',
      city: 'Łódź',
    },
    ...{ postalCode: '90-001', country: 'PL', email: 'shop@caravan.example' },
    ...{ vatId: 'PL5260250274', registration: '0000123456' },
  },
  buyer: {
    ...{
      name: '王小明',
      line1: '长安街 1 号',
      line2: '3 & 4 <楼>',
      city: '西安',
      region: '陕西',
      postalCode: '710000',
    },
    ...{ country: 'CN', email: 'mei@example.com' },
  },
  lines: [
    lineOf('gross', ['Gaiwan, white', 3, 999, vat(23)]),
    lineOf('gross', ['白毫银针', 1, 4950, vat(23)]),
  ],
  delivery: courier('gross', 1500, vat(23)),
}

const mixed = (prices: Prices) => [
  lineOf(prices, ['Gaiwan, white', 3, 999, vat(23)]),
  lineOf(prices, ['Book about tea', 2, 3333, vat(5)]),
  lineOf(prices, ['Tea', 1, 777, vat(8)]),
]
const corrects = { number: invoice.number, issuedOn: invoice.issuedOn }
export const credit = {
  kind: 'credit-note',
  number: 'C-2026-000003',
  issuedOn: '2026-12-03',
  corrects,
  reason: 'Returned',
} as const
const { delivery: _, ...withoutDelivery } = invoice

/** One of each kind that the shop issues. */
export const samples: Readonly<Record<string, Invoice>> = {
  gross: invoice,
  net: {
    ...{
      ...invoice,
      prices: 'net',
      lines: mixed('net').slice(0, 1),
      delivery: courier('net', 1219, vat(23)),
    },
  },
  discounted: {
    ...invoice,
    lines: [
      lineOf('gross', [
        'Gaiwan',
        3,
        999,
        vat(23),
        [
          { name: 'Tea week', amount: 300 },
          { name: 'TEA & <10>', amount: 27 },
        ],
      ]),
      lineOf('gross', ['Cup, the second is free', 2, 1, vat(23), [{ name: 'Two for one', amount: 1 }]]),
    ],
    delivery: courier('gross', 1500, vat(23), [{ name: 'Free delivery', amount: 1500 }]),
  },
  'discounted, net': {
    ...{ ...invoice, prices: 'net' },
    lines: [lineOf('net', ['Gaiwan', 7, 333, vat(19), [{ name: 'Tea week', amount: 100 }]])],
    delivery: courier('net', 490, vat(19), [{ name: 'Half', amount: 245 }]),
  },
  free: {
    ...withoutDelivery,
    lines: [lineOf('gross', ['Sample', 1, 500, vat(23), [{ name: 'Gift', amount: 500 }]])],
  },
  'zero-rate': { ...withoutDelivery, lines: [lineOf('gross', ['Book', 2, 1250, vat(0)])] },
  exempt: {
    ...withoutDelivery,
    lines: [lineOf('net', ['Course', 1, 9900, untaxed('E', 'Exempt: art. 132 of 2006/112/EC')])],
  },
  export: { ...withoutDelivery, lines: [lineOf('net', ['Gaiwan', 1, 9900, untaxed('G', 'Export')])] },
  'outside of VAT': {
    ...withoutDelivery,
    lines: [lineOf('net', ['Gaiwan', 3, 999, untaxed('O', 'Not subject to VAT')])],
  },
  'mixed-rate': {
    ...invoice,
    lines: [...mixed('gross'), lineOf('gross', ['Book', 2, 1250, vat(0)])],
    delivery: courier('gross', 1500, vat(8)),
  },
  'mixed-rate, net': {
    ...invoice,
    prices: 'net',
    lines: mixed('net'),
    delivery: courier('net', 1500, vat(23)),
  },
  'a rate of three decimals': {
    ...withoutDelivery,
    prices: 'net',
    currency: 'USD',
    lines: [lineOf('net', ['Gaiwan', 3, 999, vat(8.875)])],
  },
  yen: {
    ...invoice,
    currency: 'JPY',
    lines: [lineOf('gross', ['Gaiwan', 3, 1101, vat(10)])],
    delivery: courier('gross', 550, vat(10)),
  },
  'dinars in tens of fils': {
    ...withoutDelivery,
    ...{
      currency: 'KWD',
      prices: 'net',
      lines: [lineOf('net', ['Gaiwan', 3, 12_340, vat(5)])].map((line) => ({
        ...line,
        tax: 1850,
        gross: 38_870,
      })),
    },
  },
  refunded: { ...invoice, ...credit },
  'refunded in part': {
    ...withoutDelivery,
    ...credit,
    lines: [lineOf('gross', ['Gaiwan', 1, 999, vat(23), [{ name: 'Tea week', amount: 109 }]])],
  },
  'refunded delivery alone': { ...invoice, ...credit, lines: [] },
}

const aRate = fc.constantFrom(vat(23), vat(19), vat(8), vat(5), vat(5.5), vat(2.1), vat(0))
const aDiscount = (most: number): fc.Arbitrary<Discounts> =>
  fc.array(fc.record({ name: fc.constantFrom('Tea week', 'TEA10'), amount: fc.nat(most) }), { maxLength: 2 })

/** Any invoice or credit note that a shop issues, with up to forty lines, each rounded by itself. */
export const anInvoice: fc.Arbitrary<Invoice> = fc
  .record({ prices: fc.constantFrom<Prices>('gross', 'net'), kind: fc.boolean() })
  .chain(({ prices, kind }) => {
    const aLine = fc
      .record({ quantity: fc.integer({ min: 1, max: 40 }), unitPrice: fc.nat(200_000), rate: aRate })
      .chain(({ quantity, unitPrice, rate }) =>
        aDiscount(Math.floor((quantity * unitPrice) / 2)).map((discounts) =>
          lineOf(prices, ['Gaiwan', quantity, unitPrice, rate, discounts]),
        ),
      )
    return fc
      .record({ lines: fc.array(aLine, { minLength: 1, maxLength: 40 }), price: fc.nat(5000), rate: aRate })
      .map(({ lines, price, rate }) => ({
        ...{ ...invoice, ...(kind ? {} : credit) },
        ...{ prices, lines, delivery: courier(prices, price, rate) },
      }))
  })
