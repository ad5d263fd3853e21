import type { placeOrder } from '@caravan/contracts/orders'
import { chargeFault } from '@caravan/contracts/price'
import { AppError } from '@caravan/service-kit/errors'
import type { z } from 'zod'
import type { Offer } from './domain/goods.ts'
import type { Quoted } from './domain/quote.ts'
import { presentQuote, type Quotation } from './quoting.ts'

export type Body = z.output<NonNullable<typeof placeOrder.body>>

/** Throws 409 with the current prices and what it all costs now, when a price is not what the shopper saw. */
export const assertPrices = (items: Body['items'], { offers, ...quoted }: Quotation): void => {
  const priced = items.map((item) => ({ item, offer: offers.get(item.sku) as Offer }))
  const changed = priced.flatMap(({ item: { unitPrice: seen }, offer }, index) =>
    seen.amount === offer.unitPrice && seen.currency === offer.currency
      ? []
      : [{ pointer: `/items/${index}/unitPrice`, detail: 'no longer the price' }],
  )
  if (changed.length === 0) return
  const prices = priced.map(({ offer: { sku, unitPrice: amount, currency } }) => ({
    ...{ sku, unitPrice: { amount, currency } },
  }))
  throw new AppError('conflict', 'orders/price-changed', 'Prices have changed', {
    errors: changed,
    data: { prices, quote: presentQuote(quoted) },
  })
}

export const totalChanged = (quoted: Quoted, more: object = {}) =>
  new AppError('conflict', 'orders/total-changed', 'It costs something else by now', {
    data: { quote: presentQuote(quoted), ...more },
  })

/**
 * Throws 409 with the new quote when it is not what the shopper saw, and 422 for what nobody could send or pay. A delivery method that
 * was chosen and is not there any more is a change, too.
 */
export const assertSeen = ({ items, total, deliveryMethod }: Body, quotation: Quotation): void => {
  const { quote, deliveryMethods } = quotation
  if (deliveryMethods && deliveryMethod === undefined)
    throw new AppError('invalid', 'orders/no-delivery-method', 'Choose how it is to be delivered', {
      errors: [{ pointer: '/deliveryMethod', detail: 'one of those that the quote offers' }],
      data: { quote: presentQuote(quotation) },
    })
  const seen = total ?? {
    amount: items.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount, 0),
    currency: quote.currency,
  }
  const isChosen = deliveryMethod === undefined || quote.delivery !== undefined
  if (seen.amount !== quote.total || seen.currency !== quote.currency || !isChosen)
    throw totalChanged(quotation)
  const fault = quote.total === 0 ? undefined : chargeFault({ amount: quote.total, currency: quote.currency })
  if (fault)
    throw new AppError('invalid', 'orders/not-chargeable', 'No card can be charged with this order', {
      errors: [{ pointer: '/items', detail: fault }],
    })
}
