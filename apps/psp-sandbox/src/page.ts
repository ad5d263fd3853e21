import { z } from 'zod'
import type { Books } from './books.ts'
import { Problem } from './problem.ts'

const text = z.string().min(1).max(255)

/** `after` is the last id of the page before. */
export const pageQuery = z.strictObject({
  after: text.optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'must be 1 to 100')
    .transform(Number)
    .default(20),
  reference: text.optional(),
  idempotencyKey: text.optional(),
})

type Query = z.infer<typeof pageQuery> & { charge?: string | undefined }

/**
 * Reads a table page by page, oldest first. `seq` follows the order of commits, so a reader who goes on from the
 * last id it saw misses nothing that is written meanwhile.
 */
export function readPage<Row>({ db }: Books, table: 'charges' | 'refunds', query: Query) {
  const filters: [string, string | undefined][] = [
    ['reference', query.reference],
    ['idempotency_key', query.idempotencyKey],
    ['charge', query.charge],
  ]
  const given = filters.filter((filter): filter is [string, string] => filter[1] !== undefined)
  const where = ['seq > ?', ...given.map(([column]) => `${column} = ?`)].join(' AND ')
  const values = given.map(([, value]) => value)
  const rows = db
    .prepare(`SELECT * FROM ${table} WHERE ${where} ORDER BY seq LIMIT ?`)
    .all(seqOf(db, table, query.after), ...values, query.limit + 1) as Row[]
  return { rows: rows.slice(0, query.limit), hasMore: rows.length > query.limit }
}

function seqOf(db: Books['db'], table: string, id: string | undefined): number {
  if (id === undefined) return 0
  const row = db.prepare(`SELECT seq FROM ${table} WHERE id = ?`).get(id)
  if (!row) throw new Problem(422, 'unknown-cursor', 'No page can start after an unknown id')
  return row.seq as number
}
