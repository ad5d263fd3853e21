import { spawn } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openGuard } from '../launcher/guard.ts'

export type Program = { name: string; command: readonly string[] }

export type Machine = {
  /** Nothing of it goes on: what runs in it gets no time to end, as when the power fails. */
  crash: () => Promise<void>
  start: () => Promise<void>
}

/** For the kernel to end what was killed. */
const endMs = 20_000

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`

/**
 * First in the machine: mounts of its own, seen by those that it starts, and an empty /run, so that it meets nothing of this machine. A
 * program that ends is started again, as an init system does.
 */
const script = (programs: readonly Program[], group: string, logs: string): string =>
  [
    ...groups(group)
      .filter((folder) => existsSync(join(folder, 'cpu.shares')) || existsSync(join(folder, 'cpu.weight')))
      .map((folder) => `echo 0 >${quoted(join(folder, own, 'cgroup.procs'))}`),
    'mount --make-rshared /',
    'mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock',
    ...programs.map(
      ({ name, command }) =>
        `(while :; do ${command.map(quoted).join(' ')} >>${quoted(join(logs, `${name}.log`))} 2>&1 || :; sleep 0.3; done) &`,
    ),
    'wait',
  ].join('\n')

/** Where a control group of that name is: version 2 of them has one tree, version 1 one for each controller. */
const groups = (name: string): string[] => {
  const root = '/sys/fs/cgroup'
  const trees = existsSync(join(root, 'cgroup.controllers'))
    ? [root]
    : globSync(join(root, '*/cgroup.procs')).map((file) => dirname(file))
  return trees.map((tree) => join(tree, name))
}

/** The group of the machine's programs, beside that of the pods, and as heavy as a node of some processors. */
const own = 'system'

const makeGroups = (name: string): void => {
  for (const folder of groups(name)) {
    mkdirSync(folder, { recursive: true })
    // Version 1 leaves these empty, and takes no process then.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(folder, file)))
        writeFileSync(join(folder, file), readFileSync(join(dirname(folder), file)))
    // By itself the whole cluster would get as much of a busy processor as one process of this machine or two.
    for (const [file, most] of Object.entries({ 'cpu.shares': '262144', 'cpu.weight': '10000' }))
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), most)
    // For what runs beside the pods: it must not be the first to starve.
    const system = join(folder, own)
    mkdirSync(system, { recursive: true })
    if (existsSync(join(system, 'cpu.shares'))) writeFileSync(join(system, 'cpu.shares'), '8192')
  }
}

/** They outlive what was in them. */
const removeGroups = async (name: string): Promise<void> => {
  const remove = async (folder: string): Promise<void> => {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) await remove(join(folder, entry.name))
    // Busy while the last of its processes still ends.
    for (const end = Date.now() + endMs; ; await sleep(100))
      try {
        return rmdirSync(folder)
      } catch (error) {
        if (Date.now() > end) throw error
      }
  }
  for (const folder of groups(name)) if (existsSync(folder)) await remove(folder)
}

/**
 * A machine inside of this one, by namespaces of Linux for its processes and mounts; the network is that of the caller. It ends with this
 * process. `group` is the control group for what it starts. By root only.
 */
export const openMachine = (programs: readonly Program[], group: string, logs: string): Machine => {
  const guard = openGuard()
  let ended: Promise<unknown> | undefined
  let kill = (): void => {}
  const start = async (): Promise<void> => {
    // Of one that was killed.
    await removeGroups(group)
    makeGroups(group)
    mkdirSync(logs, { recursive: true })
    const output = openSync(join(logs, 'machine.log'), 'a')
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc']
    const [file = '', ...args] = guard.wrap([
      'unshare',
      ...namespaces,
      '--',
      'bash',
      '-euc',
      script(programs, group, logs),
    ])
    const child = spawn(file, args, { stdio: ['ignore', output, output], detached: true })
    ended = new Promise((done) => child.once('exit', done))
    kill = () => void child.kill('SIGKILL')
    if (child.pid) guard.started('machine', child.pid)
  }
  const crash = async (): Promise<void> => {
    kill()
    await ended
    await removeGroups(group)
  }
  return { start, crash }
}
