import type { AccessEntry, Ban, Rule } from '@caravan/contracts/access'
import type { Database, Transaction } from '@caravan/service-kit/database'

interface Values {
  rule: Rule
  role: { parents: string[] }
  grant: { account: string; role: string }
  'public-route': Record<string, never>
  ban: Omit<Ban, 'id' | 'until'>
  revocation: { kind: 'session' | 'account'; subject: string; notBefore: string }
}
export type Kind = keyof Values

export interface Entry<K extends Kind = Kind> {
  readonly kind: K
  readonly id: string
  readonly value: Values[K]
  readonly expiresAt?: string
}

interface Row {
  kind: Kind
  id: string
  value: string | null
  version: number
  expires_at: Date | null
  is_over: number
}

/** The default policy is made of these: what was removed of it is remembered for ever. */
const seeded: ReadonlySet<Kind> = new Set(['rule', 'role', 'public-route'])

const alive = 'e.value IS NOT NULL AND (e.expires_at IS NULL OR e.expires_at > NOW(3))'
const columns = 'e.*, e.expires_at IS NOT NULL AND e.expires_at <= NOW(3) AS is_over'

const parse = (value: string | object | null) => (typeof value === 'string' ? JSON.parse(value) : value)

const fromRow = <K extends Kind>({ kind, id, value, expires_at }: Row): Entry<K> => ({
  ...{ kind: kind as K, id, value: parse(value) as Values[K] },
  ...(expires_at ? { expiresAt: expires_at.toISOString() } : {}),
})

/** The rows of the access state. Those that are over are as good as gone. */
export const createAccessEntryStore = (db: Database) => {
  const select = async <K extends Kind>(
    where: string,
    bindings: readonly (string | number)[],
    on: Database | Transaction = db,
  ): Promise<Entry<K>[]> => {
    const [rows] = (await on.raw(`SELECT ${columns} FROM access_entries e ${where}`, [
      ...bindings,
    ])) as unknown as [Row[]]
    return rows.map(fromRow<K>)
  }

  return {
    find: async <K extends Kind>(
      kind: K,
      id: string,
      on?: Database | Transaction,
    ): Promise<Entry<K> | undefined> =>
      (await select<K>(`WHERE e.kind = ? AND e.id = ? AND ${alive}`, [kind, id], on))[0],

    all: <K extends Kind>(kind: K, on?: Database | Transaction): Promise<Entry<K>[]> =>
      select(`WHERE e.kind = ? AND ${alive}`, [kind], on),

    /** Those whose id comes after `after`, in order of id. */
    list: <K extends Kind>(kind: K, limit: number, after = ''): Promise<Entry<K>[]> =>
      select(`WHERE e.kind = ? AND e.id > ? AND ${alive} ORDER BY e.id LIMIT ?`, [kind, after, limit]),

    /** Of an account or a machine. */
    grantsOf: (account: string, on?: Database | Transaction): Promise<Entry<'grant'>[]> =>
      select(`WHERE e.kind = 'grant' AND e.id LIKE ? AND ${alive} ORDER BY e.id`, [`${account} %`], on),

    /** Of people whose accounts are there. */
    grantsOfPeople: (tx: Transaction): Promise<Entry<'grant'>[]> =>
      select(
        `JOIN accounts a ON a.id = SUBSTRING_INDEX(e.id, ' ', 1) WHERE e.kind = 'grant' AND ${alive}`,
        [],
        tx,
      ),

    /** Grants and bans of accounts, machines and sessions that are not there. */
    orphans: (on?: Transaction): Promise<Entry<'grant' | 'ban'>[]> =>
      select(
        `LEFT JOIN accounts a ON a.id = SUBSTRING_INDEX(e.id, ' ', IF(e.kind = 'grant', 1, -1))
         LEFT JOIN clients c ON c.id = SUBSTRING_INDEX(e.id, ' ', IF(e.kind = 'grant', 1, -1))
         LEFT JOIN sessions s ON s.id = SUBSTRING_INDEX(e.id, ' ', -1)
         WHERE ${alive} AND (
           (e.kind = 'grant' OR (e.kind = 'ban' AND e.id LIKE 'account %')) AND a.id IS NULL AND c.id IS NULL
           OR e.kind = 'ban' AND e.id LIKE 'session %' AND s.id IS NULL)`,
        [],
        on,
      ),

    /**
     * Those of versions after `since`, up to `upTo` where it is given, in their order. What is over is told as gone, since it may have replaced
     * something that holds; to a reader that has nothing yet it is not told.
     */
    changes: async (since: number, upTo?: number): Promise<AccessEntry[]> => {
      const [rows] = (await db.raw(
        `SELECT ${columns} FROM access_entries e WHERE e.version > ? ${upTo ? 'AND e.version <= ?' : ''} ORDER BY e.version`,
        upTo ? [since, upTo] : [since],
      )) as unknown as [Row[]]
      return rows
        .filter(({ is_over, value }) => since > 0 || !is_over || value === null)
        .map((row) => fromRow(row.is_over ? { ...row, value: null, expires_at: null } : row) as never)
    },

    /** The version that `limit` entries after `since` reach into, if there are more. */
    cut: async (since: number, limit: number): Promise<number | undefined> => {
      const [[row]] = (await db.raw(
        'SELECT version FROM access_entries WHERE version > ? ORDER BY version LIMIT 1 OFFSET ?',
        [since, limit],
      )) as unknown as [Pick<Row, 'version'>[]]
      return row?.version
    },

    /** An entry with its value of that version; `null` is one that is gone. */
    write: async (
      tx: Transaction,
      version: number,
      { kind, id, value, expiresAt }: Omit<Entry, 'value'> & { readonly value: Entry['value'] | null },
    ): Promise<void> => {
      const now = new Date()
      const end = expiresAt ? new Date(expiresAt) : null
      // Whoever holds what it replaces has to be told of its end, so that counts from now.
      const isOver = value === null || (end !== null && end <= now)
      await tx.raw(
        `INSERT INTO access_entries (kind, id, value, version, expires_at) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE value = VALUES(value), version = VALUES(version), expires_at = VALUES(expires_at)`,
        [
          kind,
          id,
          isOver ? null : JSON.stringify(value),
          version,
          isOver && !seeded.has(kind) ? now : end,
        ] as never,
      )
    },

    /** What was never there; gives those of `entries` that have no row. */
    unknown: async (entries: readonly Entry[]): Promise<Entry[]> => {
      const kinds = [...new Set(entries.map(({ kind }) => kind))]
      const [rows] = (await db.raw('SELECT kind, id FROM access_entries WHERE kind IN (?)', [
        kinds,
      ])) as unknown as [Row[]]
      const known = new Set(rows.map(({ kind, id }) => `${kind} ${id}`))
      return entries.filter(({ kind, id }) => !known.has(`${kind} ${id}`))
    },

    /** Several that are new; one that is there by now stays as it is. */
    insert: async (tx: Transaction, version: number, entries: readonly Entry[]): Promise<void> => {
      await tx.raw(
        `INSERT IGNORE INTO access_entries (kind, id, value, version) VALUES ${entries.map(() => '(?, ?, ?, ?)').join()}`,
        entries.flatMap(({ kind, id, value }) => [kind, id, JSON.stringify(value), version]),
      )
    },

    /** Deletes what has been over for so long: 1000 rows at most. */
    trim: async (hours: number): Promise<void> => {
      await db.raw(`DELETE FROM access_entries WHERE expires_at < NOW(3) - INTERVAL ? HOUR LIMIT 1000`, [
        hours,
      ])
    },
  }
}

export type AccessEntryStore = ReturnType<typeof createAccessEntryStore>
