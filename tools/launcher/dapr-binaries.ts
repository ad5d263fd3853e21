import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './stack-file.ts'

const programs = ['daprd', 'placement', 'scheduler'] as const

export type DaprBinaries = Record<(typeof programs)[number], string>

const inFolder = (folder: string): DaprBinaries => ({
  daprd: join(folder, 'daprd'),
  placement: join(folder, 'placement'),
  scheduler: join(folder, 'scheduler'),
})

/** The version of Dapr that tools/dapr pins: the one to build, and by major and minor the one to accept. */
export const pinnedVersion = (goModule: string): string => {
  const version = /^\s*(?:require )?github\.com\/dapr\/dapr v(\S+)/m.exec(goModule)?.[1]
  if (!version) throw new Error('tools/dapr/go.mod names no version of github.com/dapr/dapr')
  return version
}

export const sameMinor = (a: string, b: string): boolean =>
  a.split('.').slice(0, 2).join('.') === b.split('.').slice(0, 2).join('.')

const versionOf = (daprd: string) =>
  spawnSync(daprd, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''

export const daprVersion = (root: string): string =>
  pinnedVersion(readFileSync(join(root, 'tools/dapr/go.mod'), 'utf8'))

const cacheFolder = (version: string) =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'caravan', `dapr-${version}`)

/** An installed Dapr of the pinned minor version: on PATH, in ~/.dapr/bin, or built before. */
export const findDapr = (version: string): DaprBinaries | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), join(homedir(), '.dapr/bin'), cacheFolder(version)]
    .filter((folder) => programs.every((program) => existsSync(join(folder, program))))
    .map(inFolder)
    .find(({ daprd }) => sameMinor(versionOf(daprd), version))

/**
 * Finds Dapr's programs, or builds them with Go into the user's cache folder, once per machine: about five minutes.
 * Two launchers do not build at once. Throws when Go is missing or the build fails.
 */
export const provideDapr = async (root: string, log: (line: string) => void): Promise<DaprBinaries> => {
  const version = daprVersion(root)
  const installed = findDapr(version)
  if (installed) return installed
  if (spawnSync('go', ['version']).status !== 0)
    throw new Error(
      `no Dapr ${version} found: run "dapr init --slim", or install Go (https://go.dev/dl) to build it`,
    )
  const folder = cacheFolder(version)
  mkdirSync(join(folder, '..'), { recursive: true })
  await withLock(`${folder}.lock`, async () => {
    if (!existsSync(folder)) await build(root, version, folder, log)
  })
  return inFolder(folder)
}

const build = async (root: string, version: string, folder: string, log: (line: string) => void) => {
  const unfinished = `${folder}.${process.pid}`
  const packages = programs.map((program) => `github.com/dapr/dapr/cmd/${program}`)
  const ldflags = `-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${version}`
  const args = ['build', '-C', join(root, 'tools/dapr'), '-tags', 'allcomponents', '-ldflags', ldflags]
  mkdirSync(unfinished)
  const startedAt = Date.now()
  const progress = setInterval(
    () => log(`building Dapr ${version}: ${Math.round((Date.now() - startedAt) / 1000)} s`),
    15_000,
  )
  log(`building Dapr ${version} with Go, once on this machine; this takes about five minutes`)
  try {
    const go = spawn('go', [...args, '-o', `${unfinished}/`, ...packages], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    process.once('exit', () => go.kill())
    let output = ''
    go.stderr.on('data', (chunk) => (output += chunk))
    const code = await new Promise((exited) => go.on('close', exited))
    if (code !== 0)
      throw new Error(`Dapr ${version} could not be built:\n${output.split('\n').slice(-12).join('\n')}`)
    renameSync(unfinished, folder)
  } finally {
    clearInterval(progress)
    rmSync(unfinished, { recursive: true, force: true })
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
