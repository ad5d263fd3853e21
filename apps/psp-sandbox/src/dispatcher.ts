import type { Logger } from 'pino'
import type { createOutbox, Delivery } from './outbox.ts'
import { postWebhook } from './post-webhook.ts'
import { sign } from './signature.ts'

const MOST_LANES = 32

type Options = {
  outbox: ReturnType<typeof createOutbox>
  url: string
  secret: string
  log: Logger
  post?: typeof postWebhook
}

/**
 * Posts what falls due in the outbox: lanes side by side, within a lane in order of due time. A send that is cut off by
 * `stop` or a kill stays pending and is sent again at the next start: at least once.
 */
export function startDispatcher({ outbox, url, secret, log, post = postWebhook }: Options) {
  const stopping = new AbortController()
  const busy = new Map<string, Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  /** Looks for work now; call it after an event was committed. */
  function wake() {
    if (stopping.signal.aborted) return
    clearTimeout(timer)
    const now = Date.now()
    for (const delivery of outbox.due(now)) {
      if (busy.size >= MOST_LANES) break
      if (!busy.has(delivery.lane)) busy.set(delivery.lane, send(delivery))
    }
    const next = outbox.nextDue(now)
    if (next !== null) timer = setTimeout(wake, next - now)
  }

  async function send(delivery: Delivery) {
    // Signed at each attempt: a retry hours later must still fall in the receiver's window.
    const signature = sign(delivery.body, secret)
    const outcome = await post(url, delivery.body, signature, stopping.signal)
    busy.delete(delivery.lane)
    if (stopping.signal.aborted && outcome.status === null) return
    const state = outbox.record(delivery, outcome, Date.now())
    log[state === 'failed' ? 'error' : 'info']({ delivery: delivery.seq, ...outcome, state }, 'webhook')
    wake()
  }

  wake()
  return {
    wake,
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await Promise.all(busy.values())
    },
  }
}
