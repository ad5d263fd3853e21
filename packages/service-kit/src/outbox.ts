import type { EventDefinition } from '@caravan/contracts/event'
import type { z } from 'zod'
import type { Database, Transaction } from './database.ts'
import { newId } from './ids.ts'
import type { Log } from './log.ts'
import { outboxLagSeconds, outboxPending } from './metrics.ts'
import type { CloudEvent, Sidecar } from './sidecar.ts'
import { traceparent } from './trace.ts'

export interface Fact {
  readonly definition: EventDefinition
  readonly data: unknown
}

/** A fact to be written in the transaction that makes it true. */
export const fact = <D extends z.ZodType>(definition: EventDefinition<D>, data: z.output<D>): Fact =>
  ({ definition, data }) as unknown as Fact

interface Row {
  seq: number
  id: string
  topic: string
  event_key: string
  data: string
  traceparent: string | null
  created_at: Date
}

const batchSize = 100
const leaseSeconds = 15
const pollMs = 1000

export interface OutboxOptions {
  readonly name: string
  readonly db: Database
  readonly sidecar: Pick<Sidecar, 'publish'>
  readonly log: Log
  readonly pubsub?: string
}

/**
 * Transactional outbox: facts are rows of the transaction that makes them true; a relay hands them to the broker until it
 * accepts them, at least once. Per key only the oldest unsent row is ever in flight, so one key's events are published in
 * the order in which they were written, whatever the number of replicas. Sent rows stay until trimmed, to be sent again
 * when a broker lost its data.
 */
export const createOutbox = ({ name, db, sidecar, log, pubsub = 'pubsub' }: OutboxOptions) => {
  let stopped = false
  let wakeUp: (() => void) | undefined
  let awake = false

  const add = async (tx: Transaction, facts: readonly Fact[]): Promise<void> => {
    if (facts.length === 0) return
    const trace = traceparent() ?? null
    await tx('outbox').insert(
      facts.map(({ definition, data }) => ({
        id: newId(),
        topic: definition.topic,
        event_key: definition.key(data as never),
        data: JSON.stringify(data),
        traceparent: trace,
      })),
    )
  }

  /** Call after a commit that added facts; without it they leave within a second. */
  const wake = (): void => {
    awake = true
    wakeUp?.()
  }

  /**
   * Leases the oldest unsent row of each key. SKIP LOCKED keeps relays from waiting for one another; NOT EXISTS sees an
   * earlier row of the key, leased by another relay or not, until it is sent.
   */
  const claim = (): Promise<Row[]> =>
    db.transaction(async (tx) => {
      const [rows] = (await tx.raw(
        `SELECT o.seq, o.id, o.topic, o.event_key, o.data, o.traceparent, o.created_at FROM outbox o
         WHERE o.sent = FALSE AND o.claimed_until <= NOW(3) AND NOT EXISTS (
           SELECT 1 FROM outbox e WHERE e.event_key = o.event_key AND e.sent = FALSE AND e.seq < o.seq)
         ORDER BY o.seq LIMIT ${batchSize} FOR UPDATE SKIP LOCKED`,
      )) as unknown as [Row[]]
      if (rows.length > 0) {
        await tx.raw('UPDATE outbox SET claimed_until = NOW(3) + INTERVAL ? SECOND WHERE seq IN (?)', [
          leaseSeconds,
          rows.map((row) => row.seq),
        ])
      }
      return rows
    })

  const toCloudEvent = (row: Row): CloudEvent => ({
    specversion: '1.0',
    id: row.id,
    source: `/${name}`,
    type: row.topic,
    time: row.created_at.toISOString(),
    datacontenttype: 'application/json',
    partitionkey: row.event_key,
    data: typeof row.data === 'string' ? JSON.parse(row.data) : row.data,
    // Without a traceid the sidecar puts a trace of its own over the event's.
    ...(row.traceparent ? { traceparent: row.traceparent, traceid: row.traceparent } : {}),
  })

  const send = async (rows: readonly Row[]): Promise<void> => {
    const byTopic = Map.groupBy(rows, (row) => row.topic)
    const accepted = new Set<string>()
    await Promise.all(
      [...byTopic].map(async ([topic, group]) => {
        try {
          for (const id of await sidecar.publish(pubsub, topic, group.map(toCloudEvent))) accepted.add(id)
        } catch (error) {
          log.warn({ err: error, topic, events: group.length }, 'publishing failed; it will be repeated')
        }
      }),
    )
    const sent = rows.filter((row) => accepted.has(row.id))
    const failed = rows.filter((row) => !accepted.has(row.id))
    if (sent.length > 0) {
      await db.raw('UPDATE outbox SET sent = TRUE WHERE seq IN (?)', [sent.map((row) => row.seq)])
    }
    if (failed.length > 0) {
      // Backs off to 5 s; the lease doubles as the delay.
      await db.raw(
        `UPDATE outbox SET attempts = LEAST(attempts + 1, 1000),
           claimed_until = NOW(3) + INTERVAL LEAST(100000 * POW(2, LEAST(attempts, 10)), 5000000) MICROSECOND
         WHERE seq IN (?)`,
        [failed.map((row) => row.seq)],
      )
    }
  }

  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs)
      wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
      if (awake || stopped) wakeUp()
    })

  const run = async (): Promise<void> => {
    while (!stopped) {
      awake = false
      try {
        const rows = await claim()
        if (rows.length > 0) {
          await send(rows)
          continue
        }
      } catch (error) {
        log.warn({ err: error }, 'the outbox could not be read; it will be repeated')
        awake = false
      }
      await idle()
    }
  }

  const measure = async (): Promise<void> => {
    const [[row]] = await db.raw(
      `SELECT COUNT(*) AS pending, COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(created_at), NOW(3)), 0) / 1000000 AS lag
       FROM outbox WHERE sent = FALSE`,
    )
    outboxPending.set(Number(row.pending))
    outboxLagSeconds.set(Number(row.lag))
  }

  return {
    add,
    wake,
    measure,
    start: (): (() => Promise<void>) => {
      const running = run()
      return () => {
        stopped = true
        wakeUp?.()
        return running
      }
    },
  }
}

export type Outbox = Omit<ReturnType<typeof createOutbox>, 'start'>
