import { callerAt, readAddress, siteOf } from '@caravan/service-kit/address'
import type { Database, Transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { hashOf } from '../derive.ts'

export interface SignInLimits {
  /** Of one account, from one address or one network. */
  readonly failures: number
  /** Of one address, whatever the accounts. */
  readonly addressFailures: number
  readonly windowSeconds: number
  readonly banSeconds: number
}

/** What is no address is one caller. */
export const networksOf = (text: string): { caller: string; network: string } => {
  const address = readAddress(text)
  if (address === undefined) return { caller: 'unknown', network: 'unknown' }
  return { caller: callerAt(address), network: siteOf(address) }
}

const tooMany = (retryAfterSeconds: number) =>
  new AppError('too-many', 'identity/too-many-failures', 'Too many wrong passwords: try again later', {
    retryAfterSeconds,
  })

export interface Attempt {
  readonly succeeded: () => Promise<void>
  /** Nobody came to look at the password: it is as if it had not been tried, and is not under way until the window ends. */
  readonly dropped: () => Promise<void>
  readonly failed: () => Promise<void>
}

/** Attempts under way count too, so that many at once do not slip by; but they ban nobody: their passwords may be right. */
const underWay = 4

/**
 * Keeps guessing slow. So many failures of one account from one address in the window, and that address is shut out of that
 * account for a time; from one network, and it waits for that account. Many more of one address, and it is banned: by then it
 * tried many accounts, and those who share it went on while one of them failed. An account alone is never limited: that would
 * lock its owner out.
 */
export const createSignInLimitStore = (db: Database, limits: SignInLimits) => {
  const { failures, addressFailures, windowSeconds, banSeconds } = limits
  const recent = `at > NOW(3) - INTERVAL ${windowSeconds} SECOND`
  const left = 'CEIL(TIMESTAMPDIFF(MICROSECOND, NOW(3), until) / 1e6)'
  const orLater = (table: string) => `ON DUPLICATE KEY UPDATE until = GREATEST(${table}.until, VALUES(until))`
  const count = (where: string) => `(SELECT COUNT(*) FROM sign_in_attempts WHERE ${where} AND ${recent})`

  return {
    /** To be called before the password is checked. Throws 429 `identity/too-many-failures`. */
    attempt: async (address: string, email: string): Promise<Attempt> => {
      const { caller, network } = networksOf(address)
      const emailHash = hashOf(email)
      const [{ insertId: id }] = await db.raw(
        'INSERT INTO sign_in_attempts (address, network, email_hash) VALUES (?, ?, ?)',
        [caller, network, emailHash],
      )
      const forget = async () => {
        await db.raw('DELETE FROM sign_in_attempts WHERE id = ?', [id])
      }
      const [[now]] = await db.raw(
        `SELECT
           (SELECT ${left} FROM sign_in_bans WHERE address = ? AND until > NOW(3)) AS banned,
           (SELECT ${left} FROM sign_in_holds WHERE email_hash = ? AND address = ? AND until > NOW(3)) AS heldUp,
           ${count('email_hash = ? AND network = ? AND failed')} AS failedInNetwork,
           ${count('email_hash = ? AND network = ? AND address = ?')} AS ofPair,
           ${count('address = ? AND NOT failed')} AS underWayHere`,
        [caller, emailHash, caller, emailHash, network, emailHash, network, caller, caller],
      )
      const wait =
        Math.max(Number(now.banned), Number(now.heldUp)) ||
        (now.failedInNetwork >= failures && windowSeconds) ||
        (Math.max(now.ofPair, now.underWayHere) > failures * underWay && 1)
      if (wait) {
        await forget()
        throw tooMany(wait)
      }
      return {
        succeeded: forget,
        dropped: forget,
        failed: async () => {
          await db.raw('UPDATE sign_in_attempts SET failed = TRUE WHERE id = ?', [id])
          await db.raw(
            `INSERT INTO sign_in_holds (address, email_hash, until)
             SELECT ?, ?, NOW(3) + INTERVAL ? SECOND FROM sign_in_attempts
             WHERE email_hash = ? AND network = ? AND address = ? AND failed AND ${recent} HAVING COUNT(*) >= ?
             ${orLater('sign_in_holds')}`,
            [caller, emailHash, banSeconds, emailHash, network, caller, failures],
          )
          await db.raw(
            `INSERT INTO sign_in_bans (address, until)
             SELECT ?, NOW(3) + INTERVAL ? SECOND FROM sign_in_attempts
             WHERE address = ? AND failed AND ${recent} HAVING COUNT(*) >= ?
             ${orLater('sign_in_bans')}`,
            [caller, banSeconds, caller, addressFailures],
          )
        },
      }
    },

    /** What was failed at an account counts no more: its owner has proven to be it by mail, or it is gone. */
    forget: async (tx: Transaction, email: string): Promise<void> => {
      for (const table of ['sign_in_attempts', 'sign_in_holds'])
        await tx.raw(`DELETE FROM ${table} WHERE email_hash = ?`, [hashOf(email)])
    },

    trim: async (): Promise<void> => {
      await db.raw('DELETE FROM sign_in_attempts WHERE at < NOW(3) - INTERVAL ? SECOND LIMIT 5000', [
        windowSeconds,
      ])
      for (const table of ['sign_in_bans', 'sign_in_holds'])
        await db.raw(`DELETE FROM ${table} WHERE until < NOW(3) LIMIT 5000`)
    },
  }
}

export type SignInLimitStore = ReturnType<typeof createSignInLimitStore>
