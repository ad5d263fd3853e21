import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Knex } from 'knex'
import { apps, loadServices } from './load-services.ts'
import type { Call, Entry, Journal } from './memory-database.ts'

// What the memory database did in simulated runs, a real server is made to do again, statement by statement, at the same
// times, in as many transactions, through knex: it must answer the same, wait where it waited, and end with the same rows.

/** How often it is looked whether a statement waits, at the most. */
const patience = 250
/** Milliseconds between two looks: InnoDB renews what INNODB_TRX shows only when nobody has read it for 100 ms. */
const betweenLooks = 150

const services = await loadServices()
const { default: fc } = await import('fast-check')
const { createTestDatabase } = await import('@caravan/service-kit/testing/test-database')
const { readSchema } = await import('./memory-database.ts')
const { runScenario } = await import('./run-scenario.ts')
const { scenarios } = await import('./scenario.ts')
const { takeOverTime } = await import('./virtual-time.ts')
takeOverTime()

type App = (typeof apps)[number]
type Connection = { threadId: number; query: (sql: string, done: (error: unknown) => void) => void }
const kit = new URL('../../packages/service-kit/migrations/', import.meta.url)
const migrationsOf = (app: App) => new URL(`../../apps/${app}/migrations/`, import.meta.url)
const schemas = Object.fromEntries(
  apps.map((app) => [app, readSchema([kit, migrationsOf(app)])]),
) as unknown as Record<App, string[]>
const databases = new Map<App, Awaited<ReturnType<typeof createTestDatabase>>>()

before(async () => {
  for (const app of apps) databases.set(app, await createTestDatabase(migrationsOf(app)))
})
after(async () => {
  for (const database of databases.values()) await database.drop()
})

/** As JSON, so that only what a service can see is compared. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

const sorted = (rows: readonly unknown[]): unknown[] =>
  rows.map((row) => JSON.stringify(plain(row), Object.keys(row as object).sort())).sort()

const empty = async (db: Knex, app: App, tables: readonly string[]): Promise<void> => {
  for (const table of tables) await db.raw('TRUNCATE TABLE ??', [table])
  for (const sql of schemas[app]) if (/^\s*(?:--.*\n)*\s*INSERT/i.test(sql)) await db.raw(sql)
}

/**
 * Where a run on the server can go another way than in memory, and both are right: another one is the victim of a
 * deadlock or gets a lock first, or a statement that reads more rows than it finds waits for one of them.
 */
class Parted extends Error {}

const isRaw = (value: unknown): value is { sql: string; params: unknown[] } =>
  typeof value === 'object' && value !== null && 'sql' in value

/** The same entries on a real server. Gives the number of statements that were compared, and of waits that were seen. */
const replay = async (db: Knex, journal: Journal): Promise<{ statements: number; waits: number }> => {
  const open = new Map<number, { connection: Connection; pending?: Promise<unknown> | undefined }>()
  const counted = { statements: 0, waits: 0 }
  const run = (connection: Connection, sql: string): Promise<void> =>
    new Promise((resolve, reject) => connection.query(sql, (error) => (error ? reject(error) : resolve())))

  const start = (connection: Connection, call: Call): Promise<unknown> => {
    const given = (arg: unknown) => (isRaw(arg) ? db.raw(arg.sql, arg.params as never) : arg)
    const query =
      'raw' in call
        ? db.raw(call.raw, call.params as never)
        : call.methods.reduce(
            (builder, [name, args]) =>
              (builder as unknown as Record<string, (...args: unknown[]) => Knex.QueryBuilder>)[name]?.(
                ...args.map(given),
              ) as Knex.QueryBuilder,
            db(call.table),
          )
    return query.connection(connection).then(
      (value: unknown) => ({ value }),
      (error: { code?: string }) => ({ error: String(error.code) }),
    )
  }

  const isWaiting = async ({ threadId }: Connection): Promise<boolean> => {
    const [rows] = await db.raw(
      "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = ? AND trx_state = 'LOCK WAIT'",
      [threadId],
    )
    return rows.length > 0
  }

  const step = async (entry: Entry): Promise<void> => {
    let session = open.get(entry.tx)
    if ('end' in entry) {
      if (!session) return
      if (session.pending) throw new Parted()
      await run(session.connection, entry.end)
      await db.client.releaseConnection(session.connection)
      open.delete(entry.tx)
      return
    }
    if (!session) {
      session = { connection: await db.client.acquireConnection() }
      open.set(entry.tx, session)
      await run(session.connection, 'BEGIN')
    }
    if ('blocked' in entry) {
      if (session.pending) return
      await run(session.connection, `SET timestamp = ${entry.at / 1000}`)
      session.pending = start(session.connection, entry.call)
      let answer: unknown
      session.pending.then((given) => {
        answer = given
      })
      for (let n = 0; n < patience && !answer && !(await isWaiting(session.connection)); n += 1)
        await pause(betweenLooks)
      assert.equal(answer, undefined, `the server did not wait for a lock: ${JSON.stringify(entry.call)}`)
      counted.waits += 1
      return
    }
    if ('error' in entry && /DEADLOCK|TIMEOUT/.test(entry.error)) throw new Parted()
    if (!session.pending) await run(session.connection, `SET timestamp = ${entry.at / 1000}`)
    const { connection, pending = start(connection, entry.call) } = session
    let answer: unknown
    pending.then((given) => {
      answer = given
    })
    await Promise.race([pending, pause(100)])
    for (let n = 0; n < patience && !answer; n += 1) {
      if (await isWaiting(connection)) throw new Parted()
      await Promise.race([pending, pause(betweenLooks)])
    }
    session.pending = undefined
    const { value, error } = (answer ?? { error: 'no answer' }) as { value?: unknown; error?: string }
    const expected = 'error' in entry ? entry.error : plain(shown(entry.call, entry.value))
    assert.deepEqual(error ?? plain(shown(entry.call, value)), expected, JSON.stringify(entry.call))
    counted.statements += 1
  }

  try {
    for (const entry of journal) await step(entry)
  } finally {
    for (const { connection } of open.values()) {
      await run(connection, 'ROLLBACK').catch(() => undefined)
      await db.client.releaseConnection(connection)
    }
  }
  return counted
}

/** Of a result, what a service looks at: rows, or how many were affected. */
const shown = (call: Call, value: unknown): unknown => {
  if (!('raw' in call)) return call.methods.some(([name]) => name === 'insert') ? 'inserted' : value
  const [result] = value as [unknown[] | { affectedRows: number }]
  return Array.isArray(result) ? result : result.affectedRows
}

/** The same each time, so that a failure is the change's own; another by SEED. */
const seed = Number(process.env.SEED ?? 4)

test(`a real server answers what the memory database did in 15 runs, seed ${seed}`, async () => {
  const counted = { statements: 0, waits: 0, parted: 0, runs: 0 }
  for (const [index, scenario] of fc.sample(scenarios(), { seed, numRuns: 15 }).entries()) {
    const journals: Record<App, Journal> = { orders: [], inventory: [], payments: [] }
    const { databases: ours } = await runScenario(
      { services, schemas },
      // Steps that take as long as this meet one another, and wait.
      { ...scenario, jitter: 60 },
      { journals },
    )
    for (const app of apps) {
      const { db } = databases.get(app) as { db: Knex }
      await empty(db, app, ours[app].tables())
      try {
        const { statements, waits } = await replay(db, journals[app])
        counted.statements += statements
        counted.waits += waits
        for (const table of ours[app].tables())
          assert.deepEqual(sorted(await db(table)), sorted(ours[app].rows(table)), `${app} ${table}`)
      } catch (error) {
        if (!(error instanceof Parted))
          throw new Error(`run ${index} of seed ${seed}, ${app}`, { cause: error })
        counted.parted += 1
      }
    }
    counted.runs += 1
  }
  console.log(JSON.stringify(counted))
  assert.ok(counted.statements > 2000 && counted.waits > 0 && counted.parted < 15, JSON.stringify(counted))
})
