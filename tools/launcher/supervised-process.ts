import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Guard } from './guard.ts'
import { type Probe, probe } from './probe.ts'

export type Ports = Record<string, number>

export type ProcessSpec = {
  name: string
  file: string
  args: string[]
  cwd: string
  env: Record<string, string>
  ports: Ports
  probe: Probe
  logFile: string
  /** Set when `file` is the Docker client: signals go to this container. */
  container?: string
}

export type StackProcess = {
  readonly name: string
  readonly pid: number | undefined
  /** Where its ports are. */
  readonly host: string
  readonly ports: Ports
  readonly logFile: string
  running(): boolean
  /** Sends a signal; after SIGKILL, resolves when the process has ended. A supervised process is then started again. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Ends the process and keeps it down until `start()`: SIGTERM, and SIGKILL 8 s later. */
  stop(): Promise<void>
  /** Starts the process unless it runs; resolves at once, use `ready` to wait for it. */
  start(): Promise<void>
  /**
   * Resolves when the process answers its probe. Throws, with the end of its log, after the deadline, or after five exits of one
   * that never answered: what served once may only be waiting for another that died with it.
   */
  ready(deadlineMs?: number): Promise<void>
}

type Surroundings = {
  guard: Guard
  restart: boolean
  log: (line: string) => void
  changed: () => void
}

const graceMs = 8000
const firstBackoffMs = 200
const lastBackoffMs = 5000
const steadyMs = 10_000
const hopelessExits = 5

/**
 * As SCHED_BATCH (sched(7)), where there is one: a process that wakes up does not preempt the one that runs, which ends
 * its work with warm caches. On few cores that is a third more checkouts, by `npm run bench -- f`.
 */
const batchPolicy = spawnSync('chrt', ['--batch', '0', 'true']).status === 0 ? ['chrt', '--batch', '0'] : []

/** A child process of this one, in its own process group, started again when it dies unless `stop()` was called. */
export const superviseProcess = (
  spec: ProcessSpec,
  { guard, restart, log, changed }: Surroundings,
): StackProcess => {
  let child: ChildProcess | undefined
  let wanted = false
  let exits = 0
  let served = false
  let retry: NodeJS.Timeout | undefined

  const launch = () => {
    const output = openSync(spec.logFile, 'a', 0o600)
    const startedAt = Date.now()
    const [file, ...args] = guard.wrap([...batchPolicy, spec.file, ...spec.args])
    const launched = spawn(file as string, args, {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    child = launched
    const ended = (reason: string) => {
      if (child !== launched) return
      child = undefined
      guard.ended(spec.name)
      if (wanted) {
        exits = Date.now() - startedAt > steadyMs ? 1 : exits + 1
        log(`${spec.name} ended (${reason})${restart ? ', starting it again' : ''}`)
        const backoff = Math.min(lastBackoffMs, firstBackoffMs * 2 ** (exits - 1))
        if (restart) retry = setTimeout(launch, backoff)
      }
      changed()
    }
    launched.on('exit', (code, signal) => ended(signal ?? `exit ${code}`))
    launched.on('error', (error) => ended(error.message))
    if (launched.pid) guard.started(spec.name, launched.pid, spec.container)
    changed()
  }

  const send = (signal: NodeJS.Signals) => {
    if (!child?.pid) return
    if (spec.container) spawnSync('docker', ['kill', '--signal', signal, spec.container], { stdio: 'ignore' })
    else signalGroup(child.pid, signal)
  }

  const ended = async (deadlineMs: number) => {
    const watched = child
    const deadline = Date.now() + deadlineMs
    while (watched && child === watched && Date.now() < deadline) await sleep(10)
    return !watched || child !== watched
  }

  const process: StackProcess = {
    name: spec.name,
    host: '127.0.0.1',
    ports: spec.ports,
    logFile: spec.logFile,
    get pid() {
      return child?.pid
    },
    running: () => child !== undefined,
    async kill(signal) {
      send(signal)
      if (signal === 'SIGKILL') await ended(graceMs)
    },
    async stop() {
      wanted = false
      clearTimeout(retry)
      send('SIGTERM')
      send('SIGCONT')
      if (await ended(graceMs)) return
      send('SIGKILL')
      await ended(graceMs)
    },
    async start() {
      if (wanted && (child || restart)) return
      wanted = true
      exits = 0
      if (!child) launch()
    },
    async ready(deadlineMs = 180_000) {
      await untilReady(spec, deadlineMs, () => {
        if (exits >= hopelessExits && !served) return 'ended'
        return child ? 'running' : 'down'
      })
      served = true
    },
  }
  return process
}

/** Signals a process and whatever it started. A process that is already gone is no error. */
export const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Polls every 50 ms until a running process answers its probe. `state` 'ended' means that waiting is of no use. */
export const untilReady = async (
  spec: Pick<ProcessSpec, 'name' | 'logFile' | 'probe'>,
  deadlineMs: number,
  state: () => 'running' | 'down' | 'ended',
): Promise<void> => {
  const deadline = Date.now() + deadlineMs
  while (!(state() === 'running' && (await probe(spec.probe)))) {
    const hopeless = state() === 'ended'
    if (hopeless || Date.now() > deadline) {
      const what = hopeless ? 'ends each time it is started' : `is not ready after ${deadlineMs / 1000} s`
      throw new Error(`${spec.name} ${what}; the end of ${spec.logFile}:\n${lastLines(spec.logFile)}`)
    }
    await sleep(50)
  }
}

const lastLines = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
