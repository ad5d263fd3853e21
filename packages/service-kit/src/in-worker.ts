import { parentPort, Worker } from 'node:worker_threads'
import { AppError } from './errors.ts'

type Reply = { readonly result: unknown } | { readonly error: string }

/** In the module of a thread: the function that `inWorker` calls. */
export const serveCalls = <I, O>(work: (input: I) => Promise<O>): void => {
  const reply = (message: Reply) => parentPort?.postMessage(message)
  parentPort?.on('message', (input: I) => {
    work(input).then(
      (result) => reply({ result }),
      (error) => reply({ error: String(error?.message ?? error) }),
    )
  })
}

export interface InWorkerOptions {
  /** Calls that may wait beside the one that runs; more are 503 at once. */
  readonly mostWaiting?: number
  /** A call that takes longer ends with its thread. */
  readonly deadlineMs?: number
}

/**
 * What a module serves by `serveCalls`, in a thread of its own: what keeps a processor busy for long holds up no request then. One
 * call after another; what goes in and comes out is copied. The thread begins with the first call, and anew after it died.
 */
export const inWorker = <I, O>(
  module: URL,
  { mostWaiting = 20, deadlineMs = 60_000 }: InWorkerOptions = {},
) => {
  let thread: Worker | undefined
  let running: PromiseWithResolvers<O> | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const begin = (): Worker => {
    const begun = new Worker(module)
    const end = (error: Error) => {
      if (thread !== begun) return
      thread = undefined
      running?.reject(error)
    }
    begun.on('message', (reply: Reply) => {
      if ('error' in reply) running?.reject(new Error(reply.error))
      else running?.resolve(reply.result as O)
    })
    begun.on('error', end)
    begun.on('exit', () => end(new Error(`the thread of ${module} ended`)))
    return begun
  }

  const run = async (input: I): Promise<O> => {
    const mine = Promise.withResolvers<O>()
    running = mine
    thread ??= begin()
    const used = thread
    used.ref()
    const timer = setTimeout(() => used.terminate(), deadlineMs)
    try {
      used.postMessage(input)
      return await mine.promise
    } finally {
      clearTimeout(timer)
      used.unref()
    }
  }

  const call = async (input: I): Promise<O> => {
    if (waiting > mostWaiting)
      throw new AppError('unavailable', 'request/too-many', 'Try again in a moment', { retryAfterSeconds: 1 })
    waiting += 1
    const done = last
      .then(() => run(input))
      .finally(() => {
        waiting -= 1
      })
    last = done.catch(() => undefined)
    return done
  }

  return {
    call,
    /** For the end of a process, or of a test. */
    stop: async (): Promise<void> => {
      await thread?.terminate()
    },
  }
}
