import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two tries. */
const pauseMs = 50

/**
 * Whether a sidecar's answer says that it met no living sidecar, or no living app behind it. What daprd 1.18 repeats by itself
 * goes to the address that it once resolved: a replica that ends keeps its name until all its calls have ended, while it
 * takes no new ones, and a call whose neighbour gave the connection up is cancelled with it.
 */
export const isUnreached = (status: number, answer: unknown): boolean => {
  const { errorCode, message } = (answer ?? {}) as { errorCode?: unknown; message?: unknown }
  return (
    status === 500 &&
    errorCode === 'ERR_DIRECT_INVOKE' &&
    /code = Unavailable|client connection is closing|connect: connection refused/.test(String(message))
  )
}

/** Our own sidecar is not there, as while it starts again: nobody heard anything. */
const isRefused = (error: unknown): boolean =>
  (error as { cause?: { code?: unknown } }).cause?.code === 'ECONNREFUSED'

/**
 * Asks until somebody was reached or the time is up, each time anew for an address, so that another replica answers for the one
 * that ends. It may reach an app twice, as everything that is invoked.
 */
export const repeatUnreached = async <T>(
  deadlineMs: number,
  ask: (leftMs: number) => Promise<T>,
  unreached: (answer: T) => boolean,
): Promise<T> => {
  const end = performance.now() + deadlineMs
  const isOver = () => performance.now() + 2 * pauseMs > end
  for (;;) {
    try {
      const answer = await ask(end - performance.now())
      if (!unreached(answer) || isOver()) return answer
    } catch (error) {
      if (!isRefused(error) || isOver()) throw error
    }
    await pause(pauseMs)
  }
}
