import type { OrderLine } from '@caravan/contracts/orders'
import type { Quote } from '@caravan/contracts/quotes'
import { quote } from '../quote.ts'

/** What some lines cost in a shop without taxes, delivery and promotions; `off` is taken off all together. */
export const plainQuote = (
  lines: readonly Omit<OrderLine, 'total'>[],
  currency = 'USD',
  off: readonly Parameters<typeof quote>[2][number][] = [],
): Quote =>
  quote(
    {
      items: lines.map(({ sku, productId, title, quantity, unitPrice }) => ({
        ...{ sku, productId, title, quantity, unitPrice, taxClass: 'standard', weightGrams: 0 },
      })),
      ...{ currency, destination: { country: 'CN' }, codes: [], now: '2026-11-01T08:00:00.000Z' },
      customer: { roles: [], isNew: false },
    },
    { markets: [], taxZones: [] },
    off,
  ).quote
