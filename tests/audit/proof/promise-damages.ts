import type { ClientEntry } from '../../support/client-log.ts'
import { demand, keys, promised, promisedEnd, promisedPayment, unasked } from './check-names.ts'
import type { Story } from './sample-story.ts'
import { type Case, nobody, type Spoil } from './spoil.ts'

export const ofPromises = (
  { first, second, cancelled, unpaid, skuA, other, began }: Story,
  { sql, inLog }: Spoil,
): Case[] => {
  const more = (...entries: readonly object[]) =>
    inLog((log) => [...log, ...entries.map((entry) => ({ at: began, ...entry }))])
  type Placed = Extract<ClientEntry, { what: 'order-placed' }>
  const instead = (order: { readonly id: string }, change: (entry: Placed) => object) =>
    inLog((log) =>
      log.map((entry) => (entry.what === 'order-placed' && entry.order === order.id ? change(entry) : entry)),
    )
  const refusal = (at: string, quantity: number) => {
    const items = [{ sku: skuA, quantity }]
    const code = 'inventory/insufficient-stock'
    return inLog((log) => [
      { at, what: 'order-asked', account: other, key: 'refused', items },
      { at, what: 'order-refused', key: 'refused', code, short: items },
      ...log,
    ])
  }
  const lies = { order: nobody, account: nobody, total: 1, currency: 'EUR', items: [] }
  return [
    ...Object.entries(lies).map(
      ([field, value]): Case => [
        `a promise with another ${field}`,
        instead(cancelled, (entry) => ({ ...entry, [field]: value })),
        [promised],
      ],
    ),
    [
      'a payment that a client was told of and nobody knows',
      more({ what: 'payment-answered', order: first.id, payment: nobody, status: 'captured' }),
      [promisedPayment],
    ],
    [
      'an order told as confirmed that is not',
      more({ what: 'order-confirmed', order: unpaid.id }),
      [promisedEnd],
    ],
    [
      'an order under a key that was refused',
      instead(cancelled, ({ at, key }) => ({ at, what: 'order-refused', key, code: 'x', short: [] })),
      ['nothing was ordered under a key that was refused'],
    ],
    ['a key with two orders', instead(second, (entry) => ({ ...entry, key: first.key })), [keys]],
    ['an order for two keys', instead(second, (entry) => ({ ...entry, order: first.id })), [keys]],
    [
      'an order that its client never asked for',
      inLog((log) => log.filter((entry) => !('key' in entry) || entry.key !== first.key)),
      [unasked],
    ],
    [
      'a refusal of what lies on the shelf',
      refusal(new Date(Date.now() + 3_600_000).toISOString(), 1),
      [demand],
    ],
    [
      'a refusal of what was sold to others after it',
      async () => {
        // So that what was received surely came before.
        const undo = await sql(
          'UPDATE inventory.adjustments SET adjusted_at = adjusted_at - INTERVAL 1 HOUR',
        )()
        const undoLog = await refusal(began, 20)()
        return () => Promise.all([undo(), undoLog()])
      },
      [demand],
    ],
  ]
}
