import type { Edit } from '../../simulation/load-services.ts'
import { mutants as simulated } from '../../simulation/mutants.ts'

/** Why a detector cannot see a mutant. */
export interface Blind {
  readonly blind: string
}

export interface DrillRun {
  readonly name: string
  readonly rounds: number
  /** How long a fault lasts that lasts. */
  readonly seconds?: number
}

/** The product with one of its safeguards switched off, and who is to notice. */
export interface Mutant {
  readonly name: string
  readonly what: string
  readonly edits: readonly Edit[]
  /** Files for `npm test`. */
  readonly tests: readonly string[]
  /** The audit after it is looked at by itself. */
  readonly drill: DrillRun | Blind
  readonly simulation: 'simulated' | Blind
}

/** The edits of a mutant that the simulation has too. */
const asSimulated = (name: string): readonly Edit[] => {
  const found = simulated.find((mutant) => mutant.name === name)
  if (!found) throw new Error(`the simulation has no mutant "${name}"`)
  return found.edits
}

const kills: DrillRun = { name: 'kills', rounds: 2 }
const plenty: Blind = { blind: 'the load’s goods are never short' }

export const mutants: readonly Mutant[] = [
  {
    name: 'inbox',
    what: 'a repeated event is handled again',
    edits: asSimulated('inbox: a repeated event is handled again'),
    tests: ['packages/service-kit/src/inbox.db.test.ts'],
    drill: { name: 'events', rounds: 1, seconds: 8 },
    simulation: 'simulated',
  },
  {
    name: 'idempotency',
    what: 'a repeated request runs again',
    edits: asSimulated('idempotency: a repeated request runs again'),
    tests: ['packages/service-kit/src/idempotency.db.test.ts'],
    drill: kills,
    simulation: 'simulated',
  },
  {
    name: 'stock',
    what: 'stock is taken without asking whether it is there',
    edits: asSimulated('stock: it is taken without asking whether it is there'),
    tests: ['tests/acceptance/oversell.test.ts'],
    drill: plenty,
    simulation: 'simulated',
  },
  {
    name: 'stock-and-check',
    what: 'the same, and the table’s CHECK does not mind',
    edits: asSimulated('stock: it is taken without asking, and the table does not mind'),
    tests: ['tests/acceptance/oversell.test.ts'],
    drill: plenty,
    simulation: 'simulated',
  },
  {
    name: 'outbox',
    what: 'facts are published at once instead of written in their transaction',
    edits: asSimulated('outbox: facts are published at once instead'),
    tests: ['packages/service-kit/src/outbox.db.test.ts'],
    drill: { name: 'redis', rounds: 3 },
    simulation: 'simulated',
  },
  {
    name: 'webhook',
    what: 'nobody looks at the signature of a webhook',
    edits: [
      { file: '/payments/src/webhook.ts', find: '    verifySignature(signature, raw, secret)\n', put: '' },
    ],
    tests: ['apps/payments/src/webhook.test.ts'],
    drill: { blind: 'nobody forges a webhook' },
    simulation: { blind: 'nobody forges a webhook' },
  },
  {
    name: 'compensation',
    what: 'an order that failed is not given up',
    edits: asSimulated('compensation: an order that failed is not given up'),
    tests: ['tests/acceptance/degradation.test.ts'],
    drill: kills,
    simulation: 'simulated',
  },
  {
    name: 'refund',
    what: 'a payment that comes after its order was cancelled is not noted, nor its money demanded back',
    edits: [
      {
        file: '/orders/src/domain/order.ts',
        find: "  if (order.status === 'cancelled') {\n    return {\n",
        put: "  if (order.status === 'cancelled') {\n    if (order) return same(order)\n    return {\n",
      },
    ],
    tests: ['tests/acceptance/pay-versus-cancel.test.ts'],
    drill: { name: 'failpoints', rounds: 1 },
    simulation: 'simulated',
  },
  {
    name: 'ownership',
    what: 'another’s order is shown, cancelled and paid',
    edits: [
      { file: '/orders/src/routes.ts', find: 'if (order?.accountId !== accountId)', put: 'if (!order)' },
    ],
    tests: ['tests/acceptance/tokens.test.ts'],
    drill: { blind: 'nobody asks for another’s order' },
    simulation: { blind: 'nobody asks for another’s order' },
  },
]
