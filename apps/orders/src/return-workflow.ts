import type { OrderReturn } from '@caravan/contracts/returns'
import type { Workflow, Workflows } from '@caravan/service-kit/workflow-worker'
import type { Fulfilment, FulfilmentChange } from './domain/fulfilment.ts'
import { isAwaited, lapse, returnOf, settle } from './domain/returns.ts'
import type { Fulfilments } from './fulfilments.ts'

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
  if (seen.status === 'received') seen = yield ctx.callActivity('settleReturn', ref)
  return seen.status
} satisfies Workflow

const anybodys = () => undefined

export const returnWorkflows = (fulfilments: Fulfilments): Workflows => {
  const changing =
    (apply: (before: Fulfilment, id: string, now: Date) => FulfilmentChange) =>
    async ({ orderId, returnId }: ReturnRef): Promise<Seen> => {
      const { fulfilment } = await fulfilments.update(orderId, anybodys, (before) =>
        apply(before, returnId, new Date()),
      )
      const { status, until } = returnOf(fulfilment, returnId)
      return { status, until }
    }
  return {
    workflows: { [returnWorkflow.name]: followReturn },
    activities: { lookAtReturn: changing(lapse), settleReturn: changing(settle) },
  }
}
