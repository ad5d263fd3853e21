import { readFileSync } from 'node:fs'
import type { Stack } from '../../tools/launcher/stack.ts'
import type { Sample } from './rounds.ts'
import { quantile } from './statistics.ts'

/** Process ids by the name to show; those of one name are added up. `0` is this process. */
export type Watched = readonly (readonly [name: string, pid: number])[]

/** Every process of a running stack, and this one: it makes the load and, being its launcher, looks after the stack. */
export const watchedOf = (stack: Stack): Watched => [
  ['load generator', 0],
  ...stack.names.map((name): [string, number] => [name, Number(stack.process(name).pid)]),
]

/** Linux counts in hundredths of a second (proc_pid_stat(5), USER_HZ). */
const tickMs = 10

/** Field 3 and those that follow, behind the name, which may hold anything. */
const statOf = (pid: number | 'self'): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')

/** Milliseconds of CPU that a process has used, all its threads, in steps of 10. Throws when there is no such process. */
const cpuOf = (pid: number): number => {
  if (pid === 0) {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

/**
 * Milliseconds of CPU that this process's children have used and theirs, so far as each has ended and its parent has waited for it
 * (proc_pid_stat(5): cutime and cstime).
 */
export const cpuOfEndedChildren = (): number => {
  const fields = statOf('self')
  return (Number(fields[13]) + Number(fields[14])) * tickMs
}

const read = (watched: Watched): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const [name, pid] of watched) sums[name] = (sums[name] ?? 0) + cpuOf(pid)
  return sums
}

export interface Done {
  readonly operations: number
  readonly seconds: number
  /** Milliseconds, one an operation. */
  readonly latencies: readonly number[]
  readonly more?: Readonly<Record<string, number>>
}

/** Does `work` and adds what CPU its operations took. Throws when it did nothing. */
export const measure = async (watched: Watched, work: () => Promise<Done>): Promise<Sample> => {
  const before = read(watched)
  const { operations, seconds, latencies, more } = await work()
  const after = read(watched)
  if (operations === 0) throw new Error('a leg without a single operation')
  const cpu = Object.fromEntries(
    Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / operations]),
  )
  return {
    rate: operations / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpu,
    ...(more ? { more } : {}),
  }
}

/** `concurrency` workers, each one operation after another, until the time is over. The first failure ends all and is thrown. */
export const closedLoop = async (
  concurrency: number,
  milliseconds: number,
  operation: (worker: number) => Promise<unknown>,
): Promise<Done> => {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + milliseconds
  let failed = false
  const work = async (worker: number) => {
    for (let now = performance.now(); now < end && !failed; ) {
      await operation(worker)
      const then = now
      now = performance.now()
      latencies.push(now - then)
    }
  }
  await Promise.all(
    Array.from({ length: concurrency }, (_, worker) =>
      work(worker).catch((error) => {
        failed = true
        throw error
      }),
    ),
  )
  return { operations: latencies.length, seconds: (performance.now() - start) / 1000, latencies }
}
