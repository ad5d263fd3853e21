import type { EventDefinition } from '@caravan/contracts/event'
import type { z } from 'zod'
import { createPause } from './background.ts'
import type { Database, Transaction } from './database.ts'
import { AppError } from './errors.ts'
import { failpoint } from './failpoint.ts'
import { newId } from './ids.ts'
import type { Log } from './log.ts'
import type { CloudEvent, Sidecar } from './sidecar.ts'
import { traceparent } from './trace.ts'

export interface Fact {
  readonly definition: EventDefinition
  readonly data: unknown
  /** The trace that it belongs to, where that is not the current one. */
  readonly traceparent?: string | undefined
}

/** A fact to be written in the transaction that makes it true. */
export const fact = <D extends z.ZodType>(definition: EventDefinition<D>, data: z.output<D>): Fact =>
  ({ definition, data }) as unknown as Fact

interface Told {
  readonly id: string
  readonly topic: string
  readonly key: string
  readonly time: string
  readonly data: unknown
  readonly traceparent: string | undefined
}

/** An event as an app hands it to the broker. */
export const toCloudEvent = (app: string, { topic, key, traceparent, ...told }: Told): CloudEvent => ({
  ...{ specversion: '1.0', source: `/${app}`, type: topic, datacontenttype: 'application/json' },
  ...told,
  partitionkey: key,
  // Without a traceid the sidecar puts a trace of its own over the event's.
  ...(traceparent ? { traceparent, traceid: traceparent } : {}),
})

interface Row {
  seq: number
  id: string
  topic: string
  event_key: string
  data: string
  traceparent: string | null
  created_at: Date
}

interface OwnRow extends Row {
  /** An earlier row of the key is not sent yet. */
  waits: number
}

/** Of an event's data. What carries events further takes 4 MiB (daprd), a megabyte (Kafka). */
export const maxEventBytes = 524_288

const batchSize = 100
/** How long a row is its writer's to send; then it is anyone's. */
const ownSeconds = 5
const leaseSeconds = 15
const pollMs = 1000
const waitMs = 50
const columns = 'o.seq, o.id, o.topic, o.event_key, o.data, o.traceparent, o.created_at'
const earlierOfKey =
  'SELECT 1 FROM outbox e WHERE e.event_key = o.event_key AND e.sent = FALSE AND e.seq < o.seq'

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
 *
 * A row is leased from birth to the process that wrote it, which knows of it and sends it for the price of one SELECT and
 * one UPDATE a batch. What that process failed to send, or did not live to, any relay claims once the lease is over.
 */
export const createOutbox = ({ name, db, sidecar, log, pubsub = 'pubsub' }: OutboxOptions) => {
  const relay = newId()
  let stopped = false
  let awake = false
  const { pause, wake: wakeUp } = createPause(() => awake || stopped)

  const write = ({ definition, data }: Fact): string => {
    const text = JSON.stringify(data)
    if (Buffer.byteLength(text) <= maxEventBytes) return text
    throw new AppError(
      'invalid',
      'events/too-large',
      `${definition.topic} has at most ${maxEventBytes} bytes`,
      { status: 413 },
    )
  }

  /** Throws 413 for a fact that is too large to be told, so that it does not become one. */
  const add = async (tx: Transaction, facts: readonly Fact[]): Promise<void> => {
    if (facts.length === 0) return
    const trace = traceparent() ?? null
    await tx.raw(
      `INSERT INTO outbox (id, topic, event_key, data, traceparent, relay, claimed_until)
       VALUES ${facts.map(() => `(?, ?, ?, ?, ?, ?, NOW(3) + INTERVAL ${ownSeconds} SECOND)`).join()}`,
      facts.flatMap((fact) => [
        newId(),
        fact.definition.topic,
        fact.definition.key(fact.data as never),
        write(fact),
        (fact.traceparent ?? trace) as string,
        relay,
      ]),
    )
  }

  /** Call after a commit that added facts; without it they leave within a second. */
  const wake = (): void => {
    awake = true
    wakeUp()
  }

  /** This process's own rows, the oldest first; what waits for an earlier row of its key is told apart. */
  const own = async (): Promise<OwnRow[]> => {
    const [rows] = (await db.raw(
      `SELECT ${columns}, EXISTS (${earlierOfKey}) AS waits FROM outbox o
       WHERE o.sent = FALSE AND o.relay = ? AND o.claimed_until > NOW(3) ORDER BY o.seq LIMIT ${batchSize}`,
      [relay],
    )) as unknown as [OwnRow[]]
    return rows
  }

  /**
   * Leases the oldest unsent row of each key whose lease is over. SKIP LOCKED keeps relays from waiting for one another;
   * NOT EXISTS sees an earlier row of the key, leased by another relay or not, until it is sent.
   */
  const claim = (): Promise<Row[]> =>
    db.transaction(async (tx) => {
      const [rows] = (await tx.raw(
        `SELECT ${columns} FROM outbox o
         WHERE o.sent = FALSE AND o.claimed_until <= NOW(3) AND NOT EXISTS (${earlierOfKey})
         ORDER BY o.seq LIMIT ${batchSize} FOR UPDATE SKIP LOCKED`,
      )) as unknown as [Row[]]
      if (rows.length > 0) {
        await tx.raw(
          'UPDATE outbox SET relay = NULL, claimed_until = NOW(3) + INTERVAL ? SECOND WHERE seq IN (?)',
          [leaseSeconds, rows.map((row) => row.seq)],
        )
      }
      return rows
    })

  const eventOf = (row: Row): CloudEvent =>
    toCloudEvent(name, {
      ...{ id: row.id, topic: row.topic, key: row.event_key, time: row.created_at.toISOString() },
      data: typeof row.data === 'string' ? JSON.parse(row.data) : row.data,
      traceparent: row.traceparent ?? undefined,
    })

  const send = async (rows: readonly Row[]): Promise<void> => {
    const byTopic = Map.groupBy(rows, (row) => row.topic)
    const accepted = new Set<string>()
    failpoint('before-publish')
    await Promise.all(
      [...byTopic].map(async ([topic, group]) => {
        try {
          for (const id of await sidecar.publish(pubsub, topic, group.map(eventOf))) accepted.add(id)
        } catch (error) {
          log.warn({ err: error, topic, events: group.length }, 'publishing failed; it will be repeated')
        }
      }),
    )
    failpoint('after-publish')
    const sent = rows.filter((row) => accepted.has(row.id))
    const failed = rows.filter((row) => !accepted.has(row.id))
    if (sent.length > 0) {
      await db.raw('UPDATE outbox SET sent = TRUE WHERE seq IN (?)', [sent.map((row) => row.seq)])
    }
    if (failed.length > 0) {
      // Backs off to 5 s; the lease doubles as the delay.
      await db.raw(
        `UPDATE outbox SET attempts = LEAST(attempts + 1, 1000), relay = NULL,
           claimed_until = NOW(3) + INTERVAL LEAST(100000 * POW(2, LEAST(attempts, 10)), 5000000) MICROSECOND
         WHERE seq IN (?)`,
        [failed.map((row) => row.seq)],
      )
    }
  }

  /** Sends its own rows until none is left; gives the number of those that wait for another relay's. */
  const sendOwn = async (): Promise<number> => {
    while (!stopped) {
      const rows = await own()
      const ready = rows.filter((row) => row.waits === 0)
      if (ready.length > 0) await send(ready)
      const waiting = rows.length - ready.length
      if (ready.length === 0 || (waiting === 0 && rows.length < batchSize)) return waiting
    }
    return 0
  }

  const run = async (): Promise<void> => {
    let claimAt = 0
    while (!stopped) {
      awake = false
      let waiting = 0
      try {
        waiting = await sendOwn()
        if (Date.now() >= claimAt) {
          const rows = await claim()
          if (rows.length > 0) {
            await send(rows)
            continue
          }
          claimAt = Date.now() + pollMs
        }
        if (awake) continue
      } catch (error) {
        log.warn({ err: error }, 'the outbox could not be read; it will be repeated')
        awake = false
      }
      await pause(waiting > 0 ? waitMs : pollMs)
    }
  }

  /** How many rows are not sent, and for how many seconds the oldest has been waiting. */
  const measure = async (): Promise<{ pending: number; lagSeconds: number }> => {
    const [[row]] = await db.raw(
      `SELECT COUNT(*) AS pending, COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(created_at), NOW(3)), 0) / 1000000 AS lag
       FROM outbox WHERE sent = FALSE`,
    )
    return { pending: Number(row.pending), lagSeconds: Number(row.lag) }
  }

  return {
    add,
    wake,
    measure,
    start: (): (() => Promise<void>) => {
      const running = run()
      return () => {
        stopped = true
        wakeUp()
        return running
      }
    },
  }
}

export type Outbox = Omit<ReturnType<typeof createOutbox>, 'start'>
