import type { Middleware } from 'koa'
import { z } from 'zod'
import { readBody } from './body.ts'
import { utf8Of } from './decode-text.ts'
import { failpoint } from './failpoint.ts'
import type { Log } from './log.ts'

/** What an app answers for an event. DROP sends it to the dead-letter topic. */
export type Status = 'SUCCESS' | 'RETRY' | 'DROP'

export interface Channel {
  readonly pubsub: string
  readonly topic: string
  /** The app's path that events are posted to. */
  readonly route: string
  readonly deadLetterTopic?: string | undefined
  /** Events come as the broker has them, in Base64, whatever they are. */
  readonly isRaw?: boolean
}

const batchSize = 50
/** Fifty of the largest events, raw; and whatever another producer puts into a topic, which is to be seen. */
const maxBytes = 134_217_728
const parallel = 8

/**
 * A subscription as `GET /dapr/subscribe` declares it. Always in bulk, for one reason before speed: when an app is not
 * reachable, daprd 1.18 may take a single delivery for handled (two that run at the same moment share one pipeline, so
 * the connection's error can reach the other one, and this one reads as an empty 200). In bulk, an answer without a
 * status for each entry asks for them again.
 */
export const declare = ({ pubsub, topic, route, deadLetterTopic, isRaw }: Channel) => ({
  pubsubname: pubsub,
  topic,
  route,
  ...(deadLetterTopic ? { deadLetterTopic } : {}),
  ...(isRaw ? { metadata: { rawPayload: 'true' } } : {}),
  bulkSubscribe: { enabled: true, maxMessagesCount: batchSize, maxAwaitDurationMs: 20 },
})

const delivery = z.object({ entries: z.array(z.object({ entryId: z.string(), event: z.unknown() })) })

/** Handles events each by itself, some at the same time. */
export const eachOf =
  (handle: (event: unknown) => Promise<Status>) =>
  async (events: readonly unknown[]): Promise<Status[]> => {
    const statuses: Status[] = []
    const waiting = events.entries()
    const work = async () => {
      for (const [index, event] of waiting) statuses[index] = await handle(event)
    }
    await Promise.all(Array.from({ length: Math.min(parallel, events.length) }, work))
    return statuses
  }

/**
 * The endpoint of a channel. `handle` gets the events of a delivery and says what becomes of each, in their order; it does
 * not throw. Also takes a delivery of one event that is not in an envelope.
 */
export const receive =
  (log: Log, handle: (events: readonly unknown[]) => Promise<Status[]>): Middleware =>
  async (ctx) => {
    ctx.res.once('finish', () => failpoint('after-acknowledgement'))
    const bytes = await readBody(ctx.req, maxBytes)
    const text = utf8Of(bytes)
    // What is not UTF-8 is no event either, and has a character for each byte: it is kept as it came.
    let body: unknown = text ?? bytes.toString('latin1')
    try {
      if (text !== undefined) body = JSON.parse(text)
    } catch (error) {
      log.error({ err: error }, 'a delivery is not JSON')
    }
    const bulk = delivery.safeParse(body)
    const entries = bulk.success ? bulk.data.entries : undefined
    const statuses = await handle(entries ? entries.map(({ event }) => event) : [body])
    failpoint('before-acknowledgement')
    ctx.body = entries
      ? { statuses: entries.map(({ entryId }, index) => ({ entryId, status: statuses[index] })) }
      : { status: statuses[0] }
  }
