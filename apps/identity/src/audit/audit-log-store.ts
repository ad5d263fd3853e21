import { createHash } from 'node:crypto'
import type { AuditEntry } from '@caravan/contracts/audit'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { currentTrace } from '@caravan/service-kit/trace'
import type { Deed } from '../access/access-store.ts'

export type ChainedEntry = AuditEntry & { readonly seq: number; readonly hash: string }

interface Row extends Omit<AuditEntry, 'at' | 'traceId'> {
  readonly seq: number | string
  readonly at: Date
  readonly trace_id: string
  readonly hash: string
}

const fields = ['id', 'at', 'actor', 'action', 'object', 'outcome', 'address', 'traceId'] as const
const pageSize = 1000

/** The hash of an entry covers the hash before it, so that no entry changes, goes or comes between without a trace. */
const hashOf = (before: string, seq: number, entry: AuditEntry): string =>
  createHash('sha256')
    .update(JSON.stringify([before, seq, ...fields.map((field) => entry[field])]))
    .digest('hex')

const fromRow = ({ trace_id: traceId, at, seq, ...row }: Row): ChainedEntry => ({
  ...row,
  seq: Number(seq),
  at: at.toISOString(),
  traceId,
})

export interface AuditQuery {
  readonly actor?: string | undefined
  readonly object?: string | undefined
  readonly action?: string | undefined
  /** Entries before this one, newest first. */
  readonly before?: number | undefined
  readonly limit: number
}

export const createAuditLog = (db: Database) => {
  const readHead = async (on: Database | Transaction, lock = ''): Promise<{ seq: number; hash: string }> => {
    const [[head]] = await on.raw(`SELECT seq, hash FROM audit_head ${lock}`)
    return { seq: Number(head.seq), hash: head.hash }
  }

  /** Within the transaction of the event that told it. Idempotent by `id`. */
  const append = async (tx: Transaction, entry: AuditEntry): Promise<void> => {
    const head = await readHead(tx, 'FOR UPDATE')
    const [[known]] = await tx.raw('SELECT 1 FROM audit_entries WHERE id = ?', [entry.id])
    if (known) return
    const seq = head.seq + 1
    const hash = hashOf(head.hash, seq, entry)
    const { traceId, at, ...rest } = entry
    await tx('audit_entries').insert({ ...rest, seq, at: new Date(at), trace_id: traceId, hash })
    await tx.raw('UPDATE audit_head SET seq = ?, hash = ?', [seq, hash])
  }

  return {
    append,

    head: () => readHead(db),

    /** A change of the access state, in its own transaction: what an entry of its operation cannot name. */
    appendDeed: (tx: Transaction, { by, what, kind, id }: Deed): Promise<void> =>
      append(tx, {
        ...{ id: newId(), at: new Date().toISOString(), actor: by, action: `${kind} ${what}` },
        ...{ object: `${kind} ${id}`.slice(0, 200), outcome: 'done', address: '' },
        traceId: currentTrace()?.traceId ?? '',
      }),

    /** In a transaction of its own. */
    note: (entry: AuditEntry): Promise<void> => transaction(db, (tx) => append(tx, entry)),

    list: async ({ limit, before, ...where }: AuditQuery): Promise<ChainedEntry[]> => {
      const query = db('audit_entries').orderBy('seq', 'desc').limit(limit)
      for (const [column, value] of Object.entries(where)) if (value !== undefined) query.where(column, value)
      if (before !== undefined) query.where('seq', '<', before)
      return (await query).map(fromRow)
    },

    /** Follows the chain from its beginning. Resolves with the first entry that is not as it was written, if any. */
    verify: async (): Promise<{ entries: number; brokenAt?: number }> => {
      const head = await readHead(db)
      let [seq, hash] = [0, '0'.repeat(64)]
      while (seq < head.seq) {
        const rows: Row[] = await db('audit_entries')
          .whereBetween('seq', [seq + 1, head.seq])
          .orderBy('seq')
          .limit(pageSize)
        if (rows.length === 0) return { entries: seq, brokenAt: seq + 1 }
        for (const row of rows) {
          const entry = fromRow(row)
          seq += 1
          hash = hashOf(hash, seq, entry)
          if (entry.seq !== seq || entry.hash !== hash) return { entries: seq, brokenAt: seq }
        }
      }
      return hash === head.hash ? { entries: seq } : { entries: seq, brokenAt: seq }
    },
  }
}

export type AuditLog = ReturnType<typeof createAuditLog>
