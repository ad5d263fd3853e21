import type { Call, Statement } from './memory-database.ts'
import type { Outcome } from './memory-statements.ts'

/** Does a statement and gives what its caller gets. */
export type Run = (statement: Statement) => Promise<unknown>

/** Runs when it is awaited, as knex's builders do. */
export const lazily = <T extends object>(run: () => Promise<unknown>, rest: T) => ({
  ...rest,
  // biome-ignore lint/suspicious/noThenProperty: knex's builders have one
  then: (done?: (value: unknown) => unknown, failed?: (error: unknown) => unknown) =>
    run().then(done, failed),
  catch: (failed: (error: unknown) => unknown) => run().catch(failed),
})

interface Raw {
  readonly sql: string
  readonly params: readonly unknown[]
}
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && 'sql' in value

type Given = Readonly<Record<string, unknown>>

/** knex's query builder for one table. A method that it does not have is no function, and so fails loudly. */
export const build = (execute: Run, table: string) => {
  let columns = '*'
  let verb: 'select' | 'first' | 'pluck' | 'insert' | 'update' | 'delete' = 'select'
  let changes: Given | readonly Given[] = {}
  let [order, group, limit, lock, conflict] = ['', '', '', '', '']
  const conditions: string[] = []
  const filters: unknown[] = []

  const operand = (value: unknown, params: unknown[]): string => {
    if (!isRaw(value)) {
      params.push(value)
      return '?'
    }
    params.push(...value.params)
    return value.sql
  }

  const where = (first: string | Given, ...rest: unknown[]): void => {
    if (typeof first !== 'string') {
      for (const [column, value] of Object.entries(first)) where(column, value)
      return
    }
    const [operator, value] = rest.length === 2 ? rest : ['=', rest[0]]
    conditions.push(`${first} ${operator} ${operand(value, filters)}`)
  }

  const text = (): [string, unknown[]] => {
    const filter = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
    if (verb === 'delete') return [`DELETE FROM ${table}${filter}`, filters]
    if (verb === 'update') {
      const params: unknown[] = []
      const set = Object.entries(changes).map(([column, value]) => `${column} = ${operand(value, params)}`)
      return [`UPDATE ${table} SET ${set.join(', ')}${filter}`, [...params, ...filters]]
    }
    if (verb === 'insert') {
      const rows = [changes].flat() as Given[]
      const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      const params: unknown[] = []
      const values = rows.map((row) => `(${names.map((name) => operand(row[name], params)).join(', ')})`)
      const merged = names.map((name) => `${name} = VALUES(${name})`).join(', ')
      return [
        `INSERT ${conflict === 'ignore' ? 'IGNORE ' : ''}INTO ${table} (${names.join(', ')}) VALUES ${values.join(', ')}${
          conflict === 'merge' ? ` ON DUPLICATE KEY UPDATE ${merged}` : ''
        }`,
        params,
      ]
    }
    const one = verb === 'first' ? ' LIMIT 1' : limit
    return [`SELECT ${columns} FROM ${table}${filter}${group}${order}${one}${lock}`, filters]
  }

  const result = (outcome: Outcome): unknown => {
    if (!('rows' in outcome)) return verb === 'insert' ? [outcome.insertId] : outcome.affectedRows
    if (verb === 'first') return outcome.rows[0]
    return verb === 'pluck' ? outcome.rows.map((row) => row[columns]) : outcome.rows
  }

  const methods: [string, unknown[]][] = []
  const call: Call = { table, methods }
  /** A method of the builder, which is noted and gives the builder again. */
  const method =
    <A extends unknown[]>(name: string, change: (...args: A) => void) =>
    (...args: A) => {
      methods.push([name, args])
      change(...args)
      return query
    }
  const whereIn = (column: string, values: readonly unknown[]) => {
    conditions.push(values.length > 0 ? `${column} IN (${values.map(() => '?').join(', ')})` : 'FALSE')
    filters.push(...values)
  }
  const run = async () => {
    const [sql, params] = text()
    return execute({ sql, params, call, present: result })
  }

  const query: object = lazily(run, {
    where: method('where', where),
    andWhere: method('andWhere', where),
    whereIn: method('whereIn', whereIn),
    whereNull: method('whereNull', (column: string) => conditions.push(`${column} IS NULL`)),
    select: method('select', (...given: (string | Raw)[]) => {
      columns = given.map((each) => (isRaw(each) ? each.sql : each)).join(', ')
    }),
    first: method('first', (...given: string[]) => {
      verb = 'first'
      if (given.length > 0) columns = given.join(', ')
    }),
    pluck: method('pluck', (column: string) => {
      verb = 'pluck'
      columns = column
    }),
    insert: method('insert', (rows: typeof changes) => {
      verb = 'insert'
      changes = rows
    }),
    update: method('update', (values: Given) => {
      verb = 'update'
      changes = values
    }),
    delete: method('delete', () => {
      verb = 'delete'
    }),
    onConflict: (...columns: unknown[]) => {
      methods.push(['onConflict', columns])
      return {
        ignore: method('ignore', () => {
          conflict = 'ignore'
        }),
        merge: method('merge', () => {
          conflict = 'merge'
        }),
      }
    },
    orderBy: method('orderBy', (given: string | readonly string[], direction?: string) => {
      order = ` ORDER BY ${[given].flat().join(', ')} ${direction ?? 'asc'}`
    }),
    groupBy: method('groupBy', (...given: string[]) => {
      group = ` GROUP BY ${given.join(', ')}`
    }),
    limit: method('limit', (most: number) => {
      limit = ` LIMIT ${most}`
    }),
    forUpdate: method('forUpdate', () => {
      lock = ' FOR UPDATE'
    }),
    modify: (change: (query: unknown) => unknown) => {
      change(query)
      return query
    },
  })
  return query
}
