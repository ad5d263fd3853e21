import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { buildDapr, builtComponents, builtFolder } from './dapr-build.ts'
import { downloadDapr } from './dapr-release.ts'
import { cacheFolder, haveGo } from './go-build.ts'
import { componentTypes } from './resources.ts'

const programs = ['daprd', 'placement', 'scheduler'] as const

export type DaprBinaries = Record<(typeof programs)[number] | 'sentry', string> & {
  /** What its daprd can use, where that is not all that Dapr has. */
  components?: readonly string[]
}

const inFolder = (folder: string): DaprBinaries => ({
  daprd: join(folder, 'daprd'),
  placement: join(folder, 'placement'),
  scheduler: join(folder, 'scheduler'),
  sentry: join(folder, 'sentry'),
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

/** Where an official release is kept that was downloaded, or built by an earlier launcher. */
const releaseFolder = (version: string) => cacheFolder(`dapr-${version}`)

/** An installed Dapr of the pinned minor version: on PATH, in ~/.dapr/bin, downloaded or built before. */
export const findDapr = (root: string): DaprBinaries | undefined => {
  const version = daprVersion(root)
  const own = builtFolder(root, version)
  return [
    ...(process.env.PATH ?? '').split(delimiter),
    join(homedir(), '.dapr/bin'),
    releaseFolder(version),
    own,
  ]
    .filter((folder) => programs.every((program) => existsSync(join(folder, program))))
    .map((folder) => ({
      ...inFolder(folder),
      ...(folder === own ? { components: builtComponents(root) } : {}),
    }))
    .find(({ daprd }) => sameMinor(versionOf(daprd), version))
}

/**
 * Finds Dapr's programs; else fetches the official ones, where the network allows; else builds them with Go into the user's
 * cache folder, once per machine. Two launchers do not build at once. Throws when nothing of that is possible.
 */
export const provideDapr = async (root: string, log: (line: string) => void): Promise<DaprBinaries> => {
  const installed = findDapr(root)
  if (installed) return installed
  const version = daprVersion(root)
  const folder = releaseFolder(version)
  try {
    log(`Dapr ${version} is not installed: trying its official release`)
    await downloadDapr({ version, programs: [...programs, 'sentry'], folder }, log)
    return inFolder(folder)
  } catch (error) {
    log(`no release: ${(error as Error).message}`)
  }
  if (!haveGo())
    throw new Error(
      `no Dapr ${version} found: run "dapr init --slim", or install Go (https://go.dev/dl) to build it`,
    )
  log(`building Dapr ${version} with Go, once on this machine; this takes some three minutes`)
  const own = builtFolder(root, version)
  await buildDapr(root, version, programs, own, log)
  return { ...inFolder(own), components: builtComponents(root) }
}

/**
 * Throws when a file of resources names a component that this daprd does not have: it would end at its start with one, and
 * skip a middleware without a word.
 */
export const assertBuilt = ({ daprd, components }: DaprBinaries, files: readonly string[]): void => {
  if (!components) return
  const missing = componentTypes(files.filter((file) => /\.ya?ml$/.test(file))).filter(
    (type) => !components.includes(type),
  )
  if (missing.length > 0)
    throw new Error(
      `the Dapr that was built here (${daprd}) has no ${missing.join(', ')}: add it to tools/dapr/components.txt, or install Dapr ("dapr init --slim")`,
    )
}

/**
 * The path of sentry, Dapr's certificate authority: beside the other programs, or else built, once per machine, since
 * `dapr init` does not install it. Throws when Go is missing or the build fails.
 */
export const provideSentry = async (
  root: string,
  { sentry }: DaprBinaries,
  log: (line: string) => void,
): Promise<string> => {
  if (existsSync(sentry)) return sentry
  const version = daprVersion(root)
  const folder = cacheFolder(`sentry-${version}`)
  if (!existsSync(folder) && !haveGo())
    throw new Error(`no sentry at ${sentry}: put it there, or install Go (https://go.dev/dl) to build it`)
  await buildDapr(root, version, ['sentry'], folder, log)
  return join(folder, 'sentry')
}
