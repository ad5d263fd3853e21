import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './stack-file.ts'

export type GoBuild = {
  /** For people, with the version. */
  what: string
  /** Holds the go.mod that pins everything. */
  module: string
  packages: string[]
  flags?: string[]
  /** Writes what only this build needs into a folder that goes with it; returns the flags that name it. */
  prepare?: (scratch: string) => string[]
  /** Where the programs go, each under the last part of its package. */
  folder: string
}

/** Where programs built for this user stay. */
export const cacheFolder = (name: string): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'caravan', name)

export const haveGo = (): boolean => spawnSync('go', ['version']).status === 0

/**
 * Where Go keeps the source of a module; fetches it when it is not there. `wanted` is one that `module`, a folder with a go.mod,
 * pins, or `path@version`.
 */
export const moduleSource = (module: string, wanted: string): string => {
  const args = ['-C', module, 'mod', 'download', '-json', wanted]
  const { stdout, stderr, status } = spawnSync('go', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the source of ${wanted} could not be had:\n${stderr || stdout}`)
  return JSON.parse(stdout).Dir
}

/**
 * Builds programs with Go unless their folder is there. Two launchers do not build at once, and an interrupted build
 * leaves no folder. Throws with the end of Go's output when it fails.
 */
export const buildOnce = async (wanted: GoBuild, log: (line: string) => void): Promise<void> => {
  await withLock(
    `${wanted.folder}.lock`,
    async () => {
      if (!existsSync(wanted.folder)) await build(wanted, log)
    },
    (holder) => log(`process ${holder} builds ${wanted.what}: waiting for it`),
  )
}

const build = async (
  { what, module, packages, flags = [], prepare = () => [], folder }: GoBuild,
  log: (line: string) => void,
) => {
  const unfinished = `${folder}.${process.pid}`
  const scratch = `${unfinished}.scratch`
  // What is there was left by one that was killed: process ids come again.
  for (const made of [unfinished, scratch]) {
    rmSync(made, { recursive: true, force: true })
    mkdirSync(made)
  }
  const startedAt = Date.now()
  const progress = setInterval(
    () => log(`building ${what}: ${Math.round((Date.now() - startedAt) / 1000)} s`),
    15_000,
  )
  try {
    const all = [...flags, ...prepare(scratch)]
    const go = spawn('go', ['build', '-C', module, ...all, '-o', `${unfinished}/`, ...packages], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    process.once('exit', () => go.kill())
    let output = ''
    go.stderr.on('data', (chunk) => (output += chunk))
    const code = await new Promise((exited) => go.on('close', exited))
    if (code !== 0)
      throw new Error(`${what} could not be built:\n${output.split('\n').slice(-12).join('\n')}`)
    renameSync(unfinished, folder)
  } finally {
    clearInterval(progress)
    for (const left of [unfinished, scratch]) rmSync(left, { recursive: true, force: true })
  }
}

/** The locks that this process holds: a file with its id that is none of them was left by another of the same id. */
const held = new Set<string>()

/**
 * Runs `work` while a file holds this process's id; a file left by a dead process does not count. `waiting` is told once who
 * holds it, when that is another.
 */
export const withLock = async <Result>(
  file: string,
  work: () => Promise<Result>,
  waiting: (holder: number) => void = () => {},
): Promise<Result> => {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  const claim = () => {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      held.add(file)
      return true
    } catch {
      const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
      const lives = holder === process.pid ? held.has(file) : isAlive(holder)
      if (holder && !lives) rmSync(file, { force: true })
      else if (holder && !told) {
        told = true
        waiting(holder)
      }
      return false
    }
  }
  while (!claim()) await sleep(500)
  try {
    return await work()
  } finally {
    held.delete(file)
    rmSync(file, { force: true })
  }
}
