import type { Env, TableDefinition, Value, Values } from './sql-syntax.ts'
import { equal, isTrue } from './sql-values.ts'

export interface Writes {
  /** Rows that this transaction has locked, changed or not. */
  readonly rows: Set<Row>
}

/** One row with its locks: `committed` is what others see, `current` what the holder of the exclusive lock sees. */
export interface Row {
  readonly table: Table
  committed: Values | undefined
  current: Values | undefined
  /** By a commit: until it is purged, an index still holds its key. */
  deleted: boolean
  writer: Writes | undefined
  sharers: Set<Writes> | undefined
  /** Who waits for which lock, the longest first. */
  waiting: Map<Writes, Mode> | undefined
}

type Mode = 'shared' | 'exclusive'

/** What stands in the way: the statement can go on when one of these transactions has ended. */
export class Blocked extends Error {
  readonly by: readonly Writes[]
  readonly row: Row
  readonly mode: Mode
  constructor(by: readonly Writes[], row: Row, mode: Mode) {
    super('blocked')
    this.by = by
    this.row = row
    this.mode = mode
  }
}

const fault = (code: string, message: string) => Object.assign(new Error(message), { code })

const stored = (type: string, value: Value): Value => {
  if (value === null || value instanceof Date) return value
  if (type === 'DATE') return new Date(String(value))
  return type === 'DATETIME' ? new Date(`${String(value).replace(' ', 'T')}Z`) : value
}

/** InnoDB's rows and locks of one table, at READ COMMITTED. Every method throws `Blocked` before it changes anything. */
export const createTable = (definition: TableDefinition) => {
  const rows = new Set<Row>()
  let counter = 0

  const seenBy = (row: Row, tx: Writes): Values | undefined =>
    row.writer === tx ? row.current : row.committed

  /** Whether another transaction has a lock on it. */
  const isTaken = (row: Row, tx: Writes): boolean =>
    (row.writer !== undefined && row.writer !== tx) ||
    [...(row.sharers ?? [])].some((sharer) => sharer !== tx)

  /** Those that hold the row, or have waited for it for longer, in a way that keeps this one from it. */
  const inTheWay = (row: Row, tx: Writes, mode: Mode): Writes[] => {
    const others = mode === 'exclusive' ? [...(row.sharers ?? [])] : []
    if (row.writer) others.push(row.writer)
    for (const [waiter, wanted] of row.waiting ?? []) {
      if (waiter === tx) break
      if (mode === 'exclusive' || wanted === 'exclusive') others.push(waiter)
    }
    return others.filter((each) => each !== tx)
  }

  const lock = (row: Row, tx: Writes): void => {
    if (row.writer === tx) return
    const others = inTheWay(row, tx, 'exclusive')
    if (others.length > 0) throw new Blocked(others, row, 'exclusive')
    row.writer = tx
    row.current = row.committed
    tx.rows.add(row)
  }

  const share = (row: Row, tx: Writes): void => {
    if (row.writer === tx || row.sharers?.has(tx)) return
    const others = inTheWay(row, tx, 'shared')
    if (others.length > 0) throw new Blocked(others, row, 'shared')
    row.sharers ??= new Set()
    row.sharers.add(tx)
    tx.rows.add(row)
  }

  const sameKey = (a: Values, b: Values, key: readonly string[]): boolean =>
    key.every((column) => {
      const [left, right] = [a[column] ?? null, b[column] ?? null]
      return left !== null && right !== null && equal(left, right)
    })

  /**
   * The row that keeps these values out of a unique key, and the key. It must be waited for where another transaction has
   * in hand its entry in that index: in the primary key with any lock, in another only by a change of that entry, since
   * nothing here finds the rows that it locks by such a key.
   */
  const conflicting = (
    values: Values,
    tx: Writes,
    self?: Row,
  ): { row: Row; primary: boolean } | undefined => {
    for (const [index, key] of definition.unique.entries()) {
      const primary = index === 0
      for (const row of rows) {
        if (row === self) continue
        const entries =
          row.writer === tx ? [row.current] : row.writer ? [row.committed, row.current] : [row.committed]
        const same = entries.map((each) => each !== undefined && sameKey(each, values, key))
        if (!same.includes(true)) continue
        if (row.writer && row.writer !== tx && (primary || same.includes(false)))
          throw new Blocked(inTheWay(row, tx, 'shared'), row, 'shared')
        return { row, primary }
      }
    }
    return undefined
  }

  const checked = (values: Values, env: Env): void => {
    for (const { name, type, nullable } of definition.columns) {
      if (values[name] === null && !nullable) throw fault('ER_BAD_NULL_ERROR', `${name} cannot be null`)
      if (type === 'BIGINT' && values[name] !== null && !Number.isFinite(Number(values[name])))
        throw fault('ER_TRUNCATED_WRONG_VALUE', `${values[name]} is no number`)
    }
    for (const { name, holds } of definition.checks) {
      const result = holds({ ...env, scope: { alias: definition.table, values, outer: undefined } })
      if (result !== null && !isTrue(result))
        throw fault('ER_CONSTRAINT_FAILED', `CONSTRAINT ${name} failed for ${definition.table}`)
    }
  }

  /** A whole row from the given columns and the defaults. */
  const complete = (given: Values, env: Env): Values => {
    const values: Values = {}
    for (const { name, type, initially, counts } of definition.columns) {
      const value = given[name] === undefined ? (initially?.(env) ?? null) : given[name]
      values[name] = stored(type, value)
      if (!counts) continue
      if (values[name] === null) {
        counter += 1
        values[name] = counter
      }
    }
    return values
  }

  const add = (values: Values, tx: Writes): Row => {
    const row: Row = {
      table,
      committed: undefined,
      current: values,
      deleted: false,
      writer: tx,
      sharers: undefined,
      waiting: undefined,
    }
    rows.add(row)
    tx.rows.add(row)
    return row
  }

  const change = (row: Row, to: Values, tx: Writes, env: Env): void => {
    for (const { name, type } of definition.columns) to[name] = stored(type, to[name] ?? null)
    checked(to, env)
    if (conflicting(to, tx, row)) throw fault('ER_DUP_ENTRY', `Duplicate entry in ${definition.table}`)
    row.current = to
  }

  const end = (row: Row, tx: Writes, commits: boolean): void => {
    row.sharers?.delete(tx)
    if (row.writer !== tx) return
    row.writer = undefined
    if (commits) row.committed = row.current
    row.current = undefined
    if (row.committed) return
    rows.delete(row)
    row.deleted = commits
  }

  const table = {
    name: definition.table,
    primaryKey: definition.unique[0] ?? [],
    columns: definition.columns.map(({ name }) => name),
    rows: rows as ReadonlySet<Row>,
    /** What everyone sees, in the order of insertion. */
    committed: (): Values[] => [...rows].map((row) => row.committed).filter((values) => values !== undefined),
    ...{ seenBy, isTaken, lock, share, conflicting, checked, complete, add, change, end },
  }
  return table
}

export type Table = ReturnType<typeof createTable>
