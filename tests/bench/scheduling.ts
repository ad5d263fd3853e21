import { execFileSync } from 'node:child_process'
import type { Stack } from '../../tools/launcher/stack.ts'
import { concurrency, realCheckouts } from './checkouts.ts'
import type { Leg, Part } from './rounds.ts'

/** What the kernel's scheduling policy for the shop's processes (sched(7)) is worth. The launcher's is SCHED_BATCH. */
export const scheduling = async (stack: Stack): Promise<Part> => {
  const run = await realCheckouts(stack)
  const under = (policy: 'batch' | 'other') => {
    for (const name of stack.names)
      execFileSync('chrt', ['--all-tasks', `--${policy}`, '--pid', '0', String(stack.process(name).pid)])
  }
  const leg = (policy: 'batch' | 'other'): Leg => ({
    name: `SCHED_${policy.toUpperCase()}`,
    run: (milliseconds) => {
      under(policy)
      return run(milliseconds)
    },
  })
  return {
    letter: 'f',
    title: 'Checkouts by the kernel’s scheduling policy',
    about:
      `The real checkout of (b), ${concurrency} at a time, with every process of the shop under one policy or the other. ` +
      'Under SCHED_BATCH a process that wakes up does not preempt the one that runs.',
    base: 'SCHED_OTHER',
    legs: [leg('other'), leg('batch')],
    legMs: 10_000,
    warmUpMs: 0,
    close: async () => under('batch'),
  }
}
