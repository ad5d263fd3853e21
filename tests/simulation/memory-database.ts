import { readdirSync, readFileSync } from 'node:fs'
import { createExecutor, type Outcome } from './memory-statements.ts'
import { Blocked, createTable, type Row, type Table, type Writes } from './memory-table.ts'
import { parseStatement } from './sql-statement.ts'
import type { TableDefinition, Values } from './sql-syntax.ts'

export interface Transaction extends Writes {
  readonly id: number
  ended: boolean
  /** Those whose locks it waits for. */
  waitsFor: readonly Transaction[]
}

/** A committed change of one row: no `before` for an insert, no `after` for a delete. */
export interface CommittedChange {
  readonly table: string
  readonly before: Values | undefined
  readonly after: Values | undefined
}

/** One call of knex: `raw`, or a table's builder with the methods that were called on it. */
export type Call =
  | { readonly raw: string; readonly params: readonly unknown[] }
  | {
      readonly table: string
      readonly methods: readonly (readonly [name: string, args: readonly unknown[]])[]
    }

/** What happened on a database, in the order in which it happened. `at` is what NOW(3) was, in milliseconds. */
export type Entry = { readonly tx: number; readonly at: number } & (
  | { readonly end: 'commit' | 'rollback' }
  | { readonly call: Call; readonly value: unknown }
  | { readonly call: Call; readonly error: string }
  | { readonly call: Call; readonly blocked: true }
)
export type Journal = Entry[]

export interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly call: Call
  /** What its caller gets of its outcome. */
  readonly present: (outcome: Outcome) => unknown
}

export type Answer = { readonly value: unknown } | { readonly error: unknown }

interface Waiter {
  readonly tx: Transaction
  readonly statement: Statement
  readonly autocommit: boolean
  readonly answer: (given: Answer) => void
  readonly at: number
  /** That it waits for. */
  row?: Row | undefined
}

const fault = (code: string, message: string) => Object.assign(new Error(message), { code })
const isMigration = (file: string) => file.endsWith('.sql')

/** The statements of migrations, in their order. */
export const readSchema = (folders: readonly URL[], edit = (_: string, sql: string) => sql): string[] =>
  folders.flatMap((folder) =>
    readdirSync(folder)
      .filter(isMigration)
      .sort()
      .flatMap((file) =>
        edit(new URL(file, folder).pathname, readFileSync(new URL(file, folder), 'utf8')).split(/;\s*$/m),
      )
      .filter((sql) => sql.trim() !== ''),
  )

/** The tables as a schema leaves them. */
const definitions = (schema: readonly string[]): TableDefinition[] => {
  const found = new Map<string, TableDefinition>()
  for (const sql of schema) {
    const statement = parseStatement(sql)
    if (statement.kind === 'create') found.set(statement.table, statement)
    if (statement.kind !== 'alter') continue
    const before = found.get(statement.table)
    if (!before) throw new Error(`no table ${statement.table}`)
    const { columns, unique, checks } = before
    const [primary = [], ...others] = unique
    found.set(statement.table, {
      ...before,
      columns: [...columns, ...statement.columns],
      unique: [statement.primaryKey ?? primary, ...others, ...statement.unique],
      checks: [...checks, ...statement.checks],
    })
  }
  return [...found.values()]
}

interface Options {
  readonly schema: readonly string[]
  /** Milliseconds. */
  readonly now: () => number
  readonly onCommit?: (changes: readonly CommittedChange[]) => void
  readonly journal?: Journal | undefined
}

/**
 * MySQL as the services use it, in memory: transactions at READ COMMITTED with row locks, unique keys, CHECK
 * constraints, deadlocks. It is held to a real server by memory-database.db.test.ts.
 */
export const createMemoryDatabase = ({ schema, now, onCommit, journal }: Options) => {
  const tables = new Map<string, Table>(
    definitions(schema).map((definition) => [definition.table, createTable(definition)]),
  )
  const execute = createExecutor(tables)
  let waiters: Waiter[] = []

  let transactions = 0
  const begin = (): Transaction => {
    transactions += 1
    return { id: transactions, rows: new Set(), ended: false, waitsFor: [] }
  }

  const reaches = (from: readonly Transaction[], to: Transaction, seen = new Set<Transaction>()): boolean =>
    from.some((each) => {
      if (each === to) return true
      if (seen.has(each)) return false
      seen.add(each)
      return reaches(each.waitsFor, to, seen)
    })

  /** All of a statement or nothing; its locks stay. */
  const attempt = ({ sql, params }: Statement, tx: Transaction, at: number): Outcome => {
    const before = new Map([...tx.rows].filter((row) => row.writer === tx).map((row) => [row, row.current]))
    tx.waitsFor = []
    try {
      return execute(sql, params, tx, at)
    } catch (error) {
      for (const row of tx.rows) {
        if (row.writer !== tx) continue
        if (before.has(row)) row.current = before.get(row)
        else if (row.committed) row.current = row.committed
        else {
          row.table.end(row, tx, false)
          tx.rows.delete(row)
        }
      }
      throw error
    }
  }

  const deadlock = ({ tx, statement: { call }, at, answer }: Waiter): void => {
    journal?.push({ call, error: 'ER_LOCK_DEADLOCK', tx: tx.id, at })
    answer({ error: fault('ER_LOCK_DEADLOCK', 'Deadlock found when trying to get lock') })
    rollback(tx)
  }

  const leave = (waiter: Waiter): void => {
    waiter.row?.waiting?.delete(waiter.tx)
    waiter.row = undefined
  }

  /** Tries once; false when it goes on waiting. Who closes a circle of waits is rolled back with ER_LOCK_DEADLOCK. */
  const proceed = (waiter: Waiter): boolean => {
    const { tx, statement, at, autocommit, answer, row } = waiter
    const { call } = statement
    const note = (entry: { value: unknown } | { error: string }) =>
      void journal?.push({ ...entry, call, tx: tx.id, at })
    try {
      const value = statement.present(attempt(statement, tx, at))
      leave(waiter)
      // An insert that waited for a row which is deleted now shares the lock of its entry, and needs it alone to put its own
      // in that place: it and whoever else waits for that lock are in each other's way. One of them is the victim.
      if (row?.deleted && parseStatement(statement.sql).kind === 'insert')
        for (const other of waiters.filter((each) => each !== waiter && each.row === row)) {
          leave(other)
          deadlock(other)
        }
      note({ value })
      if (autocommit) end(tx, true)
      answer({ value })
    } catch (error) {
      if (error instanceof Blocked) {
        tx.waitsFor = error.by as readonly Transaction[]
        if (!reaches(tx.waitsFor, tx)) {
          // Its place among those who wait for the row, unless it has one.
          if (waiter.row !== error.row) leave(waiter)
          waiter.row = error.row
          waiter.row.waiting ??= new Map()
          if (!waiter.row.waiting.has(tx)) waiter.row.waiting.set(tx, error.mode)
          return false
        }
        leave(waiter)
        deadlock(waiter)
      } else {
        leave(waiter)
        note({ error: String((error as { code?: unknown }).code) })
        answer({ error })
      }
    }
    return true
  }

  /**
   * Does a statement, at once or as soon as the locks that it needs are free; then the server answers. Gives what ends the
   * wait with ER_LOCK_WAIT_TIMEOUT, if there is one. NOW(3) is when it began.
   */
  const submit = (
    tx: Transaction,
    statement: Statement,
    autocommit: boolean,
    answer: (given: Answer) => void,
  ): (() => void) | undefined => {
    const waiter: Waiter = { tx, statement, autocommit, answer, at: now() }
    if (proceed(waiter)) return undefined
    const { call } = statement
    journal?.push({ call, blocked: true, tx: tx.id, at: waiter.at })
    waiters.push(waiter)
    return () => {
      if (!waiters.includes(waiter)) return
      waiters = waiters.filter((each) => each !== waiter)
      leave(waiter)
      tx.waitsFor = []
      journal?.push({ call, error: 'ER_LOCK_WAIT_TIMEOUT', tx: tx.id, at: waiter.at })
      wake(tx)
      answer({ error: fault('ER_LOCK_WAIT_TIMEOUT', 'Lock wait timeout exceeded') })
    }
  }

  const end = (tx: Transaction, commits: boolean): void => {
    if (tx.ended) return
    tx.ended = true
    tx.waitsFor = []
    for (const waiter of waiters) if (waiter.tx === tx) leave(waiter)
    waiters = waiters.filter((waiter) => waiter.tx !== tx)
    journal?.push({ tx: tx.id, at: now(), end: commits ? 'commit' : 'rollback' })
    const changes: CommittedChange[] = []
    for (const row of tx.rows) {
      if (commits && row.writer === tx && row.committed !== row.current)
        changes.push({ table: row.table.name, before: row.committed, after: row.current })
      row.table.end(row, tx, commits)
    }
    tx.rows.clear()
    if (changes.length > 0) onCommit?.(changes)
    wake(tx)
  }

  /** Those who waited for it, first come, first served. */
  const wake = (tx: Transaction): void => {
    for (const waiter of waiters.filter((each) => each.tx.waitsFor.includes(tx)))
      if (waiters.includes(waiter) && proceed(waiter)) waiters = waiters.filter((each) => each !== waiter)
  }

  const commit = (tx: Transaction): void => end(tx, true)
  const rollback = (tx: Transaction): void => end(tx, false)

  const setUp = begin()
  for (const sql of schema) if (parseStatement(sql).kind === 'insert') execute(sql, [], setUp, now())
  for (const row of setUp.rows) row.table.end(row, setUp, true)

  return {
    ...{ begin, submit, commit, rollback },
    /** A table's rows as everyone sees them. */
    rows: (table: string): Values[] => tables.get(table)?.committed() ?? [],
    tables: (): string[] => [...tables.keys()],
  }
}

export type MemoryDatabase = ReturnType<typeof createMemoryDatabase>
