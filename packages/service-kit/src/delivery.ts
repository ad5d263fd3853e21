import type { Middleware } from 'koa'
import { z } from 'zod'
import type { Log } from './log.ts'
import { readBody } from './route.ts'

/** What an app answers for an event. DROP sends it to the dead-letter topic. */
export type Status = 'SUCCESS' | 'RETRY' | 'DROP'

export interface Channel {
  readonly pubsub: string
  readonly topic: string
  /** The app's path that events are posted to. */
  readonly route: string
  readonly deadLetterTopic?: string | undefined
}

const batchSize = 50
const maxBytes = 16_777_216
const parallel = 8

/**
 * A subscription as `GET /dapr/subscribe` declares it. Always in bulk, for one reason before speed: when an app is not
 * reachable, daprd 1.18 may take a single delivery for handled (two that run at the same moment share one pipeline, so
 * the connection's error can reach the other one, and this one reads as an empty 200). In bulk, an answer without a
 * status for each entry asks for them again.
 */
export const declare = ({ pubsub, topic, route, deadLetterTopic }: Channel) => ({
  pubsubname: pubsub,
  topic,
  route,
  ...(deadLetterTopic ? { deadLetterTopic } : {}),
  bulkSubscribe: { enabled: true, maxMessagesCount: batchSize, maxAwaitDurationMs: 5 },
})

const delivery = z.object({ entries: z.array(z.object({ entryId: z.string(), event: z.unknown() })) })

/**
 * The endpoint of a channel. `handle` gets each event by itself, some at the same time, and says what becomes of it; it
 * does not throw. Also takes a delivery of one event that is not in an envelope.
 */
export const receive =
  (log: Log, handle: (event: unknown) => Promise<Status>): Middleware =>
  async (ctx) => {
    const text = (await readBody(ctx.req, maxBytes)).toString('utf8')
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch (error) {
      log.error({ err: error }, 'a delivery is not JSON')
      ctx.body = { status: await handle(text) }
      return
    }
    const bulk = delivery.safeParse(body)
    if (!bulk.success) {
      ctx.body = { status: await handle(body) }
      return
    }
    const waiting = bulk.data.entries.values()
    const statuses: { entryId: string; status: Status }[] = []
    const work = async () => {
      for (const { entryId, event } of waiting) statuses.push({ entryId, status: await handle(event) })
    }
    await Promise.all(Array.from({ length: parallel }, work))
    ctx.body = { statuses }
  }
