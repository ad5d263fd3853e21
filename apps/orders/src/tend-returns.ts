import { type Background, everyAsLeader } from '@caravan/service-kit/background'
import type { Tools } from '@caravan/service-kit/run-service'
import { inEach, type Sharded } from '@caravan/service-kit/shards'
import { isOver } from './domain/returns.ts'
import type { ReturnStore, Tended } from './return-store.ts'
import { type ReturnRef, returnWorkflow } from './return-workflow.ts'

const atOnce = 20

/** Has a return's workflow look at it; begins the workflow where there is none, or it failed. */
const wake = async (ref: ReturnRef, { sidecar }: Tools): Promise<void> => {
  const { orderId, returnId } = ref
  if (await sidecar.workflow.goesOn(returnId)) await sidecar.workflow.raise(returnId, returnWorkflow.changed)
  else await sidecar.workflow.start(returnWorkflow.name, returnId, { orderId, returnId })
}

/** For whoever has changed a return: at once and in the background, since `tendReturns` makes good what fails. */
export const createWakeReturn =
  (tools: Tools) =>
  (ref: ReturnRef): void => {
    wake(ref, tools).catch((error) =>
      tools.log.info({ err: error, return_id: ref.returnId }, 'its workflow will hear of it later'),
    )
  }

/**
 * Looks after the workflows of returns that have changed, or whose time is over: one that was never begun, has not heard the news, failed,
 * or was lost with its store goes on; one whose return is over is deleted.
 */
export const tendReturns = (stores: Sharded<ReturnStore>, tools: Tools): Background => {
  const { sidecar } = tools
  const tend = async (each: Tended): Promise<'over' | 'soon' | 'when-due'> => {
    if (!isOver(each.status)) {
      await wake(each, tools)
      return 'when-due'
    }
    const goesOn = await sidecar.workflow.goesOn(each.returnId)
    if (goesOn) await sidecar.workflow.raise(each.returnId, returnWorkflow.changed)
    if (goesOn === false) await sidecar.workflow.purge(each.returnId)
    return goesOn ? 'soon' : 'over'
  }
  return everyAsLeader(5000, 'tend-returns', tools, () =>
    inEach(stores, async (store) => {
      for (const each of await store.untended(atOnce)) {
        const next = await tend(each).catch((error) => {
          tools.log.warn({ err: error, return_id: each.returnId }, 'its workflow is looked after again')
          return 'soon' as const
        })
        await store.tendLater(each, next)
      }
    }),
  )
}
