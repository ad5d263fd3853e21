import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Books } from './books.ts'
import type { CallKnobs } from './knobs.ts'
import { Problem } from './problem.ts'

export type Answer = { status: number; body: object }

type Call = {
  key: string
  /** What must be the same whenever the key comes again. */
  payload: object
  knobs: CallKnobs
  /** The effect: synchronous, inside the transaction that keeps its answer. */
  execute: () => Answer
}
type Row = { fingerprint: string; tries: number; status: number | null; body: string | null }

/** Printable ASCII, as a header can carry it. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters')

/**
 * Runs each idempotency key once and replays its first answer, refusals too, for as long as the books are kept.
 * Throws 422 when the key comes with another payload and 409 while its first call is in flight. A simulated
 * failure is no answer: it leaves the key free to try again. The effect and its answer commit together, so a kill at
 * any moment leaves both or neither.
 */
export function createOnce({ db, transaction }: Books, pause: (ms: number) => Promise<void>) {
  const select = db.prepare('SELECT fingerprint, tries, status, body FROM idempotency_keys WHERE key = ?')
  const begin = db.prepare(
    `INSERT INTO idempotency_keys (key, fingerprint, tries) VALUES (?, ?, 1)
     ON CONFLICT (key) DO UPDATE SET tries = tries + 1 RETURNING tries`,
  )
  const keep = db.prepare('UPDATE idempotency_keys SET status = ?, body = ? WHERE key = ?')
  // In memory: a killed process has nothing in flight.
  const inFlight = new Set<string>()

  return async ({ key, payload, knobs, execute }: Call): Promise<Answer & { replayed: boolean }> => {
    const fingerprint = createHash('sha256').update(JSON.stringify(payload)).digest('hex')
    const known = select.get(key) as Row | undefined
    if (known && known.fingerprint !== fingerprint) {
      throw new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key came with another payload')
    }
    if (known?.status && known.body) {
      return { status: known.status, body: JSON.parse(known.body), replayed: true }
    }
    if (inFlight.has(key)) throw new Problem(409, 'idempotency-key-in-flight', 'The first call goes on')

    const { tries } = begin.get(key, fingerprint) as Pick<Row, 'tries'>
    if (tries <= knobs.failFirst) throw new Problem(500, 'simulated-failure', 'A failure that was asked for')

    inFlight.add(key)
    try {
      await pause(knobs.delayMs)
      const first = transaction(() => {
        const { status, body } = execute()
        keep.run(status, JSON.stringify(body), key)
        return { status, body, replayed: false }
      })
      if (knobs.timeoutThenSuccess) await pause(knobs.hangMs)
      return first
    } finally {
      inFlight.delete(key)
    }
  }
}
