import { Worker } from 'node:worker_threads'
import type { Progress, Task } from './worker.ts'

export type Result = Progress & { readonly seed: number; readonly seconds: number }

/** Simulates in a thread of its own, on a fresh copy of the product. Ends the thread when the signal comes. */
export const simulate = (task: Task, signal?: AbortSignal): Promise<Result> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: task })
    let last: Progress = { runs: 0, steps: 0, faults: {} }
    const stop = () => worker.terminate()
    signal?.addEventListener('abort', stop)
    worker.on('message', (progress: Progress) => {
      last = progress
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      signal?.removeEventListener('abort', stop)
      resolve({ ...last, seed: task.seed, seconds: (performance.now() - startedAt) / 1000 })
    })
  })

/** A failure as it is told: what to do to see it again, the smallest scenario that was found, what is wrong with it. */
export const tellFailure = ({ seed, failure }: Result): string[] =>
  failure
    ? [
        `--seed ${seed} --path ${failure.path}`,
        ...failure.scenario.map((line) => `  ${line}`),
        ...failure.objections.map((line) => `  ✗ ${line}`),
        ...failure.trace,
      ]
    : []
