import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { openControl } from './control.ts'
import { prepareDatabases } from './databases.ts'
import type { Environment } from './environment.ts'
import { type Guard, openGuard } from './guard.ts'
import { portPool } from './ports.ts'
import { prepareStack, type StackPlan } from './prepare-stack.ts'
import type { Secrets, Tokens } from './secrets.ts'
import { repository, stackFolder } from './stack-file.ts'
import { type ProcessSpec, type StackProcess, superviseProcess } from './supervised-process.ts'
import { writePrivately } from './write-privately.ts'

export type StackOptions = StackPlan & {
  /** Whether a process that dies is started again. True unless said otherwise. */
  restart?: boolean
  /** Ends a start that is under way; `startStack` then throws when all is down again. */
  signal?: AbortSignal
}

export type Stack = {
  profile: string
  dir: string
  /** Of the first gateway. */
  url: string
  /** Of each replica of the gateway. */
  urls: string[]
  pspUrl: string
  /** The page of the sandbox that all mail ends in. */
  mailUrl: string
  secrets: Secrets
  tokens: Record<string, Tokens>
  /** May do all, on every database of the stack. */
  mysqlAdminUrl: string
  /** Addresses of this stack that a sidecar gets by environment. */
  sidecarEnvironment: Environment
  names: string[]
  /** `orders`, `orders-2`, `orders.sidecar`, `mysql`, `redis`, `sentry`, `placement`, `scheduler`, `psp-sandbox`. */
  process(name: string): StackProcess
  logs(name: string): string
  stop(): Promise<void>
}

/**
 * Starts MySQL, Redis, Dapr's control plane and every app of dapr.yaml with its sidecar, and resolves when all of them
 * are ready. When one does not get ready, everything is stopped and the error names it and ends with its log.
 * No process outlives this one. Must run on the main thread: the kernel ties a child's life to the thread that began it.
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  if (!isMainThread) throw new Error('a stack is started from the main thread')
  const { signal } = options
  signal?.throwIfAborted()
  const dir = stackFolder(options.profile, options.root ?? repository)
  mkdirSync(dir, { recursive: true, mode: 0o700 })

  const crew = superviseAll(dir, options)
  const control = await openControl(dir, async (request) => {
    if (request.action === 'end') return void process.kill(process.pid, 'SIGTERM')
    const target = crew.find(request.process)
    await (request.action === 'kill' ? target.kill(request.signal) : target[request.action]())
  })
  const stop = async () => {
    await crew.stop()
    await new Promise((closed) => control.close(closed))
  }
  const interrupted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('the start was interrupted')))
  })
  try {
    return await Promise.race([startAll(dir, options, crew, stop), interrupted])
  } catch (error) {
    await stop()
    throw error
  }
}

const startAll = async (
  dir: string,
  options: StackOptions,
  crew: Crew,
  stop: () => Promise<void>,
): Promise<Stack> => {
  const { log = () => {} } = options
  const { authority, backing, support, apps, services, about } = await prepareStack(options, dir, crew.pool)
  const waves = [authority, backing, support, ...apps]
  const names = waves.flat().map(({ name }) => name)
  const { secrets, ...shown } = about
  const secretsFile = join(dir, 'secrets.json')
  crew.take(waves, { ...shown, names, pid: process.pid, startedAt: new Date().toISOString(), secretsFile })

  const databases = crew.up(backing).then(() => prepareDatabases(about.mysqlAdminUrl, services, secrets))
  await Promise.all([databases, crew.up(authority).then(() => crew.up(support))])
  log('MySQL, Redis, the card provider and Dapr’s control plane are ready')
  for (const wave of apps) {
    await crew.up(wave)
    log(`${wave.flatMap((spec) => (isSidecar(spec) ? [] : spec.name)).join(', ')} ready`)
  }
  const logs = (name: string) => readFileSync(crew.find(name).logFile, 'utf8')
  return { ...about, names, process: crew.find, logs, stop }
}

const isSidecar = ({ name }: ProcessSpec) => name.endsWith('.sidecar')

type Crew = ReturnType<typeof superviseAll>

/** The processes of a stack as a whole. Each change among them is written to stack.json. */
const superviseAll = (dir: string, { restart = true, log = () => {} }: StackOptions) => {
  const pool = portPool()
  const file = join(dir, 'stack.json')
  const processes = new Map<string, StackProcess>()
  let waves: ProcessSpec[][] = []
  let about: object = {}
  let stopping = false
  let guard: Guard | undefined

  const find = (name: string) => {
    const found = processes.get(name)
    if (!found) throw new Error(`no process is called ${name}: ${[...processes.keys()].join(', ')}`)
    return found
  }
  const record = ({ name, ports, logFile, probe }: ProcessSpec) => [
    name,
    { pid: processes.get(name)?.pid ?? null, ports, logFile, probe },
  ]
  const changed = () => {
    if (!stopping) writePrivately(file, { ...about, processes: Object.fromEntries(waves.flat().map(record)) })
  }
  const down = (specs: ProcessSpec[]) => Promise.all(specs.map(({ name }) => find(name).stop()))

  return {
    find,
    pool,
    /** Learns what to run, in waves, and what stack.json says of the stack beside its processes. */
    take(specs: ProcessSpec[][], description: object) {
      waves = specs
      about = description
      const surroundings = { guard: openGuard(), restart, log, changed }
      guard = surroundings.guard
      for (const spec of waves.flat()) processes.set(spec.name, superviseProcess(spec, surroundings))
    },
    async up(specs: ProcessSpec[]) {
      if (stopping) return
      for (const { name } of specs) find(name).start()
      await Promise.all(specs.map(({ name }) => find(name).ready()))
    },
    /** The last wave first, in each the apps before their sidecars, which they may still need. */
    async stop() {
      stopping = true
      for (const wave of waves.toReversed()) {
        await down(wave.filter((spec) => !isSidecar(spec)))
        await down(wave.filter(isSidecar))
      }
      rmSync(file, { force: true })
      guard?.close()
      pool.close()
    },
  }
}
