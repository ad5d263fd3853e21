import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { Stack, StackOptions } from '../../tools/launcher/stack.ts'
import type { Random } from '../load/random.ts'
import type { Done } from '../load/run-load.ts'
import type { ClientLog } from '../support/client-log.ts'

/** Something that was done to the shop. */
export interface Fault {
  readonly what: string
  /** Processes that were killed by it. */
  readonly killed: readonly string[]
  /** The failpoint at which they stood. */
  readonly point?: string | undefined
  /** Milliseconds since 1970: when it struck or, if it lasted, when it was lifted. */
  readonly at: number
  /** Milliseconds from then until all processes were ready. */
  readyMs?: number
  /** Milliseconds from then until a checkout that began after it had succeeded. */
  recoveredMs?: number
}

export interface FieldOptions {
  readonly stack: Stack
  readonly random: Random
  /** What clients of the drill's own write their promises to. */
  readonly clientLog: ClientLog
  readonly log: (line: string) => void
}

/** Milliseconds until a killed process is started again: what the launcher waits after a first death. */
const restartMs = 200
const recoveryMs = 120_000

export const apps = [
  'identity',
  'catalog',
  'inventory',
  'carts',
  'orders',
  'payments',
  'promotions',
  'gateway',
] as const
export type App = (typeof apps)[number]

/** Where faults are done and their ends awaited, while checkouts run and are told to `onDone`. */
export const openField = ({ stack, random, clientLog, log }: FieldOptions) => {
  const faults: Fault[] = []
  const failed: Done[] = []
  /** By fault: only a checkout that began after this counts. */
  const since = new Map<Fault, number>()
  let succeeded = 0

  const now = () => performance.timeOrigin + performance.now()
  const note = (fault: Fault, from = now()): void => {
    faults.push(fault)
    since.set(fault, from)
  }

  const onDone = (done: Done): void => {
    if (!done.ok) {
      failed.push(done)
      return
    }
    succeeded += 1
    for (const [fault, from] of since) {
      if (done.startedAt < from) continue
      fault.recoveredMs = done.endedAt - fault.at
      since.delete(fault)
    }
  }

  /** Kills processes by SIGKILL, all at once; each is started again after 0.2 s. */
  const kill = async (names: readonly string[], point?: string): Promise<void> => {
    const at = now()
    const before = names.map((name) => stack.process(name).pid)
    await Promise.all(names.map((name) => stack.process(name).kill('SIGKILL')))
    const killed = names.filter((name, index) => before[index] && stack.process(name).pid !== before[index])
    note({ what: point ?? 'kill -9', killed, point, at })
    await pause(restartMs)
    // Through `stop`, the launcher forgets how often they died: here that is no sign of a hopeless program.
    await Promise.all(killed.map((name) => stack.process(name).stop()))
    await Promise.all(killed.map((name) => stack.process(name).start()))
  }

  /** Something that is over as soon as it is done. */
  const strike = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    const at = now()
    await act()
    note({ what, killed: [], at })
  }

  /** Something that lasts for `ms`. Recovery counts from its end. */
  const hold = async (
    what: string,
    ms: number,
    begin: () => Promise<unknown>,
    end: () => Promise<unknown>,
  ): Promise<void> => {
    try {
      await begin()
      await pause(ms)
    } finally {
      await end()
      note({ what, killed: [], at: now() })
    }
  }

  /** SIGTERM and the end of one after the other, then a new start of all; recovery counts from when they are ready. */
  const restart = async (what: string, names: readonly string[]): Promise<void> => {
    for (const name of names) await stack.process(name).stop()
    await Promise.all(names.map((name) => stack.process(name).start()))
    await Promise.all(names.map((name) => stack.process(name).ready()))
    note({ what: `restart of ${what}`, killed: [], at: now() })
  }

  /** Resolves when all processes are ready and a checkout that began after the last fault has succeeded. */
  const recovered = async (): Promise<void> => {
    await Promise.all(stack.names.map((name) => stack.process(name).ready(recoveryMs)))
    for (const fault of faults) fault.readyMs ??= now() - fault.at
    await eventually('a checkout after the fault succeeds', () => since.size === 0, recoveryMs)
  }

  return {
    ...{ stack, random, clientLog, log, faults, failed, onDone, now, kill, strike, hold, restart, recovered },
    succeeded: () => succeeded,
    /** Whether a fault is there after which no checkout succeeded yet. */
    waiting: () => since.size > 0,
  }
}

export type Field = ReturnType<typeof openField> & {
  /** How many rounds to do; of what, the drill says. */
  readonly rounds: number
  /** How long a fault lasts that lasts. */
  readonly holdMs: number
}

/** What a drill found beside what the harness finds: `failures` are bounds that were missed. */
export interface DrillOutcome {
  readonly figures?: Record<string, unknown>
  readonly failures?: readonly string[]
}

export interface Prepared {
  readonly options: Partial<StackOptions>
  readonly close?: () => Promise<void> | void
}

export interface Drill {
  readonly name: string
  /** For people, in a sentence. */
  readonly what: string
  readonly rounds: number
  /** How long a fault lasts that lasts. */
  readonly seconds?: number
  /** What the p99 of recovery may be; `recoveryBound` unless said otherwise. */
  readonly recoveryMs?: number
  /** Comes before the start of the stack, which gets the options. */
  readonly prepare?: (log: (line: string) => void) => Promise<Prepared>
  readonly run: (field: Field) => Promise<DrillOutcome | undefined>
  /** Comes after the audit, when nobody visits the shop any more, and may leave it in any state. */
  readonly afterwards?: (field: Field) => Promise<DrillOutcome>
  /** Another public door than the first gateway's. */
  readonly door?: (stack: Stack) => Promise<{ readonly url: string; readonly close: () => void }>
  /** A client repeats failed requests until it gets a real answer; true unless said otherwise. */
  readonly persist?: boolean
  /** Whether a checkout may end with this, beside being too slow to pay. */
  readonly mayEnd?: (what: string) => boolean
  /** Checks of the audit that this drill makes meaningless, each with the reason. */
  readonly excused?: Readonly<Record<string, string>>
}
