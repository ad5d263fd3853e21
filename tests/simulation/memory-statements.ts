import { Blocked, type Row, type Table, type Writes } from './memory-table.ts'
import { parseStatement } from './sql-statement.ts'
import type { Delete, Env, Insert, Scope, Select, Update, Value, Values } from './sql-syntax.ts'
import { compare, isTrue } from './sql-values.ts'

export type Outcome =
  | { readonly rows: Values[] }
  | { readonly affectedRows: number; readonly insertId: number }

/**
 * Does statements on tables, each at once. Throws `Blocked` when another transaction has a lock that it needs, and what a
 * server would say when it fails; then some of its changes may be there, for the caller to undo.
 */
export const createExecutor = (tables: ReadonlyMap<string, Table>) => {
  const tableOf = (name: string): Table => {
    const table = tables.get(name)
    if (!table) throw new Error(`no table ${name}`)
    return table
  }

  const envOf = (params: readonly unknown[], tx: Writes, at: number): Env => ({
    params,
    now: at,
    scope: undefined,
    exists: (select, env) => matches(select, env, tx).length > 0,
    value: (select, env) => {
      const scopes = matches(select, env, tx).map(({ scope }) => scope)
      return Object.values(present(select, env, scopes)[0] ?? {})[0] ?? null
    },
  })

  const holds = (where: Update['where'], env: Env, scope: Scope): boolean => {
    env.scope = scope
    return !where || isTrue(where(env))
  }

  /** Whether a condition finds a row by its primary key, whatever else it asks: then its lock is waited for first. */
  const findsByKey = (where: Update['where'], env: Env, row: Row, alias: string, outer?: Scope): boolean => {
    const { primaryKey, columns } = row.table
    const present = row.current ?? row.committed
    if (!where || !present) return false
    const holdsFor = (keyOf: (column: string) => Value) => {
      const values = Object.fromEntries(columns.map((name) => [name, null as Value]))
      for (const column of primaryKey) values[column] = keyOf(column)
      env.scope = { alias, values, outer }
      return where(env) !== 0
    }
    return holdsFor((column) => present[column] ?? null) && !holdsFor(() => '\u0000')
  }

  /** The combinations of rows that a SELECT sees, each with the rows it is made of. */
  const matches = (select: Select, env: Env, tx: Writes): { scope: Scope; rows: Row[] }[] => {
    const outer = env.scope
    let found: { scope: Scope | undefined; rows: Row[] }[] = [{ scope: outer, rows: [] }]
    for (const [index, { table, alias, on }] of select.from.entries()) {
      const last = index === select.from.length - 1
      const next: typeof found = []
      for (const { scope, rows } of found) {
        for (const row of tableOf(table).rows) {
          // Who locks sees what is there when the lock is free, or what will be if it comes to that.
          const versions =
            select.lock === 'none' || row.writer === tx || !row.writer
              ? [tableOf(table).seenBy(row, tx)]
              : [row.committed, row.current]
          const seen = versions.find((values) => {
            if (!values) return false
            const inner: Scope = { alias, values, outer: scope }
            return holds(on, env, inner) && (!last || holds(select.where, env, inner))
          })
          const waits = !seen && select.lock === 'wait' && row.table.isTaken(row, tx)
          if (waits && findsByKey(select.where, env, row, alias, scope)) row.table.lock(row, tx)
          if (seen) next.push({ scope: { alias, values: seen, outer: scope }, rows: [...rows, row] })
        }
      }
      found = next
    }
    env.scope = outer
    return found as { scope: Scope; rows: Row[] }[]
  }

  const limited = <T>(items: T[], limit: Select['limit'], env: Env): T[] =>
    limit ? items.slice(0, Number(limit(env))) : items

  const select = (statement: Select, env: Env, tx: Writes): Outcome => {
    const found = sorted(statement, env, matches(statement, env, tx))
    const most = statement.limit ? Number(statement.limit(env)) : Number.POSITIVE_INFINITY
    const taken: Scope[] = []
    for (const { scope, rows } of found) {
      if (taken.length >= most) break
      try {
        if (statement.lock !== 'none') for (const row of rows) row.table.lock(row, tx)
      } catch (error) {
        if (statement.lock === 'skip' && error instanceof Blocked) continue
        throw error
      }
      taken.push(scope)
    }
    return { rows: present(statement, env, taken) }
  }

  /** In the order asked for, and without one by primary key. */
  const sorted = ({ orderBy, from: [first] }: Select, env: Env, found: ReturnType<typeof matches>) => {
    if (found.length < 2 || !first) return found
    const primary = tableOf(first.table).primaryKey
    return found
      .map((each) => {
        let own = each.scope
        while (own.alias !== first.alias && own.outer) own = own.outer
        env.scope = each.scope
        const asked = orderBy.map(({ by }) => by(env))
        return { ...each, keys: [...asked, ...primary.map((column) => own.values[column] ?? null)] }
      })
      .sort((a, b) => {
        for (const [index, key] of a.keys.entries()) {
          const order = compare(key, b.keys[index] ?? null)
          if (order !== 0) return orderBy[index]?.descending ? -order : order
        }
        return 0
      })
  }

  const present = ({ columns, groupBy }: Select, env: Env, scopes: Scope[]): Values[] => {
    const pick = (scope: Scope | undefined, group?: Scope[]): Values => {
      if (!columns) return { ...scope?.values }
      const inner: Env = { ...env, scope, ...(group ? { group } : {}) }
      return Object.fromEntries(columns.map(({ name, of }) => [name, of(inner)]))
    }
    if (!groupBy) return scopes.map((scope) => pick(scope))
    const groups = Map.groupBy(scopes, (scope) => JSON.stringify(groupBy.map((by) => by({ ...env, scope }))))
    if (groupBy.length === 0 && groups.size === 0) return [pick(undefined, [])]
    return [...groups.values()].map((group) => pick(group[0], group))
  }

  /** The rows that a write is about, locked, as they are then. */
  const locked = (table: Table, where: Update['where'], env: Env, tx: Writes, limit?: Select['limit']) => {
    const of = (values: Values): Scope => ({ alias: table.name, values, outer: undefined })
    const rows: Row[] = []
    for (const row of table.rows) {
      const versions =
        row.writer && row.writer !== tx ? [row.committed, row.current] : [table.seenBy(row, tx)]
      const found = versions.some((values) => values && holds(where, env, of(values)))
      if (found || (table.isTaken(row, tx) && findsByKey(where, env, row, table.name))) table.lock(row, tx)
      if (found) rows.push(row)
    }
    return limited(rows, limit, env)
  }

  const update = ({ table: name, ignore, set, where }: Update, env: Env, tx: Writes): Outcome => {
    const table = tableOf(name)
    const found = locked(table, where, env, tx)
    for (const row of found) {
      // From left to right, each sees what those before it have set.
      const values = { ...(row.current as Values) }
      env.scope = { alias: name, values, outer: undefined }
      for (const [column, to] of set) values[column] = to(env)
      try {
        table.change(row, values, tx, env)
      } catch (error) {
        if (!ignore || (error as { code?: string }).code !== 'ER_DUP_ENTRY') throw error
      }
    }
    return { affectedRows: found.length, insertId: 0 }
  }

  const insert = (statement: Insert, env: Env, tx: Writes): Outcome => {
    const table = tableOf(statement.table)
    let [affectedRows, insertId] = [0, 0]
    const given = statement.rows.map((row) =>
      Object.fromEntries(statement.columns.map((column, index) => [column, row[index]?.(env) ?? null])),
    )
    for (const columns of given) {
      const values = table.complete(columns, env)
      const refused = table.conflicting(values, tx)
      if (!refused) {
        table.checked(values, env)
        table.add(values, tx)
        if (insertId === 0 && typeof values.seq === 'number') insertId = values.seq
        affectedRows += 1
      } else if (statement.onDuplicate) {
        table.lock(refused.row, tx)
        const changed = { ...(refused.row.current as Values) }
        env.scope = { alias: statement.table, values: changed, outer: undefined }
        env.refused = values
        for (const [column, to] of statement.onDuplicate) changed[column] = to(env)
        table.change(refused.row, changed, tx, env)
        affectedRows += 2
      } else {
        if (refused.primary) table.share(refused.row, tx)
        if (!statement.ignore)
          throw Object.assign(new Error(`Duplicate entry in ${statement.table}`), { code: 'ER_DUP_ENTRY' })
      }
    }
    return { affectedRows, insertId }
  }

  const remove = ({ table: name, where, limit }: Delete, env: Env, tx: Writes): Outcome => {
    const found = locked(tableOf(name), where, env, tx, limit)
    for (const row of found) row.current = undefined
    return { affectedRows: found.length, insertId: 0 }
  }

  const execute = (sql: string, params: readonly unknown[], tx: Writes, at: number): Outcome => {
    const statement = parseStatement(sql)
    const env = envOf(params, tx, at)
    if (statement.kind === 'select') return select(statement, env, tx)
    if (statement.kind === 'insert') return insert(statement, env, tx)
    if (statement.kind === 'update') return update(statement, env, tx)
    if (statement.kind === 'delete') return remove(statement, env, tx)
    throw new Error(`the schema does not change: ${sql}`)
  }

  return execute
}
