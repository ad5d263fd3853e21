import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import knex, { type Knex } from 'knex'
import { failpoint } from './failpoint.ts'
import { watchPool } from './metrics.ts'
import { type Connection, limitStatements, serverLimit, withoutLimit } from './statement-deadline.ts'

export type Database = Knex
export type Transaction = Knex.Transaction

export interface PoolOptions {
  readonly size?: number
  /** Longer than a lock is waited for, and than any request waits. */
  readonly statementSeconds?: number
  /** Milliseconds that a new connection may take; half as long again is waited for a free one. */
  readonly connectMs?: number
}

/**
 * A pool on the service's own database. Sessions run in UTC at READ COMMITTED: fewer gap locks than the default, and no
 * write here relies on a repeatable read (each is conditional, or locks its row first). Every statement has a deadline.
 */
export const connect = (
  url: string,
  { size = 16, statementSeconds = 6, connectMs = 1000 }: PoolOptions = {},
): Database => {
  const db = knex({
    client: 'mysql2',
    // An error's message keeps its placeholders: values are people's data.
    compileSqlOnError: false,
    connection: {
      uri: url,
      timezone: 'Z',
      charset: 'utf8mb4',
      connectTimeout: connectMs,
      jsonStrings: true,
    } as never,
    acquireConnectionTimeout: 1.5 * connectMs,
    pool: {
      min: 0,
      max: size,
      afterCreate: (connection: Connection, done: (...a: unknown[]) => void) => {
        limitStatements(connection, statementSeconds)
        // A statement of its own: the variable for it has another name in MariaDB before 11.1.
        connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (error: unknown) =>
          error
            ? done(error, connection)
            : connection.query(
                `SET SESSION time_zone = '+00:00', ${serverLimit(statementSeconds)}`,
                (fault: unknown) => done(fault, connection),
              ),
        )
      },
    },
  })
  watchPool(db.client.pool)
  return Object.defineProperty(db, 'transaction', { value: plainTransactions(db) })
}

/** BEGIN, work, COMMIT or ROLLBACK on one connection: a third of the processor time of knex's, which nests and emits events. */
const plainTransactions = (db: Database) => {
  const run = (connection: Connection, sql: string): Promise<void> =>
    new Promise((resolve, reject) =>
      connection.query(sql, (error: unknown) => (error ? reject(error) : resolve())),
    )

  return async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const connection: Connection = await db.client.acquireConnection()
    let over = false
    const bound = <Q extends { connection(on: unknown): Q }>(query: Q): Q => {
      if (over) throw new Error('the transaction is over')
      return query.connection(connection)
    }
    const tx = Object.assign((table: string) => bound(db(table)), {
      raw: (sql: string, bindings: Knex.RawBinding[] = []) => bound(db.raw(sql, bindings)),
    }) as unknown as Transaction
    try {
      await run(connection, 'BEGIN')
      const result = await work(tx)
      await run(connection, 'COMMIT')
      return result
    } catch (error) {
      await run(connection, 'ROLLBACK').catch((fault) => {
        connection.__knex__disposed = fault
      })
      throw error
    } finally {
      over = true
      await db.client.releaseConnection(connection)
    }
  }
}

/** Whether another row with the key was faster. */
export const isDuplicate = (error: unknown): boolean => (error as { code?: unknown }).code === 'ER_DUP_ENTRY'

/**
 * A write that locks the row with its key or inserts it. Where another first write of the key is faster, it is done once more: now
 * the row is there to be locked and replaced.
 */
export const orReplace = <T>(write: () => Promise<T>): Promise<T> =>
  write().catch((error) => {
    if (isDuplicate(error)) return write()
    throw error
  })

const retriable = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'])

/** Runs `work` in one transaction; a deadlock's victim is run again, up to five times, so `work` must be free of other effects. */
export const transaction = async <T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await db.transaction(async (tx) => {
        const done = await work(tx)
        failpoint('before-commit')
        return done
      })
      failpoint('after-commit')
      return result
    } catch (error) {
      if (!retriable.has(String((error as { code?: unknown }).code)) || attempt === 5) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt))
    }
  }
}

const kitMigrations = new URL('../migrations/', import.meta.url)

const readMigrations = async (folder: URL): Promise<{ name: string; sql: string }[]> => {
  const files = (await readdir(fileURLToPath(folder))).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), 'utf8') })),
  )
}

/**
 * Brings the schema up to date: the kit's tables, then the service's own, each file once, in order of name. Replicas that
 * start together wait for each other on a named lock. Migrations only expand, so the old version runs on beside the new.
 * Their statements have no deadline: an index of a large table takes its time.
 */
export const migrate = async (db: Database, folder: URL): Promise<void> => {
  const migrations = [
    ...(await readMigrations(kitMigrations)).map(({ name, sql }) => ({ name: `kit/${name}`, sql })),
    ...(await readMigrations(folder)),
  ]
  const connection: Connection = await db.client.acquireConnection()
  const run = (sql: string, bindings: readonly string[] = []) =>
    db.raw(sql, bindings as string[]).connection(connection)
  const apply = async (): Promise<void> => {
    const [[lock]] = (await run(
      "SELECT GET_LOCK(CONCAT(DATABASE(), ':migrate'), 60) AS mine",
    )) as unknown as [[{ mine: number | null }]]
    if (lock.mine !== 1) throw new Error('another replica migrates for longer than 60 s')
    await run(`CREATE TABLE IF NOT EXISTS migrations (
      name VARCHAR(200) PRIMARY KEY, applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3))`)
    const [rows] = (await run('SELECT name FROM migrations')) as unknown as [{ name: string }[]]
    const applied = new Set(rows.map((row) => row.name))
    for (const { name, sql } of migrations) {
      if (applied.has(name)) continue
      for (const statement of sql.split(/;\s*$/m)) if (statement.trim() !== '') await run(statement)
      await run('INSERT INTO migrations (name) VALUES (?)', [name])
    }
  }
  try {
    await withoutLimit(connection, apply)
  } finally {
    await run("SELECT RELEASE_LOCK(CONCAT(DATABASE(), ':migrate'))").catch(() => undefined)
    await db.client.releaseConnection(connection)
  }
}
