import type { EventDefinition } from '@caravan/contracts/event'
import type { Middleware } from 'koa'
import { z } from 'zod'
import { type Database, type Transaction, transaction } from './database.ts'
import { receive, type Status } from './delivery.ts'
import { AppError, asAppError } from './errors.ts'
import type { Log } from './log.ts'
import { eventsHandled } from './metrics.ts'
import { runInTrace } from './trace.ts'

export interface EventMeta {
  readonly id: string
  readonly time: string
  /** The transaction that also holds the inbox row. Only in services with a database. */
  readonly tx: Transaction
}

export interface Subscription {
  readonly definition: EventDefinition
  readonly handle: (data: unknown, meta: EventMeta) => Promise<void>
  readonly pubsub: string
}

/**
 * Binds an event to what this service does about it. In a service with a database the handler runs in one transaction
 * with the inbox row, so a repeat of the event has no second effect; without one the handler must see to that itself.
 * Throwing `unavailable` (or anything unknown) asks for the event again; any other AppError moves it to the dead letters.
 */
export const subscription = <D extends z.ZodType>(
  definition: EventDefinition<D>,
  handle: (data: z.output<D>, meta: EventMeta) => Promise<void>,
  pubsub = 'pubsub',
): Subscription => ({ definition, handle, pubsub }) as unknown as Subscription

/** What Dapr delivers: CloudEvents 1.0; `topic` is added by the sidecar. */
export const cloudEvent = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,64}$/),
  type: z.string(),
  source: z.string(),
  time: z.string().optional(),
  traceparent: z.string().optional(),
  topic: z.string().optional(),
  data: z.unknown(),
})
export type DeliveredEvent = z.infer<typeof cloudEvent>

export interface SubscriptionContext {
  readonly log: Log
  readonly db: Database | undefined
  /** Called after an event was handled, for what its transaction wrote to the outbox. */
  readonly afterCommit: () => void
}

/** Deliveries, half a second apart, that a defect of ours gets before its event is a dead letter: others of the topic wait. */
const patience = 40

/** Turns deliveries into answers. DROP sends the event to the dead-letter topic. */
export const createConsumer = ({ log, db, afterCommit }: SubscriptionContext) => {
  const defects = new Map<string, number>()

  /** Handles one event once. Throws what the handler throws. */
  const apply = async ({ definition, handle }: Subscription, event: DeliveredEvent): Promise<void> => {
    const parsed = definition.data.safeParse(event.data)
    if (!parsed.success)
      throw new AppError('invalid', 'events/invalid', `Not a valid ${definition.topic}`, {
        cause: parsed.error,
      })
    const { data } = parsed
    const meta = { id: event.id, time: event.time ?? new Date().toISOString() }
    if (!db) return handle(data, meta as EventMeta)
    await transaction(db, async (tx) => {
      const [inserted] = await tx.raw('INSERT IGNORE INTO inbox (event_id, topic) VALUES (?, ?)', [
        event.id,
        definition.topic,
      ])
      if (inserted.affectedRows === 1) await handle(data, { ...meta, tx })
    })
    afterCommit()
  }

  const judge = (error: unknown, event: DeliveredEvent): Status => {
    const known = asAppError(error)
    if (known) return known.kind === 'unavailable' || known.kind === 'too-many' ? 'RETRY' : 'DROP'
    const count = (defects.get(event.id) ?? 0) + 1
    if (defects.size > 10_000) defects.clear()
    defects.set(event.id, count)
    return count < patience ? 'RETRY' : 'DROP'
  }

  const consume = (subscription: Subscription, body: unknown): Promise<Status> => {
    const parsed = cloudEvent.safeParse(body)
    const { topic } = subscription.definition
    if (!parsed.success) {
      log.error({ topic, err: parsed.error }, 'not a CloudEvent: dead-lettered')
      return Promise.resolve('DROP')
    }
    const event = parsed.data
    return runInTrace(event.traceparent, async () => {
      try {
        await apply(subscription, event)
        log.info({ topic, event_id: event.id }, 'event handled')
        return 'SUCCESS'
      } catch (error) {
        const status = judge(error, event)
        const level = status === 'DROP' ? 'error' : 'warn'
        log[level]({ topic, event_id: event.id, err: error, status }, 'event not handled')
        return status
      }
    })
  }

  /** The endpoint that a sidecar delivers one subscription's events to. Answers 200 with explicit statuses, always. */
  const endpoint = (subscription: Subscription): Middleware =>
    receive(log, async (event) => {
      const status = await consume(subscription, event)
      eventsHandled.inc({ topic: subscription.definition.topic, status })
      return status
    })

  return { apply, endpoint }
}

export type Consumer = ReturnType<typeof createConsumer>
