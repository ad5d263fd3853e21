import type { Database } from '@caravan/service-kit/database'
import type { Answer, MemoryDatabase, Statement, Transaction } from './memory-database.ts'
import type { Outcome } from './memory-statements.ts'
import { build, lazily, type Run } from './query-builder.ts'

/**
 * What becomes of a statement: `broken` loses the connection before it is done, `unheard` after; `last` is done, and the
 * client dies before it hears of it.
 */
export type Passage = 'done' | 'broken' | 'unheard' | 'last'

/** The way to the server and back: called before each statement, for as long as that takes. */
export interface Wire {
  readonly pass: (kind: 'statement' | 'commit', sql: string) => Promise<Passage> | Passage
  /** Until `wake` is called; after so many milliseconds `late` is called, which does that. */
  readonly wait: (register: (wake: () => void) => void, ms: number, late: () => void) => Promise<void>
  /** Ends the client. */
  readonly stop: () => Promise<never>
  /** What was done with this handle of a transaction is committed. */
  readonly committed: (tx: unknown) => void
}

const lockWaitMs = 5000
const fail = (code: string, message: string, fatal = false) =>
  Object.assign(new Error(message), { code, fatal })
const broken = () => fail('PROTOCOL_CONNECTION_LOST', 'Connection lost', true)

interface Connection {
  readonly tx: Transaction
  lost: boolean
}

/**
 * The part of knex that the services use, on a memory database: builder, `raw` and `transaction`. `open` are the
 * transactions that are under way, which a crash rolls back.
 */
export const knexOnMemory = (server: MemoryDatabase, wire: Wire, open = new Set<Transaction>()): Database => {
  /** Does a statement, and waits for locks as long as a client waits. */
  const perform = async (tx: Transaction, statement: Statement, autocommit: boolean): Promise<unknown> => {
    let answer: Answer | undefined
    let heard: (() => void) | undefined
    const giveUp = server.submit(tx, statement, autocommit, (given) => {
      answer = given
      heard?.()
    })
    if (!answer)
      await wire.wait(
        (wake) => {
          heard = wake
        },
        lockWaitMs,
        () => giveUp?.(),
      )
    const given = answer as unknown as Answer
    if ('error' in given) throw given.error
    return given.value
  }

  const within = async (connection: Connection, statement: Statement): Promise<unknown> => {
    const { tx } = connection
    if (connection.lost || tx.ended) throw broken()
    const passage = await wire.pass('statement', statement.sql)
    const lose = () => {
      connection.lost = true
      server.rollback(tx)
      return broken()
    }
    if (passage === 'broken') throw lose()
    const value = await perform(tx, statement, false)
    if (passage === 'unheard') throw lose()
    if (passage === 'last') return wire.stop()
    return value
  }

  const autocommit: Run = async (statement) => {
    const tx = server.begin()
    open.add(tx)
    try {
      const passage = await wire.pass('statement', statement.sql)
      if (passage === 'broken') throw broken()
      const value = await perform(tx, statement, true)
      if (passage === 'unheard') throw broken()
      if (passage === 'last') return await wire.stop()
      return value
    } finally {
      server.rollback(tx)
      open.delete(tx)
    }
  }

  const transaction = async <T>(work: (tx: unknown) => Promise<T>): Promise<T> => {
    const connection: Connection = { tx: server.begin(), lost: false }
    open.add(connection.tx)
    try {
      const handle = on((statement) => within(connection, statement))
      const result = await work(handle)
      if (connection.lost) throw broken()
      const passage = await wire.pass('commit', 'COMMIT')
      if (passage === 'broken') throw broken()
      server.commit(connection.tx)
      wire.committed(handle)
      if (passage === 'unheard') throw broken()
      if (passage === 'last') await wire.stop()
      return result
    } finally {
      server.rollback(connection.tx)
      open.delete(connection.tx)
    }
  }

  const on = (run: Run) =>
    Object.assign((table: string) => build(run, table), {
      raw: (sql: string, params: readonly unknown[] = []) => {
        const present = (outcome: Outcome) => ['rows' in outcome ? outcome.rows : outcome, undefined]
        return lazily(() => run({ sql, params, call: { raw: sql, params }, present }), { sql, params })
      },
    })

  return Object.assign(on(autocommit), { transaction }) as unknown as Database
}
