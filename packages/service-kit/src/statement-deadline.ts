import { statementTimeouts } from './metrics.ts'

type Done = (error: unknown, ...result: unknown[]) => void

/** What is used here of a connection of mysql2. */
export interface Connection {
  query(...args: unknown[]): unknown
  destroy(): void
  /** Knex's own mark for a connection that must not go back to the pool. */
  __knex__disposed?: unknown
}

/** How much longer than the server is waited for: by then it is silent, or has no limit for this kind of statement. */
const graceMs = 2000

/** MariaDB's for any statement, which mysql2 has no name for, and MySQL's, which it has for a SELECT only. */
const serverGaveUp = new Set([1969, 3024])

/** Settings of a session that make the server give up a statement; 0: never. Each server reads its own comment. */
export const serverLimit = (seconds: number): string =>
  `innodb_lock_wait_timeout = 5 /*M! , max_statement_time = ${seconds} */ /*!80000 , max_execution_time = ${seconds * 1000} */`

const timedOut = (cause?: unknown) =>
  Object.assign(new Error('The statement took too long', { cause }), { code: 'ER_STATEMENT_TIMEOUT' })

/** Seconds. */
const limits = new WeakMap<Connection, number>()
const exempt = new WeakSet<Connection>()

/**
 * Ends each statement of a connection that takes longer than `seconds`, with the code `ER_STATEMENT_TIMEOUT`. The server ends
 * it first, where `serverLimit` makes it, and the connection serves on; else the connection is given up, and what the statement
 * did is as unknown as after any lost connection.
 */
export const limitStatements = (connection: Connection, seconds: number): void => {
  const query = connection.query.bind(connection)
  limits.set(connection, seconds)
  connection.query = (...args) => {
    if (exempt.has(connection)) return query(...args)
    const done = args.pop() as Done
    let isOver = false
    const giveUp = () => {
      isOver = true
      statementTimeouts.inc()
      const error = timedOut()
      connection.__knex__disposed = error
      connection.destroy()
      done(error)
    }
    const timer = setTimeout(giveUp, seconds * 1000 + graceMs)
    return query(...args, (error: unknown, ...result: unknown[]) => {
      clearTimeout(timer)
      if (isOver) return
      if (!error || !serverGaveUp.has(Number((error as { errno?: unknown }).errno)))
        return done(error, ...result)
      statementTimeouts.inc()
      done(timedOut(error))
    })
  }
}

/** Lets a connection's statements take what they take, while `work` goes on. */
export const withoutLimit = async <T>(connection: Connection, work: () => Promise<T>): Promise<T> => {
  const set = (to: number): Promise<void> =>
    new Promise((resolve, reject) =>
      connection.query(`SET SESSION ${serverLimit(to)}`, (error: unknown) =>
        error ? reject(error) : resolve(),
      ),
    )
  exempt.add(connection)
  try {
    await set(0)
    return await work()
  } finally {
    await set(limits.get(connection) ?? 0).catch((fault) => {
      connection.__knex__disposed = fault
    })
    exempt.delete(connection)
  }
}
