import type { Database } from '../database.ts'

/** What the server does with one table of a query, as EXPLAIN tells it. */
export interface Step {
  readonly table: string
  /** `ALL` is a scan of the whole table, `index` one of a whole index. */
  readonly type: string
  /** The index that is used, if any. */
  readonly key: string | null
  /** For instance `Using filesort`: rows are sorted, not read in order. */
  readonly Extra: string | null
}

interface Query {
  readonly sql: string
  readonly bindings?: readonly unknown[]
}

/** Inserts rows, a thousand a statement, and makes the server count them, so that its choice of index is a considered one. */
export const fill = async (db: Database, table: string, rows: readonly object[]): Promise<void> => {
  await db.batchInsert(table, [...rows], 1000)
  await db.raw('ANALYZE TABLE ??', [table])
}

/** The plan of every SELECT that `work` sends on this pool: those of the code itself, not copies of them. */
export const plansOf = async (db: Database, work: () => Promise<unknown>): Promise<Step[]> => {
  const queries: Query[] = []
  const note = (query: Query) => {
    if (/^\s*\(?\s*select\b/i.test(query.sql)) queries.push(query)
  }
  db.on('query', note)
  await work().finally(() => db.removeListener('query', note))
  if (queries.length === 0) throw new Error('no SELECT was sent')
  const steps: Step[] = []
  for (const { sql, bindings = [] } of queries) {
    const [rows] = (await db.raw(`EXPLAIN ${sql}`, bindings as string[])) as unknown as [Step[]]
    steps.push(...rows)
  }
  return steps
}
