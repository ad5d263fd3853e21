import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** Whoever runs: a process that can be killed, or the world around them. */
export interface Owner {
  readonly name: string
  alive: boolean
  /** Milliseconds by which its clock is ahead. */
  skew: number
  readonly startedAt: number
}

interface Task {
  readonly at: number
  readonly order: number
  readonly owner: Owner
  readonly run: () => void
  /** A poll that comes again and again, or part of one: nobody waits for it. */
  readonly idle: boolean
  cancelled: boolean
}

/** mulberry32. */
export const createRandom = (seed: number) => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return next
}

/** When each run begins. */
const epoch = Date.UTC(2030, 0, 1)

/** Far more than any run takes. */
const mostSteps = 60_000

/** Discrete events in the order of their time; of two at one time the older goes first. */
export const createTimeline = (random: () => number) => {
  const heap: Task[] = []
  let order = 0
  let now = epoch
  let steps = 0
  const world: Owner = { name: 'world', alive: true, skew: 0, startedAt: epoch }
  let current = world
  let idling = false

  const before = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  const push = (task: Task): void => {
    let index = heap.length
    heap.push(task)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Task
      if (!before(task, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = task
  }

  const pop = (): Task | undefined => {
    const top = heap[0]
    const last = heap.pop()
    if (!last || heap.length === 0) return top
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task)) child += 1
      if (!before(heap[child] as Task, last)) break
      heap[index] = heap[child] as Task
      index = child
    }
    heap[index] = last
    return top
  }

  /** What follows from a poll is part of it, unless `idle` says otherwise. */
  const after = (ms: number, owner: Owner, run: () => void, idle = idling): Task => {
    order += 1
    const task = { at: now + Math.max(0, ms), order, owner, run, idle, cancelled: false }
    push(task)
    return task
  }

  const cancel = (task: Task | undefined): void => {
    if (task) task.cancelled = true
  }

  /** All that follows from what was resumed, up to where it waits again. */
  const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

  /** Runs what falls due up to a moment. */
  const runUntil = async (until: number): Promise<void> => {
    for (;;) {
      const next = heap[0]
      if (!next || next.at > until) break
      pop()
      if (next.cancelled) continue
      next.cancelled = true
      if (!next.owner.alive) continue
      now = Math.max(now, next.at)
      current = next.owner
      idling = next.idle
      steps += 1
      if (steps > mostSteps) throw new Error(`it does not come to rest: ${steps} steps`)
      next.run()
      await settled()
      current = world
      idling = false
    }
    now = Math.max(now, until)
  }

  return {
    ...{ world, random, after, cancel, runUntil },
    current: () => current,
    now: () => now,
    /** Whole milliseconds since 1970. */
    clock: () => Math.floor(now),
    /** The clock jumps: what would have happened meanwhile happens late. */
    jump: (ms: number): void => {
      now += ms
    },
    steps: () => steps,
    /** Milliseconds until the next thing that someone waits for; undefined when nothing is under way. */
    busyIn: (): number | undefined => {
      let first: number | undefined
      for (const { at, idle, cancelled, owner } of heap)
        if (!idle && !cancelled && owner.alive && (first === undefined || at < first)) first = at
      return first === undefined ? undefined : first - now
    },
    sleep: (ms: number, owner = current): Promise<void> =>
      new Promise((resolve) => void after(ms, owner, resolve)),
  }
}

export type Timeline = ReturnType<typeof createTimeline>

let active: Timeline | undefined
let drawn = false

const real = {
  ...{ Date: globalThis.Date, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout },
  ...{ random: Math.random, uptime: process.uptime.bind(process), randomFillSync: crypto.randomFillSync },
}

const clock = () => (active ? active.clock() + active.current().skew : real.Date.now())

/** For good: time, timers and randomness come from the timeline that is active, and while none is from the machine. */
export const takeOverTime = (): void => {
  class VirtualDate extends real.Date {
    constructor(...given: number[]) {
      super(...((given.length === 0 ? [clock()] : given) as [number]))
    }
    static override now = clock
  }
  globalThis.Date = VirtualDate as DateConstructor
  const patched = {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      if (!active) return real.setTimeout(run, ms, ...args)
      // Polls and deadlines keep nobody waiting.
      const task = active.after(Math.max(1, ms), active.current(), () => run(...args), true)
      return Object.assign(task, { unref: () => task, ref: () => task })
    },
    clearTimeout: (timer: unknown) =>
      active && timer && typeof timer === 'object' && 'cancelled' in timer
        ? active.cancel(timer as Task)
        : real.clearTimeout(timer as NodeJS.Timeout),
  }
  Object.assign(globalThis, patched)
  Math.random = () => (active ? active.random() : real.random())
  process.uptime = () => (active ? (active.now() - active.current().startedAt) / 1000 : real.uptime())
  crypto.randomFillSync = ((buffer: Buffer) => {
    drawn = true
    if (!active) return real.randomFillSync(buffer)
    for (let index = 0; index + 4 <= buffer.length; index += 4)
      buffer.writeUInt32LE(active.random() * 4294967296, index)
    return buffer
  }) as typeof crypto.randomFillSync
  syncBuiltinESMExports()
}

/** From now on time is this timeline's. `newId` draws ids from a stock of random bytes, which is used up first. */
export const activate = (timeline: Timeline | undefined, newId: () => string): void => {
  active = timeline
  if (!timeline) return
  drawn = false
  while (!drawn) newId()
}
