import type { Session } from '@caravan/contracts/sessions'
import type { Database, Transaction } from '@caravan/service-kit/database'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Outbox } from '@caravan/service-kit/outbox'
import type { AccessStore } from '../access/access-store.ts'
import { derive, hashOf, randomToken } from '../derive.ts'

export type EndReason = 'logout' | 'reuse' | 'password' | 'closure'
export type StoredSession = Omit<Session, 'current'>

interface Row {
  id: string
  account_id: string
  user_agent: string
  address: string
  created_at: Date
  last_used_at: Date
}

const fromRow = (row: Row): StoredSession => ({
  id: row.id,
  userAgent: row.user_agent,
  address: row.address,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at.toISOString(),
})

export interface Refreshed {
  readonly accountId: string
  readonly sessionId: string
  readonly refreshToken: string
}

/** What came of a refresh token: `reused` when it was used before, which has just ended its session. */
export type Refresh =
  | ({ readonly outcome: 'refreshed' } & Refreshed)
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'reused'; readonly accountId: string; readonly sessionId: string }

/** An answer may be lost, and two tabs may refresh at once: so long a repeat gets the same successor. */
const graceSeconds = 10

const gone = (cause: unknown) =>
  new AppError('unauthenticated', 'identity/account-gone', 'The account was closed', { cause })

interface Options {
  /** The successor of a token is derived with it, so that a repeat gets the same one though only hashes are stored. */
  readonly secret: string
  readonly sessionDays: number
  /** Whose tokens that are out end with their sessions. */
  readonly access: Pick<AccessStore, 'revokeSessions'>
  readonly outbox: Pick<Outbox, 'wake'>
}

/**
 * Sessions and their refresh tokens. Tokens rotate (RFC 9700, 4.14.2): each is good for one refresh, and one that comes again
 * later ends its session, since either the thief or the owner has the other.
 */
export const createSessionStore = (db: Database, { secret, sessionDays, access, outbox }: Options) => {
  const keep = (tx: Transaction, sessionId: string, token: string) =>
    tx.raw('INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)', [hashOf(token), sessionId])

  const endIn = async (
    tx: Transaction,
    where: { id?: string; account_id?: string },
    reason: EndReason,
    except = '',
  ): Promise<string[]> => {
    const ids: string[] = await tx('sessions')
      .where(where)
      .whereNull('ended_at')
      .whereNot({ id: except })
      .forUpdate()
      .pluck('id')
    if (ids.length === 0) return ids
    await tx('sessions')
      .whereIn('id', ids)
      .update({ ended_at: db.raw('NOW(3)'), end_reason: reason })
    await access.revokeSessions(tx, ids)
    return ids
  }

  const end = async (...about: [Parameters<typeof endIn>[1], EndReason]): Promise<string[]> => {
    const ids = await transaction(db, (tx) => endIn(tx, ...about))
    outbox.wake()
    return ids
  }

  return {
    /** Throws 401 `identity/account-gone` where the account was closed meanwhile. */
    open: (accountId: string, about: Pick<Session, 'userAgent' | 'address'>): Promise<Refreshed> =>
      transaction(db, async (tx) => {
        const [sessionId, refreshToken] = [newId(), randomToken()]
        await tx
          .raw(
            `INSERT INTO sessions (id, account_id, user_agent, address, expires_at)
             VALUES (?, ?, ?, ?, NOW(3) + INTERVAL ? DAY)`,
            [sessionId, accountId, about.userAgent.slice(0, 300), about.address, sessionDays],
          )
          .catch((cause) => {
            throw cause.code === 'ER_NO_REFERENCED_ROW_2' ? gone(cause) : cause
          })
        await keep(tx, sessionId, refreshToken)
        return { accountId, sessionId, refreshToken }
      }),

    refresh: async (token: string): Promise<Refresh> => {
      const result = await transaction(db, async (tx): Promise<Refresh> => {
        const [[found]] = await tx.raw(
          `SELECT t.session_id, s.account_id, t.used_at IS NOT NULL AS used,
             t.used_at > NOW(3) - INTERVAL ? SECOND AS recent
           FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
           WHERE t.hash = ? AND s.ended_at IS NULL AND s.expires_at > NOW(3) FOR UPDATE`,
          [graceSeconds, hashOf(token)],
        )
        if (!found) return { outcome: 'unknown' }
        const { session_id: sessionId, account_id: accountId } = found
        const refreshToken = derive(secret, 'refresh', token)
        if (found.used) {
          const [[next]] = await tx.raw('SELECT used_at FROM refresh_tokens WHERE hash = ?', [
            hashOf(refreshToken),
          ])
          if (found.recent && next?.used_at === null)
            return { outcome: 'refreshed', accountId, sessionId, refreshToken }
          await endIn(tx, { id: sessionId }, 'reuse')
          return { outcome: 'reused', accountId, sessionId }
        }
        await tx.raw('UPDATE refresh_tokens SET used_at = NOW(3) WHERE hash = ?', [hashOf(token)])
        await keep(tx, sessionId, refreshToken)
        await tx.raw('UPDATE sessions SET last_used_at = NOW(3) WHERE id = ?', [sessionId])
        return { outcome: 'refreshed', accountId, sessionId, refreshToken }
      })
      if (result.outcome === 'reused') outbox.wake()
      return result
    },

    /** Those that are live, newest first; those that began before `after`. */
    list: async (accountId: string, limit: number, after?: string): Promise<StoredSession[]> => {
      const query = db('sessions')
        .where({ account_id: accountId, ended_at: null })
        .where('expires_at', '>', db.raw('NOW(3)'))
        .orderBy('id', 'desc')
        .limit(limit)
      if (after !== undefined) query.where('id', '<', after)
      const rows: Row[] = await query
      return rows.map(fromRow)
    },

    /** Ends one session of an account. Resolves with whether it was live. */
    endOne: async (accountId: string, sessionId: string, reason: EndReason): Promise<boolean> =>
      (await end({ id: sessionId, account_id: accountId }, reason)).length > 0,

    /** Ends an account's sessions and gives their ids. */
    endAll: (accountId: string, reason: EndReason): Promise<string[]> =>
      end({ account_id: accountId }, reason),

    /** The same within a change, but for one that may stay. Wake the outbox after the commit. */
    endAllIn: (tx: Transaction, accountId: string, reason: EndReason, except?: string): Promise<string[]> =>
      endIn(tx, { account_id: accountId }, reason, except),

    /** Deletes what has been over for longer than its access tokens could live. */
    trim: async (): Promise<void> => {
      await db.raw('DELETE FROM sessions WHERE expires_at < NOW(3) LIMIT 1000')
      await db.raw('DELETE FROM sessions WHERE ended_at < NOW(3) - INTERVAL 1 DAY LIMIT 1000')
    },
  }
}

export type SessionStore = ReturnType<typeof createSessionStore>
