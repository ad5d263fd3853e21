import type { Connection, RowDataPacket } from 'mysql2/promise'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10'

export interface Finding {
  readonly invariant: Invariant
  readonly check: string
  /** How many things were looked at. */
  readonly checked: number
  /** How many of them are wrong. */
  readonly found: number
  /** The first of them, at most twenty of each statement. */
  readonly violations: readonly string[]
}

/** One thing that must hold, as SQL over the databases of all services and the auditor's own tables. */
export interface Check {
  readonly invariant: Invariant
  readonly check: string
  /** A statement that gives one number: how many things are looked at. */
  readonly counts: string
  /** Statements that give a row, its one column called `what`, for each violation. */
  readonly finds: readonly string[]
}

/** How far back outbox and inbox surely reach: the services keep events for seven days. */
export const eventDays = 6

const shown = 20

export const count = async (books: Connection, statement: string): Promise<number> => {
  const [rows] = await books.query<RowDataPacket[]>(`SELECT (${statement}) AS n`)
  return Number(rows[0]?.n ?? 0)
}

/** Runs a check. MySQL counts all violations and sends only the first. */
export const run = async (
  books: Connection,
  { invariant, check, counts, finds }: Check,
): Promise<Finding> => {
  const checked = await count(books, counts)
  const violations: string[] = []
  let found = 0
  for (const find of finds) {
    const [rows] = await books.query<RowDataPacket[]>(
      `SELECT what, COUNT(*) OVER () AS found FROM (${find}) AS each_one LIMIT ${shown}`,
    )
    violations.push(...rows.map((row) => String(row.what)))
    found += Number(rows[0]?.found ?? 0)
  }
  return { invariant, check, checked, found, violations }
}
