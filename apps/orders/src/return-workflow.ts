import { maxQuantity, sellUnits } from '@caravan/contracts/inventory'
import type { OrderReturn } from '@caravan/contracts/returns'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { Workflow, Workflows } from '@caravan/service-kit/workflow-worker'
import type { Fulfilment, FulfilmentChange } from './domain/fulfilment.ts'
import { type Exchanged, isAwaited, lapse, returnOf, settle } from './domain/returns.ts'
import type { Fulfilments } from './fulfilments.ts'
import type { OfferStore } from './offer-store.ts'
import { anybodys } from './whose.ts'

export interface ReturnRef {
  readonly orderId: string
  readonly returnId: string
}

type Seen = Pick<OrderReturn, 'status' | 'until'>

/** The workflow's name, and the event that has it look again. */
export const returnWorkflow = { name: 'followReturn', changed: 'changed' } as const

/**
 * What follows a request to return goods. What people say of it is in the order, where they said it; here is who is waited for, how long,
 * and what comes next. So the event carries nothing and may be lost or repeated, and all of this may begin anew at any point.
 */
const followReturn = async function* (ctx, ref: ReturnRef) {
  const look = () => ctx.callActivity('lookAtReturn', ref)
  let seen: Seen = yield look()
  let news = ctx.waitForExternalEvent(returnWorkflow.changed)
  while (isAwaited(seen.status)) {
    const soonest = ctx.getCurrentUtcDateTime().getTime() + 1000
    const timer = ctx.createTimer(new Date(Math.max(Date.parse(String(seen.until)), soonest)))
    const first: unknown = yield ctx.whenAny([news, timer])
    if (first === news) news = ctx.waitForExternalEvent(returnWorkflow.changed)
    seen = yield look()
  }
  if (seen.status !== 'received') return seen.status
  const exchanged: Exchanged = yield ctx.callActivity('exchangeReturn', ref)
  seen = yield ctx.callActivity('settleReturn', { ...ref, ...exchanged })
  return seen.status
} satisfies Workflow

interface Parts {
  readonly fulfilments: Fulfilments
  readonly offers: OfferStore
  readonly sidecar: Pick<Sidecar, 'call'>
}

export const returnWorkflows = ({ fulfilments, offers, sidecar }: Parts): Workflows => {
  const change = async (
    { orderId, returnId }: ReturnRef,
    apply: (before: Fulfilment, id: string, now: Date) => FulfilmentChange,
  ): Promise<Seen> => {
    const { fulfilment } = await fulfilments.update(orderId, anybodys, (before) =>
      apply(before, returnId, new Date()),
    )
    const { status, until } = returnOf(fulfilment, returnId)
    return { status, until }
  }

  /** Where the goods are not to be had, the exchange is none: the money goes back. */
  const exchangeReturn = async ({ orderId, returnId }: ReturnRef): Promise<Exchanged> => {
    const { fulfilment } = await fulfilments.find(orderId, anybodys)
    const { exchange, status } = returnOf(fulfilment, returnId)
    if (!exchange || status !== 'received') return { sold: false }
    const { sku, quantity } = exchange
    const items = Array.from({ length: Math.ceil(quantity / maxQuantity) }, (_, n) => ({
      ...{ sku, quantity: Math.min(maxQuantity, quantity - n * maxQuantity) },
    }))
    const { outcome } = await sidecar.call(sellUnits, { body: { saleId: returnId, orderId, items } })
    return { sold: outcome === 'sold', seller: (await offers.find([sku])).offers.get(sku)?.seller }
  }

  return {
    workflows: { [returnWorkflow.name]: followReturn },
    activities: {
      lookAtReturn: (ref: ReturnRef) => change(ref, lapse),
      exchangeReturn,
      settleReturn: ({ sold, seller, ...ref }: ReturnRef & Exchanged) =>
        change(ref, (before, id, now) => settle(before, id, now, { sold, seller })),
    },
  }
}
