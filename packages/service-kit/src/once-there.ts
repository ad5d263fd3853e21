import { setTimeout as pause } from 'node:timers/promises'
import { asAppError } from './errors.ts'

/** The server is there, and will say the same again. */
const isRefusal = (error: unknown): boolean =>
  /^ER_(ACCESS_DENIED|DBACCESS_DENIED|BAD_DB)/.test(String((error as { code?: unknown }).code))

/**
 * For the start of a service: does `work` again while what it needs is away, which may be starting as well. Throws what it met
 * last after `withinMs`, and at once what no waiting mends.
 */
export const onceThere = async <T>(work: () => Promise<T>, withinMs = 60_000): Promise<T> => {
  const startedAt = performance.now()
  for (let waitMs = 50; ; waitMs = Math.min(2 * waitMs, 2000)) {
    try {
      return await work()
    } catch (error) {
      const isAway = asAppError(error)?.kind === 'unavailable' && !isRefusal(error)
      if (!isAway || performance.now() - startedAt + waitMs > withinMs) throw error
    }
    await pause(waitMs)
  }
}
