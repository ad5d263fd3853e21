import { type Background, every } from './background.ts'
import type { BaseConfig } from './config.ts'
import type { Database } from './database.ts'
import type { Log } from './log.ts'

const batch = 2000

export type Retention = Pick<BaseConfig, 'EVENT_RETENTION_MINUTES' | 'IDEMPOTENCY_RETENTION_MINUTES'>

/** Deletes what is older than it need be, in small batches, so that no delete holds many locks. What was not sent stays. */
export const trimOnce = async (
  db: Database,
  { EVENT_RETENTION_MINUTES: events, IDEMPOTENCY_RETENTION_MINUTES: keys }: Retention,
): Promise<void> => {
  for (const [condition, minutes] of [
    ['outbox WHERE sent = TRUE AND created_at', events],
    ['inbox WHERE handled_at', events],
    ['idempotency_keys WHERE created_at', keys],
  ] as const) {
    for (;;) {
      const [result] = await db.raw(
        `DELETE FROM ${condition} < NOW(3) - INTERVAL ? MINUTE LIMIT ${batch}`,
        minutes,
      )
      if (result.affectedRows < batch) break
    }
  }
}

/** Keeps the kit's tables bounded. */
export const trim = (db: Database, log: Log, retention: Retention): Background =>
  every(60_000, 'trim', log, () => trimOnce(db, retention))
