import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import * as argon2 from '@node-rs/argon2'
import { createBoundedQueue } from './bounded-queue.ts'

/** OWASP Password Storage Cheat Sheet, the least for Argon2id (which is the library's default): 19 MiB, two passes. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const current = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`

/** The same text typed on another system gives the same bytes (NIST SP 800-63B, 5.1.1.2). */
const normal = (password: string) => password.normalize('NFKC')

/**
 * Password hashes. One processor stays free for everything else, and 64 may wait; beyond that `hash` and `matches` throw
 * 429 `identity/busy`.
 */
export const createPasswords = async () => {
  const queue = createBoundedQueue({ concurrent: Math.max(1, availableParallelism() - 1), waiting: 64 })
  const hash = (password: string): Promise<string> => queue(() => argon2.hash(normal(password), cost))
  const nobodys = await hash(randomBytes(32).toString('base64'))

  /** False without a stored hash too, after the same work: the time does not tell whether there is an account. */
  const matches = (stored: string | undefined, password: string): Promise<boolean> =>
    queue(() => argon2.verify(stored ?? nobodys, normal(password)))

  /** Whether a hash was made with another cost than today's: to be made anew when the password is at hand. */
  const isOutdated = (stored: string): boolean => !stored.startsWith(current)

  return { hash, matches, isOutdated }
}

export type Passwords = Awaited<ReturnType<typeof createPasswords>>
