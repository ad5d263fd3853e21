import { type Background, every } from './background.ts'
import type { Database } from './database.ts'
import type { Log } from './log.ts'

const batch = 2000

/**
 * Keeps the kit's tables bounded: sent outbox rows and inbox rows for seven days (longer than any broker here redelivers),
 * idempotency records for two. In small batches, so that no delete holds many locks.
 */
export const trim = (db: Database, log: Log): Background =>
  every(60_000, 'trim', log, async () => {
    for (const statement of [
      `DELETE FROM outbox WHERE sent = TRUE AND created_at < NOW(3) - INTERVAL 7 DAY LIMIT ${batch}`,
      `DELETE FROM inbox WHERE handled_at < NOW(3) - INTERVAL 7 DAY LIMIT ${batch}`,
      `DELETE FROM idempotency_keys WHERE created_at < NOW(3) - INTERVAL 2 DAY LIMIT ${batch}`,
    ]) {
      for (;;) {
        const [result] = await db.raw(statement)
        if (result.affectedRows < batch) break
      }
    }
  })
