import {
  type AccessChanges,
  accessChanged,
  accessOperations,
  type Ban,
  type Rule,
} from '@caravan/contracts/access'
import { isPublic, type Operation } from '@caravan/contracts/operation'
import { createPolicy } from '@caravan/service-kit/access-policy'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { fact, type Outbox } from '@caravan/service-kit/outbox'

interface Values {
  rule: Rule
  role: { parents: string[] }
  grant: { account: string; role: string }
  'public-route': Record<string, never>
  ban: Omit<Ban, 'id' | 'until'>
  revocation: { kind: 'session' | 'account'; subject: string; notBefore: string }
}
type Kind = keyof Values

export interface Entry<K extends Kind = Kind> {
  readonly kind: K
  readonly id: string
  readonly value: Values[K]
  readonly expiresAt?: string
}

/** What somebody did, for whoever keeps account of it. */
export interface Deed {
  /** The account that did it. */
  readonly by: string
  readonly what: 'set' | 'removed'
  readonly kind: Kind
  readonly id: string
  readonly value?: unknown
}

interface Row {
  kind: Kind
  id: string
  value: string | null
  version: number
  expires_at: Date | null
}

const pageSize = 5000
/** Hours that an entry is kept after its end; a replica that heard nothing for an hour reads everything anew. */
const keptHours = 2

const lockedOut = () =>
  new AppError(
    'conflict',
    'identity/locks-out-administrators',
    'No administrator would be left who may undo this',
  )

const parse = (value: string | object | null) => (typeof value === 'string' ? JSON.parse(value) : value)

const fromRow = <K extends Kind>({ kind, id, value, expires_at }: Row) => ({
  ...{ kind: kind as K, id, value: parse(value) as Values[K] },
  ...(expires_at ? { expiresAt: expires_at.toISOString() } : {}),
})

const alive = 'value IS NOT NULL AND (expires_at IS NULL OR expires_at > NOW(3))'

export interface AccessStoreOptions {
  readonly db: Database
  readonly outbox: Pick<Outbox, 'add' | 'wake'>
  /** Life of an access token: no revocation counts for longer. */
  readonly tokenSeconds: number
  /** Runs in the transaction of the change. */
  readonly audit?: (tx: Transaction, deed: Deed) => Promise<void>
}

/** Roles, rules, grants, public routes, bans and revocations: entries of one versioned map (ADR 19). */
export const createAccessStore = ({ db, outbox, tokenSeconds, audit }: AccessStoreOptions) => {
  /** Takes the next version, and the lock that makes changes wait for one another until the commit. */
  const next = async (tx: Transaction): Promise<number> => {
    const [{ insertId: version }] = await tx.raw(
      'UPDATE access_version SET version = LAST_INSERT_ID(version + 1) WHERE one = 1',
    )
    await outbox.add(tx, [fact(accessChanged, { version })])
    return version
  }

  const write = (
    tx: Transaction,
    version: number,
    { kind, id, value, expiresAt }: Omit<Entry, 'value'> & { readonly value: unknown },
  ) =>
    tx.raw(
      `INSERT INTO access_entries (kind, id, value, version, expires_at) VALUES (?, ?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE value = VALUES(value), version = VALUES(version), expires_at = VALUES(expires_at)`,
      [kind, id, value && JSON.stringify(value), version, expiresAt ? new Date(expiresAt) : null] as never,
    )

  const find = async <K extends Kind>(
    on: Database | Transaction,
    kind: K,
    id: string,
  ): Promise<Entry<K> | undefined> => {
    const [[row]] = (await on.raw(`SELECT * FROM access_entries WHERE kind = ? AND id = ? AND ${alive}`, [
      kind,
      id,
    ])) as unknown as [Row[]]
    return row && fromRow<K>(row)
  }

  const all = async <K extends Kind>(tx: Transaction, kind: K): Promise<Entry<K>[]> => {
    const [rows] = (await tx.raw(`SELECT * FROM access_entries WHERE kind = ? AND ${alive}`, [
      kind,
    ])) as unknown as [Row[]]
    return rows.map(fromRow<K>)
  }

  /** Throws 409 unless, after a change of this kind, somebody is left who may undo it. The version's lock is held. */
  const assertAdministrable = async (
    tx: Transaction,
    { kind, id }: Pick<Entry, 'kind' | 'id'>,
  ): Promise<void> => {
    if (kind === 'public-route' || (kind === 'ban' && !id.startsWith('account '))) return
    const [rules, roles, grants] = [await all(tx, 'rule'), await all(tx, 'role'), await all(tx, 'grant')]
    const { allows } = await createPolicy({
      rules: rules.map(({ value }) => value),
      parents: roles.map(({ id, value }) => [id, value.parents]),
    })
    const needed = (accessOperations as unknown as readonly Operation[]).filter(isPublic)
    const held = Map.groupBy(grants, ({ value }) => value.account)
    for (const [account, theirs] of held) {
      const own = ['shopper', ...theirs.map(({ value }) => value.role)]
      const may = needed.every((operation) => allows(own, operation))
      if (may && !(await find(tx, 'ban', `account ${account}`))) return
    }
    throw lockedOut()
  }

  const set = async (by: string, entry: Entry, check?: (tx: Transaction) => Promise<void>): Promise<void> => {
    await transaction(db, async (tx) => {
      const version = await next(tx)
      await check?.(tx)
      await write(tx, version, entry)
      await assertAdministrable(tx, entry)
      await audit?.(tx, { by, what: 'set', kind: entry.kind, id: entry.id, value: entry.value })
    })
    outbox.wake()
  }

  return {
    /** Everything that was changed after a version, up to the version told. Whole versions only. */
    changesSince: async (since: number): Promise<AccessChanges> => {
      const [[{ version: counted }]] = await db.raw('SELECT version FROM access_version WHERE one = 1')
      const after = `FROM access_entries WHERE version > ?`
      const [[cut]] = (await db.raw(`SELECT version ${after} ORDER BY version LIMIT 1 OFFSET ${pageSize}`, [
        since,
      ])) as unknown as [Pick<Row, 'version'>[]]
      // What was counted first is in what is read next; what is committed meanwhile is told again.
      const [rows] = (await db.raw(
        `SELECT * ${after} ${cut ? 'AND version <= ?' : ''}
         AND (value IS NULL OR expires_at IS NULL OR expires_at > NOW(3)) ORDER BY version`,
        cut ? [since, cut.version] : [since],
      )) as unknown as [Row[]]
      const version: number = cut?.version ?? counted
      // Why and by whom somebody is banned is nobody’s business but the operators’.
      const entries = rows.map(fromRow).map(({ kind, value, ...rest }) => {
        if (kind !== 'ban' || !value) return { kind, value, ...rest }
        const { kind: of, subject } = value as Values['ban']
        return { ...{ kind, value: { kind: of, subject } }, ...rest }
      })
      return { version, entries, hasMore: cut !== undefined }
    },

    find: <K extends Kind>(kind: K, id: string) => find(db, kind, id),

    /** Those whose id comes after `after` and begins with `prefix`, in order of id. */
    list: async <K extends Kind>(kind: K, limit: number, after = '', prefix = ''): Promise<Entry<K>[]> => {
      const [rows] = (await db.raw(
        `SELECT * FROM access_entries WHERE kind = ? AND id > ? AND id LIKE ? AND ${alive} ORDER BY id LIMIT ?`,
        [kind, after, `${prefix.replace(/[%_\\]/g, '\\$&')}%`, limit],
      )) as unknown as [Row[]]
      return rows.map(fromRow<K>)
    },

    /** Creates or replaces an entry; throws 409 when that would lock all administrators out. */
    set,

    /** Throws 409 `identity/unknown-role` unless all of them exist. */
    knownRoles:
      (...roles: readonly string[]) =>
      async (tx: Transaction): Promise<void> => {
        const known = new Set((await all(tx, 'role')).map(({ id }) => id))
        const unknown = roles.filter((role) => !known.has(role))
        if (unknown.length > 0)
          throw new AppError('conflict', 'identity/unknown-role', `There is no role ${unknown.join(', ')}`)
      },

    /** The roles with their parents, in the transaction of a change. */
    rolesIn: async (tx: Transaction): Promise<Map<string, readonly string[]>> =>
      new Map((await all(tx, 'role')).map(({ id, value }) => [id, value.parents])),

    /** False when there is none. Throws 409 when that would lock all administrators out. */
    remove: async (
      by: string,
      kind: Kind,
      id: string,
      check?: (tx: Transaction) => Promise<void>,
    ): Promise<boolean> => {
      const removed = await transaction(db, async (tx) => {
        const version = await next(tx)
        if (!(await find(tx, kind, id))) throw new Missing()
        await check?.(tx)
        const expiresAt = kind === 'ban' ? { expiresAt: new Date().toISOString() } : {}
        await write(tx, version, { kind, id, value: null, ...expiresAt })
        await assertAdministrable(tx, { kind, id })
        await audit?.(tx, { by, what: 'removed', kind, id })
        return true
      }).catch((error) => {
        if (error instanceof Missing) return false
        throw error
      })
      outbox.wake()
      return removed
    },

    /** Whether a rule, a grant or another role names it. */
    isUsed: async (tx: Transaction, role: string): Promise<boolean> =>
      (await all(tx, 'rule')).some(({ value }) => value.role === role) ||
      (await all(tx, 'grant')).some(({ value }) => value.role === role) ||
      (await all(tx, 'role')).some(({ value }) => value.parents.includes(role)),

    /** Adds what was never there; what is, and what was removed, stays as it is. */
    seed: async (entries: readonly Entry[]): Promise<void> => {
      const kinds = [...new Set(entries.map(({ kind }) => kind))]
      const [rows] = (await db.raw('SELECT kind, id FROM access_entries WHERE kind IN (?)', [
        kinds,
      ])) as unknown as [Row[]]
      const known = new Set(rows.map(({ kind, id }) => `${kind} ${id}`))
      const missing = entries.filter(({ kind, id }) => !known.has(`${kind} ${id}`))
      if (missing.length === 0) return
      await transaction(db, async (tx) => {
        const version = await next(tx)
        await tx.raw(
          `INSERT IGNORE INTO access_entries (kind, id, value, version) VALUES ${missing.map(() => '(?, ?, ?, ?)').join()}`,
          missing.flatMap(({ kind, id, value }) => [kind, id, JSON.stringify(value), version]),
        )
      })
      outbox.wake()
    },

    /** Makes an account operator and administrator, unless there is an administrator. */
    appointFirst: async (account: string): Promise<void> => {
      await transaction(db, async (tx) => {
        const version = await next(tx)
        if ((await all(tx, 'grant')).some(({ value }) => value.role === 'administrator')) throw new Missing()
        for (const role of ['operator', 'administrator'])
          await write(tx, version, { kind: 'grant', id: `${account} ${role}`, value: { account, role } })
      }).catch((error) => {
        if (!(error instanceof Missing)) throw error
      })
      outbox.wake()
    },

    /** Ends sessions for every replica, tokens that are out included. Wake the outbox after the commit. */
    revokeSessions: (tx: Transaction, sessions: readonly string[]): Promise<void> =>
      revoke(tx, 'session', sessions),

    /**
     * Ends all tokens of an account that were issued until now. Tokens say their second only, so those of the rest of this
     * second are ended too. Wake the outbox after the commit.
     */
    revokeAccount: async (tx: Transaction, account: string): Promise<void> =>
      revoke(tx, 'account', [account]),

    /** Deletes what has been over for two hours: 1000 rows at most. */
    trim: async (): Promise<void> => {
      await db.raw(
        `DELETE FROM access_entries WHERE expires_at < NOW(3) - INTERVAL ${keptHours} HOUR LIMIT 1000`,
      )
    },
  }

  async function revoke(
    tx: Transaction,
    kind: 'session' | 'account',
    subjects: readonly string[],
  ): Promise<void> {
    if (subjects.length === 0) return
    const now = Date.now()
    const version = await next(tx)
    for (const subject of subjects)
      await write(tx, version, {
        ...{ kind: 'revocation', id: `${kind} ${subject}` },
        value: { kind, subject, notBefore: new Date(now).toISOString() },
        // A token of this second may be checked by a clock that is behind.
        expiresAt: new Date(now + tokenSeconds * 1000 + 60_000).toISOString(),
      })
  }
}

/** There is nothing to change: rolls the transaction back, so that no version is used up. */
class Missing extends Error {}

export type AccessStore = ReturnType<typeof createAccessStore>
