import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Stack } from '../../tools/launcher/stack.ts'

export interface ProcessFigures {
  /** User and system together, of the process and its children. */
  readonly cpuSeconds: number
  /** Of one processor, on average. */
  readonly cores: number
  readonly rssKiB: { readonly start: number; readonly end: number; readonly max: number }
  /** Least squares over samples 5 s apart; null for less than a minute. */
  readonly rssSlopeKiBPerMinute: number | null
  /** How often it was found to be another process than before. */
  readonly restarts: number
}

export interface Usage {
  readonly processes: Record<string, ProcessFigures>
  /** Of processors, on average: what the rest of the machine did. */
  readonly otherCores: number
}

interface Sample {
  readonly pid: number
  readonly cpu: number
  readonly rss: number
}

/** The kernel's unit of time in /proc, and its page, in KiB. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const pageKiB = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })) / 1024
const sampleMs = 5000

/** Fields 3 and following of /proc/pid/stat (proc(5)), behind the name, which may hold anything; none when it is gone. */
const statOf = (pid: number | string): string[] | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

const usageOf = (pid: number, children: ReadonlyMap<number, number[]>): Sample | undefined => {
  const fields = statOf(pid)
  if (!fields) return undefined
  let cpu = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  let rss = Number(fields[21]) * pageKiB
  for (const child of children.get(pid) ?? []) {
    const usage = usageOf(child, children)
    cpu += usage?.cpu ?? 0
    rss += usage?.rss ?? 0
  }
  return { pid, cpu, rss }
}

const childrenOf = (): Map<number, number[]> => {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statOf(name)?.[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  return children
}

/** CPU time of all processes since the machine started: the first line of /proc/stat without idle and I/O wait. */
const machineSeconds = (): number => {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/) ?? []
  // The last two, of guests, are part of the first two.
  const busy = ticks.slice(0, 8).filter((_, index) => index !== 3 && index !== 4)
  return busy.reduce((sum, each) => sum + Number(each), 0) / ticksPerSecond
}

/** Least squares of KiB over minutes. */
const slope = (points: readonly (readonly [number, number])[]): number => {
  const meanOf = (part: 0 | 1) => points.reduce((sum, point) => sum + point[part], 0) / points.length
  const [x, y] = [meanOf(0), meanOf(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}

/**
 * Watches CPU time and resident memory of each process of a stack and of this process (`load generator`; it is also the
 * launcher where the stack was started from here) by /proc, from now until `stop`.
 */
export const openProcessMeter = (stack: Stack) => {
  const samples = new Map<string, (Sample & { readonly at: number })[]>()
  const sample = () => {
    const at = performance.now()
    const children = childrenOf()
    const note = (name: string, usage: Sample | undefined) => {
      if (usage) samples.set(name, [...(samples.get(name) ?? []), { ...usage, at }])
    }
    for (const name of stack.names) {
      const { pid } = stack.process(name)
      if (pid) note(name, usageOf(pid, children))
    }
    // Without its children, which are the stack where it was started from here.
    note('load generator', usageOf(process.pid, new Map()))
  }
  const begun = { at: performance.now(), machine: machineSeconds() }
  sample()
  const timer = setInterval(sample, sampleMs)

  const figures = (all: readonly (Sample & { readonly at: number })[]): ProcessFigures => {
    const [first, last] = [all[0], all.at(-1)] as [Sample & { at: number }, Sample & { at: number }]
    let cpuSeconds = 0
    let restarts = 0
    for (const [index, { pid, cpu }] of all.entries()) {
      const before = all[index - 1]
      if (!before) continue
      // Of one that was replaced, what it used after its last sample is not known.
      if (before.pid !== pid) restarts += 1
      cpuSeconds += before.pid === pid ? Math.max(0, cpu - before.cpu) : cpu
    }
    const minutes = (last.at - first.at) / 60_000
    return {
      ...{ cpuSeconds, cores: minutes > 0 ? cpuSeconds / (minutes * 60) : 0, restarts },
      rssKiB: { start: first.rss, end: last.rss, max: Math.max(...all.map(({ rss }) => rss)) },
      rssSlopeKiBPerMinute: minutes >= 1 ? slope(all.map(({ at, rss }) => [at / 60_000, rss])) : null,
    }
  }

  return {
    stop(): Usage {
      clearInterval(timer)
      sample()
      const busy = machineSeconds() - begun.machine
      const seconds = (performance.now() - begun.at) / 1000
      const processes = Object.fromEntries([...samples].map(([name, all]) => [name, figures(all)]))
      const own = Object.values(processes).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
      return { processes, otherCores: Math.max(0, busy - own) / seconds }
    },
  }
}
