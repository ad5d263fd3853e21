import { decimalsOf } from '@caravan/contracts/price'
import { loadFaces } from './faces.ts'
import { contradiction, type Invoice, type Party, type Position, totalsOf } from './invoice.ts'
import { createSheet } from './sheet.ts'
import { words } from './words.ts'

const small = { size: 9, weight: 400 } as const
const strong = { size: 10, weight: 700 } as const

/** All that is written, before it is laid out: it tells which faces are needed. */
const contentOf = (invoice: Invoice) => {
  const { language, currency, prices, kind, lines, delivery, corrects } = invoice
  const say = words[language]
  const digits = decimalsOf(currency)
  const format = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  const money = (minor: number) => format.format(minor / 10 ** digits)
  const count = new Intl.NumberFormat(language)
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 4 })
  const long = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' })
  const day = (date: string) => long.format(new Date(date))
  const countries = new Intl.DisplayNames(language, { type: 'region' })
  const fact = (name: string, value: string | undefined) => (value ? [`${name}: ${value}`] : [])

  const party = ({
    name,
    company,
    line1,
    line2,
    city,
    region,
    postalCode,
    country,
    email,
    vatId,
    registration,
  }: Party) =>
    [
      ...[company, name, line1, line2, [postalCode, city].filter(Boolean).join(' '), region],
      ...[countries.of(country), email, ...fact(say.vatId, vatId), ...fact(say.registration, registration)],
    ]
      .filter(Boolean)
      .join('\n')

  const row = (
    what: string,
    sku: string,
    quantity: number,
    unitPrice: number | undefined,
    position: Position,
  ) => {
    const discounts = position.discounts.map(({ name, amount }) => `${name} −${money(amount)}`)
    return [
      [what, ...(sku ? [sku] : []), ...discounts].join('\n'),
      ...[
        count.format(quantity),
        unitPrice === undefined ? '' : money(unitPrice),
        percent.format(position.rate.ratePpm / 1_000_000),
      ],
      ...[money(position.net), money(position.gross)],
    ]
  }
  const totals = totalsOf(invoice)

  return {
    title: `${say[kind]} ${invoice.number}`,
    facts: [
      ...fact(say.issued, day(invoice.issuedOn)),
      ...fact(say.order, invoice.order),
      ...fact(say.corrects, corrects && `${corrects.number} (${day(corrects.issuedOn)})`),
      ...fact(say.reason, invoice.reason),
      ...fact(say.currency, currency),
    ].join('\n'),
    parties: [
      { head: say.seller, text: party(invoice.seller) },
      { head: say.buyer, text: party(invoice.buyer) },
    ],
    positionHeads: [
      ...[say.item, say.quantity, `${say.unitPrice} (${prices === 'gross' ? say.withTax : say.withoutTax})`],
      ...[say.rate, say.net, say.gross],
    ],
    positions: [
      ...lines.map((line) => row(line.title, line.sku, line.quantity, line.unitPrice, line)),
      ...(delivery ? [row(delivery.name, '', 1, delivery.price, delivery)] : []),
    ],
    totalHeads: ['', say.net, say.tax, say.gross],
    totals: [
      ...totals.taxes.map(({ rate, net, tax }) => [rate.name, money(net), money(tax), money(net + tax)]),
      [say.total, money(totals.net), money(totals.tax), money(totals.gross)],
    ],
    payment: invoice.payment,
    paid: `${kind === 'invoice' ? say.paid : say.refunded}: ${money(totals.gross)} ${currency}`,
    foot: (page: number, pages: number) => `${invoice.number} · ${say.page(page, pages)}`,
  }
}

const columns = (heads: readonly string[], some: readonly number[]) =>
  heads.map((head, index) => ({
    ...{ head, width: some[index] ?? 0 },
    align: index === 0 ? ('left' as const) : ('right' as const),
  }))

/** The document for people, A4. Throws where its amounts contradict one another. */
export const pdfOf = async (invoice: Invoice): Promise<Buffer> => {
  const fault = contradiction(invoice)
  if (fault) throw new Error(`${invoice.number} cannot be shown: ${fault}`)
  const content = contentOf(invoice)
  const { title, facts, parties, positionHeads, positions, totalHeads, totals, paid, payment, foot } = content
  const plain = [
    facts,
    ...parties.map(({ text }) => text),
    positions,
    totals,
    payment ?? '',
    foot(1234567890, 1234567890),
  ]
  const bold = [
    title,
    ...parties.map(({ head }) => head),
    positionHeads,
    totalHeads,
    totals.at(-1) ?? [],
    paid,
  ]
  const faces = await loadFaces({ 400: ` ${plain.flat(2).join('')}`, 700: ` ${bold.flat().join('')}` })
  const sheet = createSheet(title, invoice.language, new Date(invoice.issuedOn), faces)
  sheet.texts([
    { tag: 'H1', text: title, style: { size: 18, weight: 700 } },
    { tag: 'P', text: facts, style: small },
  ])
  sheet.space(12)
  sheet.texts(
    ...parties.map(
      ({ head, text }) =>
        [
          { tag: 'H2', text: head, style: strong },
          { tag: 'P', text, style: small },
        ] as const,
    ),
  )
  sheet.space(12)
  sheet.table(columns(positionHeads, [185, 45, 75, 45, 70, 75]), positions, false, 8.5)
  sheet.space(16)
  sheet.table(columns(totalHeads, [230, 90, 85, 90]), totals, true, 9)
  sheet.space(8)
  sheet.texts([
    { tag: 'P', text: paid, style: strong },
    ...(payment ? [{ tag: 'P', text: payment, style: small } as const] : []),
  ])
  return sheet.finish(foot)
}
