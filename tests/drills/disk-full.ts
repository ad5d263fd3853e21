import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stack } from '../../tools/launcher/stack.ts'
import type { Drill } from './field.ts'

const disks = { mysql: '640m', logs: '256m' }
type Disk = keyof typeof disks

const run = (program: string, ...args: string[]): void => {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
}

/** Writes until nothing fits any more. */
const fill = (folder: string): void => {
  const file = openSync(join(folder, 'filler'), 'w')
  for (let size = 1 << 20; size > 0; size >>= 1) {
    const block = Buffer.alloc(size)
    try {
      for (;;) writeSync(file, block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(file)
}

const pidsOf = (stack: Stack) =>
  Object.fromEntries(stack.names.map((name) => [name, stack.process(name).pid]))

let folders: Record<Disk, string>

export const diskFull: Drill = {
  name: 'disk-full',
  what: 'the disk of MySQL’s data, then that of all logs, is full for a while',
  /** Of each disk. */
  rounds: 1,
  seconds: 15,
  prepare: async () => {
    const place = mkdtempSync(join(tmpdir(), 'caravan-disks-'))
    folders = { mysql: join(place, 'mysql'), logs: join(place, 'logs') }
    const mounted: string[] = []
    const close = () => {
      for (const folder of mounted.splice(0)) run('umount', '-l', folder)
      rmSync(place, { recursive: true, force: true })
    }
    process.once('exit', close)
    for (const [disk, folder] of Object.entries(folders)) {
      mkdirSync(folder)
      // Needs Linux and root.
      run('mount', '-t', 'tmpfs', '-o', `size=${disks[disk as Disk]}`, 'drill', folder)
      mounted.push(folder)
    }
    return { options: { disks: folders }, close }
  },
  run: async ({ stack, rounds, holdMs, hold, recovered }) => {
    const complaints = () =>
      readFileSync(stack.process('mysql').logFile, 'utf8').match(/full|No space|(?:errno|Errcode):? "?28/gi)
        ?.length ?? 0
    const before = complaints()
    const ended: Record<string, string[]> = {}
    for (let round = 0; round < rounds; round++)
      for (const [disk, folder] of Object.entries(folders)) {
        const pids = pidsOf(stack)
        await hold(
          `the disk of ${disk} is full`,
          holdMs,
          async () => fill(folder),
          async () => rmSync(join(folder, 'filler')),
        )
        await recovered()
        const after = pidsOf(stack)
        ended[disk] = Object.keys(pids).filter((name) => pids[name] !== after[name])
      }
    const complained = complaints() - before
    return {
      figures: { 'lines of MySQL’s log about it': complained, 'processes that ended by themselves': ended },
      failures: complained === 0 ? ['MySQL did not notice that its disk was full'] : [],
    }
  },
}
