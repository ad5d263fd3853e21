import { setTimeout as pause } from 'node:timers/promises'
import { productChanged } from '@caravan/contracts/catalog'
import { connect, transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox, fact } from '@caravan/service-kit/outbox'
import { createSidecar } from '@caravan/service-kit/sidecar'
import mysql from 'mysql2/promise'
import type { Stack } from '../../tools/launcher/stack.ts'
import { type Done, measure, watchedOf } from './measure.ts'
import type { Part } from './rounds.ts'

const slowPerSecond = 50
/** At saturation: how many events may be on their way, and how many one transaction writes. */
const underWay = 400
const perTransaction = 20
const arriveWithinMs = 30_000

/** A product that is new to everyone: each event has a key of its own and something to do for its consumer. */
const newProduct = () => {
  const id = newId()
  const [variant] = productChanged.example.variants
  if (!variant) throw new Error('the example has a variant')
  return {
    ...productChanged.example,
    id,
    variants: [{ ...variant, sku: `E-${id.slice(-12).toUpperCase()}` }],
  }
}

/** The way of an event from the publisher's outbox to the consumer's inbox. */
export const eventJourney = async (stack: Stack): Promise<Part> => {
  const db = connect(String(stack.secrets['catalog-mysql']))
  const sidecar = createSidecar({
    ...{ port: Number(stack.process('catalog.sidecar').ports.http) },
    token: String(stack.tokens.catalog?.dapr),
  })
  const outbox = createOutbox({ name: 'catalog', db, sidecar, log: createLog('bench', 'warn') })
  const stopOutbox = outbox.start()
  const books = await mysql.createConnection({ uri: stack.mysqlAdminUrl, timezone: 'Z' })

  const write = async (count: number) => {
    const facts = Array.from({ length: count }, () => fact(productChanged, newProduct()))
    await transaction(db, (tx) => outbox.add(tx, facts))
    outbox.wake()
  }

  const now = async (): Promise<string> => {
    const [rows] = await books.query('SELECT CAST(NOW(3) AS CHAR) AS at')
    return String((rows as { at: string }[])[0]?.at)
  }
  const handledSince = async (since: string): Promise<number> => {
    const sql = "SELECT COUNT(*) AS n FROM orders.inbox WHERE topic = 'product.changed' AND handled_at >= ?"
    const [rows] = await books.query(sql, [since])
    return Number((rows as { n: number }[])[0]?.n)
  }

  /** What was written since then has arrived, all of it. Rate and latency by the rows' own times. */
  const arrived = async (since: string, written: number): Promise<Done> => {
    for (const end = Date.now() + arriveWithinMs; (await handledSince(since)) < written; await pause(20))
      if (Date.now() > end) throw new Error(`${written} events were written, fewer arrived`)
    const [rows] = (await books.query(
      `SELECT TIMESTAMPDIFF(MICROSECOND, o.created_at, i.handled_at) / 1000 AS took,
         TIMESTAMPDIFF(MICROSECOND, ?, i.handled_at) / 1000000 AS at
       FROM catalog.outbox o JOIN orders.inbox i ON i.event_id = o.id WHERE o.created_at >= ?`,
      [since, since],
    )) as unknown as [{ took: string; at: string }[]]
    if (rows.length !== written) throw new Error(`${written} events were written, ${rows.length} arrived`)
    const times = rows.map((row) => Number(row.at)).sort((a, b) => a - b)
    // Without the first and the last tenth: the pipe fills and runs empty.
    const [from, to] = [Math.floor(written * 0.1), Math.floor(written * 0.9)]
    const seconds = ((times[to] ?? 0) - (times[from] ?? 0)) / ((to - from) / written)
    return { operations: written, seconds, latencies: rows.map((row) => Number(row.took)) }
  }

  const slowly = async (milliseconds: number): Promise<Done> => {
    const since = await now()
    const count = Math.round((milliseconds / 1000) * slowPerSecond)
    const start = performance.now()
    const writes: Promise<void>[] = []
    for (let each = 0; each < count; each += 1) {
      await pause(Math.max(0, start + (each * 1000) / slowPerSecond - performance.now()))
      writes.push(write(1))
    }
    await Promise.all(writes)
    return arrived(since, count)
  }

  const fast = async (milliseconds: number): Promise<Done> => {
    const since = await now()
    const end = performance.now() + milliseconds
    let written = 0
    while (performance.now() < end) {
      const room = underWay - (written - (await handledSince(since)))
      const transactions = Math.max(0, Math.floor(room / perTransaction))
      await Promise.all(Array.from({ length: transactions }, () => write(perTransaction)))
      written += transactions * perTransaction
      if (transactions === 0) await pause(5)
    }
    return arrived(since, written)
  }

  const leg = (name: string, work: (ms: number) => Promise<Done>) => ({
    name,
    run: (ms: number) => measure(watchedOf(stack), () => work(ms)),
  })
  return {
    letter: 'e',
    title: 'An event from outbox to inbox',
    about:
      '`product.changed` from catalog’s outbox to orders’ inbox, which orders writes with what it knows of the product; the gateway hears of it too. Written by the kit’s outbox ' +
      'in the load generator, as another replica of catalog, sent by catalog’s sidecar. The times are those that MySQL gave both rows, each within the transaction that commits it. ' +
      `Slowly: ${slowPerSecond} a second, each in a transaction of its own. Saturated: ${perTransaction} in a transaction, whenever fewer than ${underWay} are on their way.`,
    base: 'saturated',
    legs: [leg('slowly', slowly), leg('saturated', fast)],
    legMs: 4000,
    warmUpMs: 1000,
    close: async () => {
      await stopOutbox()
      await Promise.all([db.destroy(), sidecar.close(), books.end()])
    },
  }
}
