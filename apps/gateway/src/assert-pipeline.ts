import { setTimeout as sleep } from 'node:timers/promises'
import { getKeys } from '@caravan/contracts/identity'
import { invokedPath } from '@caravan/contracts/operation'
import type { Sidecar } from '@caravan/service-kit/sidecar'

/**
 * Waits for the sidecar's HTTP port and throws unless a call without a token is counted and refused there. A middleware that is listed in
 * a Configuration but not loaded is skipped by the sidecar without a word; the shop would stand open to every token, or to any number of
 * calls.
 */
export const assertPipeline = async (sidecar: Pick<Sidecar, 'invoke'>, withinMs: number): Promise<void> => {
  const end = Date.now() + withinMs
  for (;;) {
    try {
      const response = await sidecar.invoke(getKeys.app, { method: 'GET', path: invokedPath(getKeys) })
      await response.body.dump()
      const { statusCode: status, headers } = response
      // What ratelimit puts on each answer, also on one that it lets others give.
      if (!headers['x-rate-limit-limit']) throw new PipelineMissing('ratelimit', 'did not count a call')
      if (status === 401) return
      throw new PipelineMissing('bearer', `let a call without a token pass (status ${status}, not 401)`)
    } catch (error) {
      if (error instanceof PipelineMissing || Date.now() > end) throw error
    }
    await sleep(100)
  }
}

class PipelineMissing extends Error {
  constructor(handler: string, symptom: string) {
    super(`the sidecar ${symptom}: the httpPipeline of its Configuration (${handler}) is not loaded`)
    this.name = 'PipelineMissing'
  }
}
