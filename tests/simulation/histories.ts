import type { App } from './load-services.ts'
import type { CommittedChange } from './memory-database.ts'
import type { Value, Values } from './sql-syntax.ts'
import type { World } from './world.ts'

/** The only moves of a status; a row's first one is listed under `new`. */
const legal: Record<string, Record<string, readonly string[]>> = {
  orders: {
    new: ['pending-payment'],
    'pending-payment': ['paid', 'cancelled'],
    paid: ['confirmed', 'cancelled'],
    confirmed: [],
    cancelled: [],
  },
  payments: {
    new: ['processing'],
    processing: ['captured', 'declined'],
    // The provider had it after all.
    declined: ['captured'],
    captured: ['refund-due'],
    'refund-due': ['refunded'],
    refunded: [],
  },
  reservations: { new: ['held', 'released'], held: ['released', 'sold'], released: ['sold'], sold: [] },
}

/** What an order is about never changes. */
const frozen: Record<string, readonly string[]> = {
  orders: ['account_id', 'currency', 'total', 'order_lines', 'shipping_address', 'placed_at', 'pay_before'],
  payments: ['order_id', 'account_id', 'amount', 'currency'],
}

const same = (a: Value | undefined, b: Value | undefined): boolean =>
  a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b

const startsWith = (longer: Value | undefined, shorter: Value | undefined): boolean => {
  const [long, short] = [JSON.parse(String(longer)), JSON.parse(String(shorter))] as [unknown[], unknown[]]
  return JSON.stringify(long.slice(0, short.length)) === JSON.stringify(short)
}

/** Follows every commit and holds each change to I6 and to what must be true in every state, not only in the end. */
export const createHistories = () => {
  /** Payments that were given up because the provider did not answer in time. */
  const givenUp = new Set<string>()

  const moved = (world: World, { table, before, after }: CommittedChange): void => {
    const moves = legal[table]
    if (!moves) return
    const id = String((after ?? before)?.id ?? (after ?? before)?.order_id)
    if (!after) {
      world.object('I6', `${table} ${id} was deleted`)
      return
    }
    const [from, to] = [before ? String(before.status) : 'new', String(after.status)]
    if (from !== to && !moves[from]?.includes(to)) world.object('I6', `${table} ${id} went ${from} → ${to}`)
    if (table === 'payments' && after.decline_code === 'provider_unreachable') givenUp.add(id)
    if (!before) return
    const changed = frozen[table]?.filter((column) => !same(before[column], after[column])) ?? []
    if (changed.length > 0) world.object('I6', `${table} ${id} changed its ${changed}`)
    if (table === 'orders' && !startsWith(after.history, before.history))
      world.object('I6', `order ${id} has another past: ${after.history} after ${before.history}`)
  }

  const counted = (world: World, { after }: CommittedChange): void => {
    if (!after) return
    const { sku, received, available, reserved, sold } = after as Record<string, number>
    const piles = [available, reserved, sold] as number[]
    if (piles.some((pile) => pile < 0) || received !== piles.reduce((sum, pile) => sum + pile, 0))
      world.object(
        'I1',
        `${sku}: received ${received}, available ${available}, reserved ${reserved}, sold ${sold}`,
      )
  }

  const balanced = (world: World, entries: readonly Values[]): void => {
    for (const [id, lines] of Map.groupBy(entries, (entry) => entry.transaction_id)) {
      const sum = lines.reduce((total, line) => total + Number(line.amount), 0)
      if (sum !== 0 || lines.length !== 2) world.object('I2', `ledger transaction ${id} sums to ${sum}`)
    }
  }

  return {
    givenUp: givenUp as ReadonlySet<string>,
    follow: (_: App, changes: readonly CommittedChange[], world: World): void => {
      for (const change of changes) {
        moved(world, change)
        if (change.table === 'stock') counted(world, change)
        if (change.table === 'ledger_entries' && change.before)
          world.object('I2', 'a ledger entry was changed')
      }
      balanced(
        world,
        changes.flatMap(({ table, after }) => (table === 'ledger_entries' && after ? [after] : [])),
      )
    },
  }
}

export type Histories = ReturnType<typeof createHistories>
