import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from './random.ts'

/**
 * `closed`: so many clients, each beginning its next run when the last has ended. `open`: runs begin at their times,
 * whatever became of the others, as a public does.
 */
export type Mode =
  | { readonly kind: 'closed'; readonly concurrency: number }
  | {
      readonly kind: 'open'
      readonly perSecond: number
      /** `poisson` unless said otherwise. */
      readonly arrivals?: 'poisson' | 'fixed'
      /** Runs under way at once; an arrival above it is told as refused. 2000 unless said otherwise. */
      readonly cap?: number
    }

export interface Drive {
  readonly mode: Mode
  /** When no more runs begin, on the clock of `performance.now()`; asked before each one. What is under way is awaited. */
  readonly endsAt: () => number
  readonly random: Random
  /** Milliseconds in which an open loop comes up to its rate, evenly; 0 unless said otherwise. */
  readonly rampMs?: number
  /**
   * One run, by its number. `intendedAt`: when the schedule has it begin, on the same clock, however late it is. Must not
   * reject.
   */
  readonly run: (index: number, intendedAt: number) => Promise<void>
  /** An arrival that found the cap reached. */
  readonly refused: (intendedAt: number) => void
}

/** Milliseconds between one arrival and the next. */
export const gaps = ({ perSecond, arrivals = 'poisson' }: Extract<Mode, { kind: 'open' }>, random: Random) =>
  arrivals === 'fixed' ? () => 1000 / perSecond : () => (-Math.log(1 - random.next()) * 1000) / perSecond

/** Runs the load; resolves when the last run that it began has ended. */
export const drive = (options: Drive): Promise<void> =>
  options.mode.kind === 'closed' ? driveClosed(options, options.mode) : driveOpen(options, options.mode)

const driveClosed = async (
  { endsAt, run }: Drive,
  { concurrency }: Extract<Mode, { kind: 'closed' }>,
): Promise<void> => {
  let started = 0
  const client = async () => {
    for (let now = performance.now(); now < endsAt(); now = performance.now()) await run(started++, now)
  }
  await Promise.all(Array.from({ length: concurrency }, client))
}

/** Milliseconds between looks at whether it is to end. */
const longestWait = 50

/** Of the rate, at the least. */
const firstShare = 0.05

const driveOpen = async (
  { endsAt, random, rampMs = 0, run, refused }: Drive,
  mode: Extract<Mode, { kind: 'open' }>,
): Promise<void> => {
  const { cap = 2000 } = mode
  const gap = gaps(mode, random)
  const underWay = new Set<Promise<void>>()
  let started = 0
  const begun = performance.now()
  const share = (time: number) => (time < begun + rampMs ? Math.max(firstShare, (time - begun) / rampMs) : 1)
  // What was to begin before the end does so, even when this loop comes to it later.
  for (let next = begun + gap() / share(begun); next < endsAt(); ) {
    const wait = next - performance.now()
    if (wait > 0) {
      await pause(Math.min(wait, longestWait))
      continue
    }
    if (underWay.size >= cap) refused(next)
    else {
      const one = run(started++, next).finally(() => underWay.delete(one))
      underWay.add(one)
    }
    next += gap() / share(next)
  }
  await Promise.all(underWay)
}
