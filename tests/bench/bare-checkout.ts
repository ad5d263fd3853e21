import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import mysql, { type Connection, type ResultSetHeader } from 'mysql2/promise'
import type { Stack } from '../../tools/launcher/stack.ts'
import { inDatabase } from '../support/in-database.ts'
import { shopOf } from '../support/shop.ts'
import { openMint } from '../support/tokens.ts'
import {
  type Logged,
  type Pieces,
  type Script,
  type Statement,
  scriptOf,
  type Unit,
} from './checkout-statements.ts'
import { closedLoop, type Done } from './measure.ts'
import { ownDatabases } from './own-databases.ts'

const products = 100
const retriable = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'])

/**
 * What one checkout of two products makes the services say to MySQL, by the server's own general log, while nothing else
 * goes on in the shop. It is recorded until every event that followed was handled and marked as sent.
 */
const record = async (stack: Stack): Promise<{ script: Script; skus: readonly string[] }> => {
  const shop = shopOf(stack)
  const issuer = String(stack.sidecarEnvironment.TOKEN_ISSUER)
  const mint = openMint(String(stack.secrets['identity-signing-key']), issuer)
  const shopper = mint.member()
  const skus: string[] = []
  let lines = await shop.newLines([1_000_000, 1_000_000])
  for (let each = 1; each < products; each += 1) {
    skus.push(...lines.map(({ sku }) => sku))
    lines = await shop.newLines([1_000_000, 1_000_000])
  }
  const buy = async (): Promise<string> => {
    const { id } = await shop.placeOrder(shopper, lines)
    await shop.pay(shopper, id)
    await shop.settled(shopper, id)
    await eventually('all events are sent', async () => (await unsent(stack)) === 0)
    return id
  }
  const admin = <T>(statement: string) => inDatabase<T>(stack.mysqlAdminUrl, 'mysql', statement)
  // The first one opens connections and fills caches.
  await buy()
  await admin("SET GLOBAL log_output = 'TABLE'")
  await admin('TRUNCATE mysql.general_log')
  await admin('SET GLOBAL general_log = 1')
  const order = await buy().finally(() => admin('SET GLOBAL general_log = 0'))
  const rows = await admin<{ user: string; thread: number; sql: string }>(
    `SELECT SUBSTRING_INDEX(user_host, '[', 1) AS user, thread_id AS thread, CONVERT(argument USING utf8mb4) AS \`sql\`
     FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND user_host NOT LIKE 'root%'`,
  )
  await admin('TRUNCATE mysql.general_log')
  const log: Logged[] = rows.map((row) => ({ ...row, thread: Number(row.thread) }))
  return { script: scriptOf(log, [order], lines.map(({ sku }) => sku).sort()), skus }
}

const unsent = async ({ mysqlAdminUrl }: Stack, prefix = ''): Promise<number> => {
  let count = 0
  for (const service of ['orders', 'inventory', 'payments']) {
    const sql = 'SELECT COUNT(*) AS n FROM outbox WHERE sent = FALSE'
    const [row] = await inDatabase<{ n: number }>(mysqlAdminUrl, prefix + service, sql)
    count += Number(row?.n)
  }
  return count
}

/** The tables of a service, empty but for what a checkout reads and takes from. */
const copyTables = async (connection: Connection, service: string, database: string): Promise<void> => {
  const [tables] = (await connection.query(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'",
    [service],
  )) as unknown as [{ name: string }[]]
  for (const { name } of tables) {
    await connection.query(`CREATE TABLE ${database}.${name} LIKE ${service}.${name}`)
    if (['stock', 'offers', 'offered_products'].includes(name))
      await connection.query(`INSERT INTO ${database}.${name} SELECT * FROM ${service}.${name}`)
  }
}

const connect = async (url: string | undefined): Promise<Connection> => {
  const connection = await mysql.createConnection({ uri: String(url), jsonStrings: true })
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
  return connection
}

type Fill = (value: Pieces) => string
const fillWith =
  (values: readonly string[]): Fill =>
  (pieces) =>
    pieces.map((piece) => (typeof piece === 'number' ? values[piece] : piece)).join('')

/** Marks what the workers wrote to one service's outbox as its relay does, as many rows at once as have come. */
const openRelay = async (statements: readonly Statement[], url: string | undefined, fill: Fill) => {
  const connection = await connect(url)
  const waiting: number[] = []
  let running = Promise.resolve()
  const round = async () => {
    const rows = waiting.splice(0, 100)
    if (rows.length === 0) return
    for (const { sql, values, outboxRows } of statements)
      await connection.query(sql, [...values.map(fill), ...(outboxRows ? [rows] : [])])
  }
  return {
    take: (rows: readonly number[]) => {
      waiting.push(...rows)
      running = running.then(round)
    },
    idle: () => running,
    close: () => connection.end(),
  }
}

type Relay = Awaited<ReturnType<typeof openRelay>>

interface Stage {
  readonly script: Script
  readonly databases: Record<string, string>
  readonly skus: readonly string[]
  /** Ids that stay the same: the relays' own. */
  readonly fixed: ReadonlyMap<number, string>
  readonly relays: ReadonlyMap<string, Relay>
}

/** One worker: a connection to each service's copy, on which it does checkouts, statement by statement. */
const openWorker = async ({ script, databases, skus, fixed, relays }: Stage) => {
  const { units, variables } = script
  const connections = new Map<string, Connection>()
  for (const service of new Set(units.map((unit) => unit.service)))
    connections.set(service, await connect(databases[service]))

  const play = async ({ service, transaction, statements }: Unit, fill: Fill) => {
    const connection = connections.get(service) as Connection
    const rows: number[] = []
    if (transaction) await connection.query('BEGIN')
    for (const { sql, values } of statements) {
      const [result] = await connection.execute(sql, values.map(fill))
      const { insertId, affectedRows } = result as ResultSetHeader
      if (/^insert into `?outbox\b/i.test(sql))
        for (let row = 0; row < affectedRows; row += 1) rows.push(insertId + row)
    }
    if (transaction) await connection.query('COMMIT')
    if (rows.length > 0) relays.get(service)?.take(rows)
  }

  const checkout = async (): Promise<void> => {
    const first = Math.floor(Math.random() * skus.length)
    const second = (first + 1 + Math.floor(Math.random() * (skus.length - 1))) % skus.length
    const bought = [String(skus[first]), String(skus[second])].sort()
    const fill = fillWith(variables.map((_, index) => bought[index] ?? fixed.get(index) ?? newId()))
    for (const unit of units) {
      for (;;) {
        try {
          await play(unit, fill)
          break
        } catch (error) {
          // As the services do: a deadlock's victim runs its transaction again.
          if (!retriable.has(String((error as { code?: string }).code))) throw error
        }
      }
    }
  }
  return { checkout, close: () => Promise.all([...connections.values()].map((each) => each.end())) }
}

/** The SQL of a checkout as a loop of one process, with nothing else around it. */
export const openBareCheckout = async (stack: Stack, concurrency: number) => {
  const { script, skus } = await record(stack)
  const databases = await ownDatabases(stack, 'bare', copyTables)
  const ofRelays = script.relays.flatMap(({ statements }) => statements)
  const fixed = new Map(
    ofRelays.flatMap(({ values }) =>
      values.flat().flatMap((piece) => (typeof piece === 'number' ? [[piece, newId()] as const] : [])),
    ),
  )
  const relays = new Map<string, Relay>()
  for (const [service, units] of Map.groupBy(script.relays, (unit) => unit.service)) {
    const statements = units.flatMap((unit) => unit.statements)
    const fill = fillWith(script.variables.map((_, index) => fixed.get(index) ?? ''))
    relays.set(service, await openRelay(statements, databases[service], fill))
  }
  const stage = { script, databases, skus, fixed, relays }
  const workers = await Promise.all(Array.from({ length: concurrency }, () => openWorker(stage)))

  /** What the replays have left in the books: as many of each as there were checkouts. */
  const books = async (): Promise<Record<string, number>> => {
    const count = async (service: string, sql: string) => {
      const [row] = await inDatabase<{ n: string }>(stack.mysqlAdminUrl, `bare_${service}`, sql)
      return Number(row?.n)
    }
    return {
      'orders confirmed': await count(
        'orders',
        "SELECT COUNT(*) AS n FROM orders WHERE status = 'confirmed'",
      ),
      'pairs sold': (await count('inventory', 'SELECT SUM(sold) AS n FROM stock')) / 2,
      'payments in the ledger': (await count('payments', 'SELECT COUNT(*) AS n FROM ledger_entries')) / 2,
    }
  }

  /** Throws when the replays did not do what the recorded checkout did. */
  const run = async (milliseconds: number): Promise<Done> => {
    const before = await books()
    const done = await closedLoop(
      concurrency,
      milliseconds,
      (worker) => workers[worker]?.checkout() as Promise<void>,
    )
    for (const relay of relays.values()) await relay.idle()
    for (const [what, n] of Object.entries(await books()))
      if (n - Number(before[what]) !== done.operations)
        throw new Error(`${done.operations} replays left ${n - Number(before[what])} ${what}`)
    if ((await unsent(stack, 'bare_')) !== 0) throw new Error('a replay left events unsent')
    return done
  }
  const close = async () => {
    for (const each of [...workers, ...relays.values()]) await each.close()
  }
  return { run, script, close }
}
