import { readFileSync } from 'node:fs'

/**
 * KiB, as Linux counts them (proc_pid_smaps_rollup(5)): `rss` has a page in each process that maps it, `pss` shares it out among them;
 * `own` is what no other process maps, `anonymous` what is of no file: heap and stacks.
 */
export type Memory = { rss: number; pss: number; own: number; anonymous: number }

/** Throws when there is no such process. */
export const readMemory = (pid: number): Memory => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return {
    rss: kilobytes('Rss'),
    pss: kilobytes('Pss'),
    own: kilobytes('Private_Clean') + kilobytes('Private_Dirty'),
    anonymous: kilobytes('Anonymous'),
  }
}
