import type { Edit } from './load-services.ts'

export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
  /** What it switches off heals what is left out by default. */
  readonly unhealed?: true
}

const mutant = (name: string, ...edits: [file: string, find: string, put: string][]): Mutant => ({
  name,
  edits: edits.map(([file, find, put]) => ({ file, find, put })),
})

const kit = '/service-kit/src'
const stockStore = '/inventory/src/stock-store.ts'
const orderStore = '/orders/src/order-store.ts'
const placeOrder = '/orders/src/place-order.ts'
const order = '/orders/src/domain/order.ts'
const lostAnswers = '/orders/src/lost-answers.ts'
const paymentStore = '/payments/src/payment-store.ts'

/** The product with one of its safeguards switched off. */
export const mutants: readonly Mutant[] = [
  mutant('inbox: a repeated event is handled again', [
    `${kit}/subscription.ts`,
    'if (inserted.affectedRows === some.length) return handleAll(some, tx)',
    'if (inserted.affectedRows >= 0) return handleAll(some, tx)',
  ]),
  mutant(
    'idempotency: a repeated request runs again',
    [
      `${kit}/idempotency.ts`,
      'if (inserted.affectedRows === 1) return handle(scope, key, id)',
      'if (inserted.affectedRows >= 0) return handle(scope, key, id)',
    ],
    [`${kit}/idempotency.ts`, 'if (result.affectedRows === 0) throw inFlight()\n', ''],
  ),
  mutant('idempotency: the record is not of the effect’s transaction', [
    placeOrder,
    '(tx, placed) => once.record(tx, 201, present(placed))',
    'async () => {}',
  ]),
  mutant('stock: it is taken without asking whether it is there', [
    stockStore,
    '(sku = ? AND $' + '{from} >= ?)',
    '(sku = ? AND ? > 0)',
  ]),
  mutant(
    'stock: it is taken without asking, and the table does not mind',
    [stockStore, '(sku = ? AND $' + '{from} >= ?)', '(sku = ? AND ? > 0)'],
    ['/inventory/migrations/0001-stock.sql', 'CHECK (available >= 0 AND', 'CHECK (received >= 0 OR'],
  ),
  mutant('outbox: facts are written outside of their transaction', [
    `${kit}/outbox.ts`,
    'await tx.raw(\n      `INSERT INTO outbox',
    'await db.raw(\n      `INSERT INTO outbox',
  ]),
  mutant('outbox: facts are published at once instead', [
    `${kit}/outbox.ts`,
    'const trace = traceparent() ?? null\n',
    `const trace = traceparent() ?? null
    const events = facts.map(({ definition, data }) => ({ ...{ specversion: '1.0' as const, id: newId(), source: name },
      ...{ type: definition.topic, time: new Date().toISOString(), datacontenttype: 'application/json' as const, data } }))
    for (const event of events) void sidecar.publish(pubsub, event.type, [event]).catch(() => undefined)
    if (events) return
`,
  ]),
  mutant('compensation: an order that failed is not given up', [
    placeOrder,
    'const committed = await orders.abandon(accountId, once, abandoned)',
    'const committed = undefined as Order | undefined',
  ]),
  mutant('tombstone: a release that comes first leaves no trace', [
    stockStore,
    'if (tombstone.affectedRows === 1) return\n',
    `if (tombstone.affectedRows === 1) {
      await tx('reservations').where({ order_id: orderId }).delete()
      return
    }
`,
  ]),
  mutant('refund: that money must go back is not told', [
    order,
    `history: note(order, 'refund-due', now),
      },
      facts: [refundDue(order, paymentId, order.cancelReason ?? 'shopper')],`,
    `history: note(order, 'refund-due', now),
      },
      facts: [],`,
  ]),
  mutant(
    'refund: that money must go back is not told, and nobody asks',
    [
      order,
      `history: note(order, 'refund-due', now),
      },
      facts: [refundDue(order, paymentId, order.cancelReason ?? 'shopper')],`,
      `history: note(order, 'refund-due', now),
      },
      facts: [],`,
    ],
    [lostAnswers, "ask('lost-refunds', ['confirmed', 'cancelled'], refundsAtOnce, askForRefunds),", ''],
  ),
  mutant('refund: that the money of an order whose stock is gone must go back is not told', [
    order,
    "facts: [...change.facts, refundDue(order, order.payment.id, 'out-of-stock')],",
    'facts: change.facts,',
  ]),
  mutant(
    'payment: an order may have two at a time',
    ['/payments/migrations/0001-payments.sql', 'ascii_bin NULL UNIQUE', 'ascii_bin NULL'],
    [paymentStore, "(await db('payments').where({ live_order_id: payment.orderId }).first()) ??\n", ''],
  ),
  mutant('payment: the provider gets another key each time', [
    '/payments/src/provider.ts',
    "{ 'idempotency-key': idempotencyKey }",
    "{ 'idempotency-key': idempotencyKey + Math.random() }",
  ]),
  mutant('payment: it is captured whatever its state is', [
    paymentStore,
    "WHERE id = ? AND status IN ('processing', 'declined')`",
    'WHERE id = ?`',
  ]),
  mutant('payment: what the provider says of one that was given up is not believed', [
    paymentStore,
    "status IN ('processing', 'declined')",
    "status IN ('processing')",
  ]),
  mutant('order: it is changed without a lock on its row', [
    orderStore,
    "whereIn('id', ids).orderBy('id').forUpdate()",
    "whereIn('id', ids).orderBy('id')",
  ]),
  mutant('reservation: one that lapsed is sold as if it were held', [
    stockStore,
    "const held = having('held')",
    "const held = [...having('held'), ...having('released')]",
  ]),
  mutant('outbox: what is published is never marked', [
    `${kit}/outbox.ts`,
    'UPDATE outbox SET sent = TRUE',
    'UPDATE outbox SET sent = FALSE',
  ]),
  mutant('provider: what it did not tell is not asked', [
    '/payments/src/settlement.ts',
    'return [missingAnswers, dueRefunds, reconciliation]',
    'return [dueRefunds]',
  ]),
  {
    ...mutant('broker: what it lost is not asked for', [
      '/orders/src/main.ts',
      '...lostAnswers(stores, tools),',
      '',
    ]),
    unhealed: true,
  },
]
