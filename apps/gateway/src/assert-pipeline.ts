import { setTimeout as sleep } from 'node:timers/promises'
import { getKeys } from '@caravan/contracts/identity'
import { invokedPath } from '@caravan/contracts/operation'
import type { Sidecar } from '@caravan/service-kit/sidecar'

/**
 * Waits for the sidecar's HTTP port and throws unless it refuses a call without a token. A middleware that is listed in a
 * Configuration but not loaded is skipped by the sidecar without a word; the shop would stand open to every token.
 */
export const assertPipeline = async (sidecar: Pick<Sidecar, 'invoke'>, withinMs: number): Promise<void> => {
  const end = Date.now() + withinMs
  for (;;) {
    try {
      const response = await sidecar.invoke(getKeys.app, { method: 'GET', path: invokedPath(getKeys) })
      await response.body.dump()
      if (response.statusCode === 401) return
      throw new PipelineMissing(response.statusCode)
    } catch (error) {
      if (error instanceof PipelineMissing || Date.now() > end) throw error
    }
    await sleep(100)
  }
}

class PipelineMissing extends Error {
  constructor(status: number) {
    super(
      `the sidecar let a call without a token pass (status ${status}, not 401): ` +
        'the httpPipeline of its Configuration (bearer) is not loaded',
    )
    this.name = 'PipelineMissing'
  }
}
