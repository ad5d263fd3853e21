import { accessOperations } from '@caravan/contracts/access'
import { isPublic, type Operation } from '@caravan/contracts/operation'
import { createPolicy } from '@caravan/service-kit/access-policy'
import { type Database, type Transaction, transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import type { Outbox } from '@caravan/service-kit/outbox'
import { createAccessEntryStore, type Entry, type Kind } from './access-entry-store.ts'
import { createAccessHistory } from './access-history-store.ts'

/** What somebody did, for whoever keeps account of it. */
export interface Deed {
  /** The account that did it. */
  readonly by: string
  readonly what: 'set' | 'removed'
  readonly kind: Kind
  readonly id: string
  readonly value?: unknown
}

/** Hours that an entry is kept after its end; a replica that heard nothing for an hour reads everything anew. */
const keptHours = 2

const lockedOut = () =>
  new AppError(
    'conflict',
    'identity/locks-out-administrators',
    'No administrator would be left who may undo this',
  )

/** Accounts and machines have one space of ids. */
const whereabouts = {
  account: 'SELECT id FROM accounts WHERE id = ? UNION ALL SELECT id FROM clients WHERE id = ?',
  session: 'SELECT id FROM sessions WHERE id IN (?, ?)',
} as const
const missing = {
  account: () => new AppError('not-found', 'identity/account-not-found', 'There is no such account'),
  session: () => new AppError('not-found', 'identity/no-such-session', 'There is no such session'),
} as const

export interface AccessStoreOptions {
  readonly db: Database
  readonly outbox: Pick<Outbox, 'add' | 'wake'>
  /** Life of an access token: no revocation counts for longer. */
  readonly tokenSeconds: number
  /** Runs in the transaction of the change. */
  readonly audit?: (tx: Transaction, deed: Deed) => Promise<void>
}

type Check = (tx: Transaction) => Promise<void>

/** Roles, rules, grants, public routes, bans and revocations: entries of one versioned map (ADR 19). */
export const createAccessStore = ({ db, outbox, tokenSeconds, audit }: AccessStoreOptions) => {
  const entries = createAccessEntryStore(db)
  const history = createAccessHistory(db, entries, outbox)

  /** Throws 409 unless, after a change of this kind, somebody is left who may undo it. The version's lock is held. */
  const assertAdministrable = async (
    tx: Transaction,
    { kind, id }: Pick<Entry, 'kind' | 'id'>,
  ): Promise<void> => {
    if (kind === 'public-route' || (kind === 'ban' && !id.startsWith('account '))) return
    const [rules, roles, grants] = [
      await entries.all('rule', tx),
      await entries.all('role', tx),
      // A machine is nobody who could be asked.
      await entries.grantsOfPeople(tx),
    ]
    const { allows } = await createPolicy({
      rules: rules.map(({ value }) => value),
      parents: roles.map(({ id: role, value }) => [role, value.parents]),
    })
    const needed = (accessOperations as unknown as readonly Operation[]).filter(isPublic)
    const held = Map.groupBy(grants, ({ value }) => value.account)
    for (const [account, theirs] of held) {
      const own = ['shopper', ...theirs.map(({ value }) => value.role)]
      const may = needed.every((operation) => allows(own, operation))
      if (may && !(await entries.find('ban', `account ${account}`, tx))) return
    }
    throw lockedOut()
  }

  /** Writes what the work says as one version, or nothing where it says nothing. Resolves with whether it did. */
  const change = async (work: (tx: Transaction, version: number) => Promise<boolean>): Promise<boolean> => {
    const done = await transaction(db, async (tx) => {
      if (await work(tx, await history.next(tx))) return true
      throw new Nothing()
    }).catch((error) => {
      if (error instanceof Nothing) return false
      throw error
    })
    outbox.wake()
    return done
  }

  const removeIn = async (
    tx: Transaction,
    version: number,
    by: string,
    gone: readonly Pick<Entry, 'kind' | 'id'>[],
    guard: Check = async () => {},
  ): Promise<void> => {
    for (const { kind, id } of gone) await entries.write(tx, version, { kind, id, value: null })
    await guard(tx)
    for (const { kind, id } of gone) await audit?.(tx, { by, what: 'removed', kind, id })
  }

  const revoke = async (
    tx: Transaction,
    version: number,
    kind: 'session' | 'account',
    subjects: readonly string[],
  ): Promise<void> => {
    const now = Date.now()
    for (const subject of subjects)
      await entries.write(tx, version, {
        ...{ kind: 'revocation', id: `${kind} ${subject}` },
        value: { kind, subject, notBefore: new Date(now).toISOString() },
        // A token of this second may be checked by a clock that is behind.
        expiresAt: new Date(now + tokenSeconds * 1000 + 60_000).toISOString(),
      })
  }

  return {
    changesSince: history.changesSince,

    find: <K extends Kind>(kind: K, id: string) => entries.find(kind, id),
    list: entries.list,
    grantsOf: (account: string) => entries.grantsOf(account),

    /** Creates or replaces an entry; throws 409 when that would lock all administrators out. */
    set: async (by: string, entry: Entry, ...checks: Check[]): Promise<void> => {
      await change(async (tx, version) => {
        for (const check of checks) await check(tx)
        await entries.write(tx, version, entry)
        await assertAdministrable(tx, entry)
        await audit?.(tx, { by, what: 'set', kind: entry.kind, id: entry.id, value: entry.value })
        return true
      })
    },

    /** Throws 409 `identity/unknown-role` unless all of them exist. */
    knownRoles:
      (...roles: readonly string[]): Check =>
      async (tx) => {
        const known = new Set((await entries.all('role', tx)).map(({ id }) => id))
        const unknown = roles.filter((role) => !known.has(role))
        if (unknown.length > 0)
          throw new AppError('conflict', 'identity/unknown-role', `There is no role ${unknown.join(', ')}`)
      },

    /** Throws 404 unless there is such an account or machine, or session. */
    known:
      (kind: keyof typeof whereabouts, id: string): Check =>
      async (tx) => {
        const [[found]] = await tx.raw(whereabouts[kind], [id, id])
        if (!found) throw missing[kind]()
      },

    /** Asks what is there, in the transaction of a change. */
    standing:
      <K extends Kind>(kind: K, id: string, ask: (current: Entry<K> | undefined) => void): Check =>
      async (tx) =>
        ask(await entries.find(kind, id, tx)),

    /** The roles with their parents, in the transaction of a change. */
    rolesIn: async (tx: Transaction): Promise<Map<string, readonly string[]>> =>
      new Map((await entries.all('role', tx)).map(({ id, value }) => [id, value.parents])),

    /** False when there is none. Throws 409 when that would lock all administrators out. */
    remove: <K extends Kind>(
      by: string,
      kind: K,
      id: string,
      check?: (tx: Transaction, current: Entry<K>) => Promise<void> | void,
    ): Promise<boolean> =>
      change(async (tx, version) => {
        const current = await entries.find(kind, id, tx)
        if (!current) return false
        await check?.(tx, current)
        await removeIn(tx, version, by, [{ kind, id }], () => assertAdministrable(tx, { kind, id }))
        return true
      }),

    /** Whether a rule, a grant or another role names it. */
    isUsed: async (tx: Transaction, role: string): Promise<boolean> =>
      (await entries.all('rule', tx)).some(({ value }) => value.role === role) ||
      (await entries.all('grant', tx)).some(({ value }) => value.role === role) ||
      (await entries.all('role', tx)).some(({ value }) => value.parents.includes(role)),

    /** Adds what was never there; what is, and what was removed, stays as it is. */
    seed: async (given: readonly Entry[]): Promise<void> => {
      const unknown = await entries.unknown(given)
      if (unknown.length === 0) return
      await change(async (tx, version) => {
        await entries.insert(tx, version, unknown)
        return true
      })
    },

    /** Makes an account operator and administrator, unless there is an administrator. */
    appointFirst: async (account: string): Promise<void> => {
      await change(async (tx, version) => {
        const people = await entries.grantsOfPeople(tx)
        if (people.some(({ value }) => value.role === 'administrator')) return false
        for (const role of ['operator', 'administrator'])
          await entries.write(tx, version, {
            ...{ kind: 'grant', id: `${account} ${role}`, value: { account, role } },
          })
        return true
      })
    },

    /** Ends sessions for every replica, tokens that are out included. Wake the outbox after the commit. */
    revokeSessions: async (tx: Transaction, sessions: readonly string[]): Promise<void> => {
      if (sessions.length > 0) await revoke(tx, await history.next(tx), 'session', sessions)
    },

    /**
     * For an account or a machine that goes in this transaction: takes its grants and the bans of it and of these sessions, and
     * ends all tokens that were issued until now. Tokens say their second only, so those of the rest of this second are ended
     * too. Throws 409 when that would lock all administrators out. Wake the outbox after the commit.
     */
    forget: async (
      tx: Transaction,
      by: string,
      account: string,
      sessions: readonly string[] = [],
    ): Promise<void> => {
      const version = await history.next(tx)
      const grants = await entries.grantsOf(account, tx)
      const bans = [`account ${account}`, ...sessions.map((session) => `session ${session}`)]
      const held = await Promise.all(bans.map((id) => entries.find('ban', id, tx)))
      const gone = [...grants, ...held.filter((entry) => entry !== undefined)]
      await removeIn(tx, version, by, gone, async () => {
        if (grants[0]) await assertAdministrable(tx, grants[0])
      })
      await revoke(tx, version, 'account', [account])
    },

    /** Takes the grants and bans of who is no more and went without them: sessions that ran out, and before `forget` others. */
    dropOrphans: async (): Promise<void> => {
      if ((await entries.orphans()).length === 0) return
      await change(async (tx, version) => {
        const orphans = await entries.orphans(tx)
        await removeIn(tx, version, 'identity', orphans)
        return orphans.length > 0
      })
    },

    /** Deletes what has been over for two hours. */
    trim: async (): Promise<void> => {
      await entries.trim(keptHours)
      await history.trim(keptHours)
    },
  }
}

/** There is nothing to change: rolls the transaction back, so that no version is used up. */
class Nothing extends Error {}

export type AccessStore = ReturnType<typeof createAccessStore>
