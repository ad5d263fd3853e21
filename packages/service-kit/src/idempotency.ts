import { createHash } from 'node:crypto'
import type { Database, Transaction } from './database.ts'
import { AppError } from './errors.ts'
import { newIdBeside } from './ids.ts'
import { type Sharded, shardOf } from './shards.ts'

/** What a handler gets for a request that has one effect however often it comes. */
export interface Once {
  /** The same for every repeat of the request: give it to the thing that is created. It is in the slot of its caller's id. */
  readonly id: string
  /** Writes the outcome in the transaction of the effect itself. Throws when another run of the request was faster. */
  readonly record: (tx: Transaction, status: number, body: unknown) => Promise<void>
  /** Whether `record` was done, so that nothing is left to keep. */
  readonly recorded: () => boolean
  /** Gives this run of the request up: waits for a `record` under way, and makes a later one throw. */
  readonly forget: (tx: Transaction) => Promise<void>
}

export interface Outcome {
  readonly status: number
  readonly body: unknown
}

interface Row {
  fingerprint: string
  subject_id: string
  status: number | null
  body: string | null
  held: number
}

const leaseSeconds = 15

const inFlight = () =>
  new AppError('conflict', 'idempotency/in-flight', 'The first request with this key is still running', {
    retryAfterSeconds: 1,
  })

const forget = async (on: Database | Transaction, scope: string, key: string, id: string): Promise<void> => {
  await on.raw(
    'DELETE FROM idempotency_keys WHERE scope = ? AND idempotency_key = ? AND subject_id = ? AND status IS NULL',
    [scope, key, id],
  )
}

const callerOf = (scope: string): string => scope.split(' ', 1)[0] as string

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the first outcome is kept for at least 24 h and
 * replayed. A claim has a lease: when its process dies, the next repeat takes over with the same `id`. An outcome that
 * invites a repeat (429, 503) is not kept. A scope is the caller's id and what it calls; its records are in the caller's database.
 */
export const createIdempotency = (...databases: Sharded<Database>) => {
  const databaseOf = (scope: string): Database => shardOf(databases, callerOf(scope))

  const claim = async (scope: string, key: string | undefined, request: string): Promise<Once | Outcome> => {
    if (!key || key.length > 255 || !/^[\x21-\x7e]+$/.test(key)) {
      throw new AppError(
        'invalid',
        'idempotency/key-missing',
        'Send an Idempotency-Key header of 1 to 255 visible characters',
        {
          status: 400,
        },
      )
    }
    const fingerprint = createHash('sha256').update(request).digest('hex')
    const id = newIdBeside(callerOf(scope))
    const db = databaseOf(scope)
    const [inserted] = await db.raw(
      `INSERT IGNORE INTO idempotency_keys (scope, idempotency_key, fingerprint, subject_id, claimed_until)
       VALUES (?, ?, ?, ?, NOW(3) + INTERVAL ? SECOND)`,
      [scope, key, fingerprint, id, leaseSeconds],
    )
    if (inserted.affectedRows === 1) return handle(scope, key, id)

    const [[row]] = (await db.raw(
      `SELECT fingerprint, subject_id, status, body, claimed_until > NOW(3) AS held
       FROM idempotency_keys WHERE scope = ? AND idempotency_key = ?`,
      [scope, key],
    )) as [[Row | undefined]]
    if (!row) throw inFlight()
    if (row.fingerprint !== fingerprint) {
      throw new AppError('invalid', 'idempotency/key-reused', 'This key came before with another request')
    }
    if (row.status !== null)
      return { status: row.status, body: row.body === null ? undefined : JSON.parse(row.body) }
    if (row.held) throw inFlight()
    const [taken] = await db.raw(
      `UPDATE idempotency_keys SET claimed_until = NOW(3) + INTERVAL ? SECOND
       WHERE scope = ? AND idempotency_key = ? AND status IS NULL AND claimed_until <= NOW(3)`,
      [leaseSeconds, scope, key],
    )
    if (taken.affectedRows === 0) throw inFlight()
    return handle(scope, key, row.subject_id)
  }

  const handle = (scope: string, key: string, id: string): Once => {
    let recorded = false
    return {
      id,
      recorded: () => recorded,
      record: async (tx, status, body) => {
        const [result] = await tx.raw(
          `UPDATE idempotency_keys SET status = ?, body = ?
         WHERE scope = ? AND idempotency_key = ? AND subject_id = ? AND status IS NULL`,
          [status, body === undefined ? null : JSON.stringify(body), scope, key, id],
        )
        if (result.affectedRows === 0) throw inFlight()
        recorded = true
      },
      forget: (tx) => forget(tx, scope, key, id),
    }
  }

  /** Keeps an outcome that was not written with the effect itself: a refusal, or a result without one. */
  const keep = async (scope: string, key: string, { status, body }: Outcome): Promise<void> => {
    await databaseOf(scope).raw(
      'UPDATE idempotency_keys SET status = ?, body = ? WHERE scope = ? AND idempotency_key = ? AND status IS NULL',
      [status, body === undefined ? null : JSON.stringify(body), scope, key],
    )
  }

  /** Forgets the request, so that a repeat starts anew under another id. A run that is still going on can no longer record. */
  const release = (scope: string, key: string, { id }: Once): Promise<void> =>
    forget(databaseOf(scope), scope, key, id)

  return { claim, keep, release }
}

export type Idempotency = ReturnType<typeof createIdempotency>
