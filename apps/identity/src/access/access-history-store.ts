import { type AccessChanges, accessChanged } from '@caravan/contracts/access'
import type { Database, Transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { fact, type Outbox } from '@caravan/service-kit/outbox'
import type { AccessEntryStore, Entry } from './access-entry-store.ts'

const pageSize = 5000

/**
 * The versions of the access state and what they changed. Each has a mark beside its number: a database that is put back to an
 * earlier state numbers its next versions as the lost ones were, and names them otherwise.
 */
export const createAccessHistory = (
  db: Database,
  entries: Pick<AccessEntryStore, 'changes' | 'cut'>,
  outbox: Pick<Outbox, 'add'>,
) => {
  const markOf = async (version: number): Promise<string | undefined> =>
    (await db('access_history').where({ version }).first('mark'))?.mark

  return {
    /** Takes the next version, and the lock that makes changes wait for one another until the commit. */
    next: async (tx: Transaction): Promise<number> => {
      const [{ insertId: version }] = await tx.raw(
        'UPDATE access_version SET version = LAST_INSERT_ID(version + 1) WHERE one = 1',
      )
      await tx.raw('INSERT INTO access_history (version, mark) VALUES (?, ?)', [version, newId()])
      await outbox.add(tx, [fact(accessChanged, { version })])
      return version
    },

    /**
     * Everything that was changed after a version, up to the version told. Whole versions only. After 0, so all of it, where
     * the version is not one of this history: it has another mark, or none that is remembered.
     */
    changesSince: async (asked: number, mark?: string): Promise<AccessChanges> => {
      // What was counted first is in what is read next; what is committed meanwhile is told again.
      const [[{ version: counted }]] = await db.raw('SELECT version FROM access_version WHERE one = 1')
      const isKnown = asked <= counted && (mark === undefined || mark === (await markOf(asked)))
      const since = isKnown ? asked : 0
      const cut = await entries.cut(since, pageSize)
      const version = cut ?? counted
      const own = await markOf(version)
      return {
        ...{ since, version, hasMore: cut !== undefined },
        ...(own ? { mark: own } : {}),
        entries: (await entries.changes(since, cut)).map(withoutReasons),
      }
    },

    /** Forgets the marks of versions that no replica has any more. */
    trim: async (hours: number): Promise<void> => {
      await db.raw(
        `DELETE FROM access_history WHERE at < NOW(3) - INTERVAL ? HOUR
           AND version < (SELECT version FROM access_version WHERE one = 1) LIMIT 5000`,
        [hours],
      )
    },
  }
}

/** Why and by whom somebody is banned is nobody’s business but the operators’. */
const withoutReasons = <E extends { readonly kind: string; readonly value: unknown }>(entry: E): E => {
  if (entry.kind !== 'ban' || !entry.value) return entry
  const { kind, subject } = entry.value as Entry<'ban'>['value']
  return { ...entry, value: { kind, subject } }
}
