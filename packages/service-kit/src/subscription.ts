import type { EventDefinition } from '@caravan/contracts/event'
import type { Middleware } from 'koa'
import { z } from 'zod'
import { type Database, type Transaction, transaction } from './database.ts'
import { eachOf, receive, type Status } from './delivery.ts'
import { AppError, asAppError } from './errors.ts'
import type { Log } from './log.ts'
import { eventsHandled } from './metrics.ts'
import { parseKnown } from './parse-known.ts'
import { type Sharded, shardOf } from './shards.ts'
import { runInTrace } from './trace.ts'

export interface EventHead {
  readonly id: string
  readonly time: string
  /** The trace that the event belongs to. */
  readonly traceparent?: string | undefined
}

export interface EventMeta extends EventHead {
  /** The transaction that also holds the inbox row. Only in services with a database. */
  readonly tx: Transaction
}

export interface Incoming<T = unknown> {
  readonly data: T
  readonly head: EventHead
}

export interface Subscription {
  readonly definition: EventDefinition
  readonly pubsub: string
  readonly about: (data: unknown) => string
  readonly handleAll: (events: readonly Incoming[], tx: Transaction) => Promise<void>
}

export interface SubscriptionOptions<T> {
  readonly pubsub?: string
  /** The id by which one of several databases is chosen; the first unless said otherwise. */
  readonly about?: (data: T) => string
}

/**
 * Binds an event to what this service does about it. In a service with a database the handler runs in one transaction
 * with the inbox row, so a repeat of the event has no second effect; without one the handler must see to that itself.
 * Throwing `unavailable` (or anything unknown) asks for the event again; any other AppError moves it to the dead letters.
 */
export const subscription = <D extends z.ZodType>(
  definition: EventDefinition<D>,
  handle: (data: z.output<D>, meta: EventMeta) => Promise<void>,
  options: SubscriptionOptions<z.output<D>> = {},
): Subscription =>
  batchSubscription(
    definition,
    async (events, tx) => {
      for (const { data, head } of events)
        await runInTrace(head.traceparent, () => handle(data, { ...head, tx }))
    },
    options,
  )

/**
 * Like `subscription`, for a handler that takes the events of a delivery at once, in one transaction (a database): fewer statements.
 * When it throws, each of its events is handed to it again by itself.
 */
export const batchSubscription = <D extends z.ZodType>(
  definition: EventDefinition<D>,
  handleAll: (events: readonly Incoming<z.output<D>>[], tx: Transaction) => Promise<void>,
  { pubsub = 'pubsub', about = () => '' }: SubscriptionOptions<z.output<D>> = {},
): Subscription => ({ definition, handleAll, pubsub, about }) as unknown as Subscription

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
  readonly databases: Sharded<Database> | undefined
  /** Called after events were handled, for what their transaction wrote to the outbox of that database. */
  readonly afterCommit: (db: Database) => void
}

/** An event of a delivery was handled before. */
class Repeated extends Error {}

/** Deliveries, half a second apart, that a defect of ours gets before its event is a dead letter: others of the topic wait. */
const patience = 40

/** Turns deliveries into answers. DROP sends the event to the dead-letter topic. */
export const createConsumer = ({ log, databases, afterCommit }: SubscriptionContext) => {
  const defects = new Map<string, number>()

  const read = ({ definition }: Subscription, event: DeliveredEvent): Incoming => {
    const parsed = parseKnown(definition.data, event.data)
    if (!parsed.success)
      throw new AppError('invalid', 'events/invalid', `Not a valid ${definition.topic}`, {
        cause: parsed.error,
      })
    const { id, time = new Date().toISOString(), traceparent } = event
    return { data: parsed.data, head: { id, time, traceparent } }
  }

  /** Handles events once each, in one transaction a database. Throws what the handler throws, and then none of that one is handled. */
  const applyAll = async (
    subscription: Subscription,
    events: readonly DeliveredEvent[],
    repeated: 'skip' | 'refuse',
  ): Promise<void> => {
    const incoming = events.map((event) => read(subscription, event))
    const { definition, about, handleAll } = subscription
    if (!databases) return handleAll(incoming, undefined as never)
    for (const [db, some] of Map.groupBy(incoming, ({ data }) => shardOf(databases, about(data)))) {
      await transaction(db, async (tx) => {
        const [inserted] = await tx.raw(
          `INSERT IGNORE INTO inbox (event_id, topic) VALUES ${some.map(() => '(?, ?)').join()}`,
          some.flatMap(({ head }) => [head.id, definition.topic]),
        )
        if (inserted.affectedRows === some.length) return handleAll(some, tx)
        if (repeated === 'refuse') throw new Repeated()
      })
      afterCommit(db)
    }
  }

  /** Handles one event once. Throws what the handler throws. */
  const apply = (subscription: Subscription, event: DeliveredEvent): Promise<void> =>
    applyAll(subscription, [event], 'skip')

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

  /** A whole delivery in one transaction; undefined when it must be done one by one to know which event is at fault. */
  const consumeTogether = async (
    subscription: Subscription,
    bodies: readonly unknown[],
  ): Promise<Status[] | undefined> => {
    const { topic } = subscription.definition
    const events = bodies.flatMap((body) => cloudEvent.safeParse(body).data ?? [])
    if (!databases || bodies.length === 1 || events.length < bodies.length) return undefined
    try {
      await applyAll(subscription, events, 'refuse')
    } catch (error) {
      log.debug({ topic, events: events.length, err: error }, 'not handled together')
      return undefined
    }
    for (const event of events)
      runInTrace(event.traceparent, () => log.info({ topic, event_id: event.id }, 'event handled'))
    return events.map(() => 'SUCCESS')
  }

  /** The endpoint that a sidecar delivers one subscription's events to. Answers 200 with explicit statuses, always. */
  const endpoint = (subscription: Subscription): Middleware =>
    receive(log, async (bodies) => {
      const statuses =
        (await consumeTogether(subscription, bodies)) ??
        (await eachOf((body) => consume(subscription, body))(bodies))
      for (const status of statuses) eventsHandled.inc({ topic: subscription.definition.topic, status })
      return statuses
    })

  return { apply, endpoint }
}

export type Consumer = ReturnType<typeof createConsumer>
