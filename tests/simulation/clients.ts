import type { Order } from '@caravan/contracts/orders'
import type { Answer } from './http-stand-in.ts'
import type { Surroundings } from './surroundings.ts'
import type { Owner } from './virtual-time.ts'

export interface Line {
  readonly sku: string
  readonly quantity: number
}

/** What a client was told, whatever the shop's own books say. */
export type Told =
  | { readonly what: 'placed'; readonly key: string; readonly order: Order }
  | { readonly what: 'refused'; readonly key: string; readonly code: string }
  | { readonly what: 'payment'; readonly order: string; readonly id: string; readonly status: string }
  | { readonly what: 'declined'; readonly order: string }
  | { readonly what: 'cancelled'; readonly order: string }

const transient = ({ status, body }: Answer): boolean =>
  status >= 500 || status === 429 || (body as { code?: string }).code === 'idempotency/in-flight'

const accounts = ['0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5a0', '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5a1']
const shippingAddress = { line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' }

/** Shoppers. One buys under one key, whatever becomes of the request; it repeats it as often as it has patience. */
export const createClients = (world: Surroundings) => {
  const { timeline } = world
  const owner: Owner = { name: 'client', alive: true, skew: 0, startedAt: timeline.now() }
  const told: Told[] = []
  const orders = new Map<number, Promise<Order | undefined>>()
  const carts = new Map<number, object>()
  let under = 0

  const ask = async (
    app: 'orders' | 'payments' | 'inventory',
    operation: string,
    given: { account?: string; key?: string; params?: Record<string, unknown>; body?: unknown },
    patience: number,
  ): Promise<Answer | undefined> => {
    const { account = 'member nobody', key, params, body } = given
    const headers = {
      authorization: `Bearer ${account}`,
      'content-type': 'application/json',
      ...(key ? { 'idempotency-key': key } : {}),
    }
    for (let attempt = 1; attempt <= patience; attempt += 1) {
      const request = { operation, params, headers, body: body === undefined ? '' : JSON.stringify(body) }
      const answer = await world.ask(owner, 'client', app, request, 12_000).catch(() => undefined)
      if (answer && !transient(answer)) return answer
      await timeline.sleep(Math.min(8000, 300 * 2 ** (attempt - 1)), owner)
    }
    return undefined
  }

  const going = <T>(work: Promise<T>): Promise<T> => {
    under += 1
    return work.finally(() => {
      under -= 1
    })
  }

  const accountOf = (slot: number) => `member ${accounts[slot % 2]}`

  /** Places the slot's order, or repeats the request for it. */
  const place = async (
    slot: number,
    lines: readonly Line[],
    patience: number,
  ): Promise<Order | undefined> => {
    const key = `order-${slot}`
    // A repeat is the same request, whatever the price is by then.
    const body = carts.get(slot) ?? {
      items: lines.map((line) => ({
        ...line,
        unitPrice: { amount: world.priceOf(line.sku), currency: 'USD' },
      })),
      shippingAddress: { name: key, ...shippingAddress },
    }
    carts.set(slot, body)
    const answer = await ask('orders', 'placeOrder', { account: accountOf(slot), key, body }, patience)
    if (answer?.status === 201) {
      const order = answer.body as Order
      world.note('client', `${key} is ${order.id}`)
      told.push({ what: 'placed', key, order })
      return order
    }
    if (answer) told.push({ what: 'refused', key, code: String((answer.body as { code?: string }).code) })
    world.note('client', `${key}: ${answer ? JSON.stringify(answer.body) : 'gave up'}`)
    return undefined
  }

  const withOrder = async (slot: number, act: (order: Order) => Promise<void>): Promise<void> => {
    const order = await orders.get(slot)
    if (order) await act(order)
  }

  return {
    owner,
    told: told as readonly Told[],
    /** Requests that a client still hopes for. */
    under: () => under,

    /** `requests`: so many with the same key at once. */
    place: (slot: number, lines: readonly Line[], patience: number, requests: number): void => {
      const all = Array.from({ length: requests }, () => going(place(slot, lines, patience)))
      const before = orders.get(slot)
      orders.set(
        slot,
        going(Promise.all([before, ...all]).then((found) => found.find((order) => order !== undefined))),
      )
    },

    pay: (slot: number, card: string, key: number, patience: number, requests: number): void => {
      const pay = withOrder(slot, async ({ id }) => {
        const given = {
          account: accountOf(slot),
          key: `payment-${slot}-${key}`,
          params: { orderId: id },
          body: { paymentMethod: card },
        }
        const answers = Array.from({ length: requests }, () => ask('payments', 'payOrder', given, patience))
        for (const answer of await Promise.all(answers)) {
          world.note('client', `pays ${id}: ${JSON.stringify(answer?.body)}`)
          if (answer?.status === 402) told.push({ what: 'declined', order: id })
          if (answer?.status !== 201) continue
          const payment = answer.body as { id: string; status: string }
          told.push({ what: 'payment', order: id, id: payment.id, status: payment.status })
        }
      })
      void going(pay)
    },

    cancel: (slot: number, patience: number): void => {
      const cancel = withOrder(slot, async ({ id }) => {
        const given = { account: accountOf(slot), params: { orderId: id } }
        const answer = await ask('orders', 'cancelOrder', given, patience)
        world.note('client', `cancels ${id}: ${answer?.status}`)
        if (answer?.status === 200) told.push({ what: 'cancelled', order: id })
      })
      void going(cancel)
    },

    /** An operator receives stock or writes it off, once an adjustment. */
    adjust: (adjustmentId: string, sku: string, delta: number, patience: number): Promise<unknown> =>
      going(
        ask(
          'inventory',
          'adjustStock',
          {
            account: 'operator somebody',
            params: { sku, adjustmentId },
            body: { delta, reason: 'simulated' },
          },
          patience,
        ),
      ),
  }
}

export type Clients = ReturnType<typeof createClients>
