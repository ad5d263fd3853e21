import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

const tables = `
  CREATE TABLE IF NOT EXISTS payment_methods (
    id TEXT PRIMARY KEY, brand TEXT NOT NULL, last4 TEXT NOT NULL, exp_month INTEGER NOT NULL,
    exp_year INTEGER NOT NULL, decline_code TEXT, disputed INTEGER NOT NULL, knobs TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, tries INTEGER NOT NULL, status INTEGER, body TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS charges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, decline_code TEXT,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, payment_method TEXT NOT NULL REFERENCES payment_methods (id),
    reference TEXT NOT NULL, description TEXT, disputed_at INTEGER, idempotency_key TEXT NOT NULL UNIQUE,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount), created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS charges_by_reference ON charges (reference, seq);
  CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, charge TEXT NOT NULL REFERENCES charges (id),
    amount INTEGER NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS refunds_by_charge ON refunds (charge, seq);
  CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, body TEXT NOT NULL, charge TEXT NOT NULL,
    reference TEXT NOT NULL, copy INTEGER NOT NULL, lane TEXT NOT NULL, status TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (status, due, seq);
  CREATE INDEX IF NOT EXISTS deliveries_by_reference ON deliveries (reference, seq);
  CREATE TABLE IF NOT EXISTS attempts (
    delivery INTEGER NOT NULL REFERENCES deliveries (seq), at TEXT NOT NULL, status INTEGER, error TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (delivery);
`

export type Books = ReturnType<typeof openBooks>

/** The provider's books in one SQLite file. What is committed survives a kill of the process. */
export function openBooks(path: string) {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  // WAL with NORMAL outlives the process; only a power cut may lose the last commits.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
  db.exec(tables)

  /** Commits all that `work` writes, or nothing. `work` is synchronous, so no other request comes between. */
  function transaction<Result>(work: () => Result): Result {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }

  return { db, transaction, close: () => db.close() }
}

/** An opaque id such as `ch_6f0c…`: 96 random bits. Order comes from `seq`, never from ids. */
export const newId = (prefix: 'pm' | 'ch' | 're' | 'evt') => `${prefix}_${randomBytes(12).toString('hex')}`
