import { AppError } from '@caravan/service-kit/errors'

/**
 * Runs at most `concurrent` pieces of work at a time, the others in the order in which they came. Throws 429 at once when
 * `waiting` wait already: who comes late is told so, instead of all being slow.
 */
export const createBoundedQueue = ({ concurrent, waiting }: { concurrent: number; waiting: number }) => {
  const turns: (() => void)[] = []
  let running = 0

  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < concurrent) running += 1
    else if (turns.length < waiting) await new Promise<void>((resolve) => turns.push(resolve))
    else throw new AppError('too-many', 'identity/busy', 'Try again in a moment', { retryAfterSeconds: 1 })
    try {
      return await work()
    } finally {
      // The next one takes this place over, so `running` stays as it is.
      const next = turns.shift()
      if (next) next()
      else running -= 1
    }
  }
}
