import { inLanguage, type Text } from '@caravan/contracts/common'
import type { Quote } from '@caravan/contracts/quotes'
import type { Shares } from '../domain/refund-shares.ts'
import type { Invoice, InvoiceLine, Position, Tax, Unnumbered } from './invoice.ts'
import { words } from './words.ts'

/** What a document says beside what an order costs. */
export type Particulars = Pick<Invoice, 'order' | 'language' | 'seller' | 'buyer' | 'payment'>

type Language = Invoice['language']
type Paid = Pick<Quote['lines'][number], 'net' | 'tax' | 'gross' | 'taxRate'>

/** A rate of zero is told as one; where there is no tax zone, it is no matter of VAT. */
const taxOf = ({ taxRate }: Paid, language: Language): Tax => {
  if (!taxRate) return { category: 'O', name: words[language].untaxed, ratePpm: 0 }
  const { name, ratePpm } = taxRate
  return { category: ratePpm > 0 ? 'S' : 'Z', name: inLanguage(name, language), ratePpm }
}

const common = ({ currency, prices }: Quote, particulars: Particulars) => ({
  ...{ ...particulars, currency, prices },
})

/** The invoice of an order, all of whose amounts are those that it keeps. */
export const invoiceOf = (quote: Quote, particulars: Particulars): Unnumbered => {
  const say = (text: Text) => inLanguage(text, particulars.language)
  const names = new Map(quote.discounts.map(({ promotionId, name }) => [promotionId, say(name)]))
  const position = (
    price: number,
    shares: readonly { promotionId: string; amount: number }[],
    paid: Paid,
  ): Position => ({
    price,
    discounts: shares.map(({ promotionId, amount }) => ({ name: names.get(promotionId) ?? '', amount })),
    ...{ net: paid.net, tax: paid.tax, gross: paid.gross, rate: taxOf(paid, particulars.language) },
  })
  const { lines, delivery } = quote
  return {
    ...{ kind: 'invoice', ...common(quote, particulars) },
    lines: lines.map(({ sku, title, quantity, unitPrice, subtotal, ...line }) => ({
      ...{ sku, title: say(title), quantity, unitPrice },
      ...position(subtotal, [...line.lineDiscounts, ...line.orderDiscounts], line),
    })),
    ...(delivery
      ? { delivery: { name: say(delivery.name), ...position(delivery.price, delivery.discounts, delivery) } }
      : {}),
  }
}

/**
 * The credit note for a part of an order that is paid back. What is paid back is told as it is, without discounts and prices of
 * one: they need not come out even.
 */
export const creditNoteOf = (
  quote: Quote,
  part: Shares,
  particulars: Particulars & Required<Pick<Invoice, 'corrects' | 'reason'>>,
): Unnumbered => {
  const say = (text: Text) => inLanguage(text, particulars.language)
  const position = ({ net, tax, gross }: Shares['delivery'], of: Paid): Position => ({
    ...{ price: quote.prices === 'net' ? net : gross, discounts: [], net, tax, gross },
    rate: taxOf(of, particulars.language),
  })
  const lines = part.lines.flatMap((share, index): InvoiceLine[] => {
    const line = quote.lines[index]
    if (!line || share.gross === 0) return []
    return [
      { sku: line.sku, title: say(line.title), quantity: share.quantity || 1, ...position(share, line) },
    ]
  })
  const { delivery } = quote
  return {
    ...{ kind: 'credit-note', ...common(quote, particulars), lines },
    ...(delivery && part.delivery.gross > 0
      ? { delivery: { name: say(delivery.name), ...position(part.delivery, delivery) } }
      : {}),
  }
}
