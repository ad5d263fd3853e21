import type { Database } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import ipaddr from 'ipaddr.js'
import { hashOf } from '../derive.ts'

export interface SignInLimits {
  readonly failures: number
  readonly windowSeconds: number
  readonly banSeconds: number
}

const prefix = (bytes: readonly number[], length: number): string =>
  Buffer.from(bytes.slice(0, length)).toString('hex')

/**
 * What counts as one caller, and as its network: an IPv4 address and its /24; of IPv6 the /64, which one subscriber has, and
 * the /48 (RFC 6177). What is no address is one caller.
 */
export const networksOf = (address: string): { caller: string; network: string } => {
  if (!ipaddr.isValid(address)) return { caller: 'unknown', network: 'unknown' }
  const parsed = ipaddr.process(address)
  const bytes = parsed.toByteArray()
  return parsed.kind() === 'ipv4'
    ? { caller: parsed.toString(), network: prefix(bytes, 3) }
    : { caller: prefix(bytes, 8), network: prefix(bytes, 6) }
}

const tooMany = (retryAfterSeconds: number) =>
  new AppError('too-many', 'identity/too-many-failures', 'Too many wrong passwords: try again later', {
    retryAfterSeconds,
  })

export interface Attempt {
  readonly succeeded: () => Promise<void>
  readonly failed: () => Promise<void>
}

/** Attempts under way count too, so that many at once do not slip by; but they ban nobody: their passwords may be right. */
const underWay = 4

/**
 * Keeps guessing slow: so many failures of an address in the window and it is banned for a time; so many for one account from
 * one network and that network waits, for that account. An account alone is never limited: that would lock its owner out.
 */
export const createSignInLimitStore = (db: Database, limits: SignInLimits) => ({
  /** To be called before the password is checked. Throws 429 `identity/too-many-failures`. */
  attempt: async (address: string, email: string): Promise<Attempt> => {
    const { caller, network } = networksOf(address)
    const emailHash = hashOf(email)
    const since = [limits.windowSeconds] as const
    const [{ insertId: id }] = await db.raw(
      'INSERT INTO sign_in_attempts (address, network, email_hash) VALUES (?, ?, ?)',
      [caller, network, emailHash],
    )
    const forget = async () => {
      await db.raw('DELETE FROM sign_in_attempts WHERE id = ?', [id])
    }
    const [[now]] = await db.raw(
      `SELECT
         (SELECT CEIL(TIMESTAMPDIFF(MICROSECOND, NOW(3), until) / 1e6) FROM sign_in_bans
           WHERE address = ? AND until > NOW(3)) AS banned,
         (SELECT COUNT(*) FROM sign_in_attempts WHERE address = ? AND at > NOW(3) - INTERVAL ? SECOND) AS ofAddress,
         (SELECT COUNT(*) FROM sign_in_attempts
           WHERE email_hash = ? AND network = ? AND failed AND at > NOW(3) - INTERVAL ? SECOND) AS ofPair`,
      [caller, caller, ...since, emailHash, network, ...since],
    )
    const wait =
      Number(now.banned) ||
      (now.ofPair >= limits.failures && limits.windowSeconds) ||
      (now.ofAddress > limits.failures * underWay && 1)
    if (wait) {
      await forget()
      throw tooMany(wait)
    }
    return {
      succeeded: forget,
      failed: async () => {
        await db.raw('UPDATE sign_in_attempts SET failed = TRUE WHERE id = ?', [id])
        await db.raw(
          `INSERT INTO sign_in_bans (address, until)
           SELECT ?, NOW(3) + INTERVAL ? SECOND FROM sign_in_attempts
           WHERE address = ? AND failed AND at > NOW(3) - INTERVAL ? SECOND HAVING COUNT(*) >= ?
           ON DUPLICATE KEY UPDATE until = GREATEST(sign_in_bans.until, VALUES(until))`,
          [caller, limits.banSeconds, caller, ...since, limits.failures],
        )
      },
    }
  },

  trim: async (): Promise<void> => {
    await db.raw('DELETE FROM sign_in_attempts WHERE at < NOW(3) - INTERVAL ? SECOND LIMIT 5000', [
      limits.windowSeconds,
    ])
    await db.raw('DELETE FROM sign_in_bans WHERE until < NOW(3) LIMIT 5000')
  },
})

export type SignInLimitStore = ReturnType<typeof createSignInLimitStore>
