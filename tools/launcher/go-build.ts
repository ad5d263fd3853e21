import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
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
 * Builds programs with Go unless their folder is there. Two launchers do not build at once, and an interrupted build
 * leaves no folder. Throws with the end of Go's output when it fails.
 */
export const buildOnce = async (wanted: GoBuild, log: (line: string) => void): Promise<void> => {
  mkdirSync(join(wanted.folder, '..'), { recursive: true })
  await withLock(`${wanted.folder}.lock`, async () => {
    if (!existsSync(wanted.folder)) await build(wanted, log)
  })
}

const build = async (
  { what, module, packages, flags = [], prepare = () => [], folder }: GoBuild,
  log: (line: string) => void,
) => {
  const unfinished = `${folder}.${process.pid}`
  const scratch = `${unfinished}.scratch`
  for (const made of [unfinished, scratch]) mkdirSync(made)
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

/** Runs `work` while a file holds this process's id; a file left by a dead process does not count. */
const withLock = async (file: string, work: () => Promise<void>) => {
  const claim = () => {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return true
    } catch {
      const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
      if (holder && !isAlive(holder)) rmSync(file, { force: true })
      return false
    }
  }
  while (!claim()) await sleep(500)
  try {
    await work()
  } finally {
    rmSync(file, { force: true })
  }
}
