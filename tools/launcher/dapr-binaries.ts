import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { buildDapr, builtComponents, builtFolder } from './dapr-build.ts'
import { downloadDapr, type Release } from './dapr-release.ts'
import { cacheFolder, haveGo, withLock } from './go-build.ts'
import { componentTypes } from './resources.ts'

const programs = ['daprd', 'placement', 'scheduler'] as const

export type DaprBinaries = Record<(typeof programs)[number] | 'sentry', string> & {
  /** What its daprd can use, where that is not all that Dapr has. */
  components?: readonly string[]
}

/** The programs of a folder, be they there or not; nothing is said of what its daprd can use. */
const daprIn = (folder: string): DaprBinaries => ({
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
export const releaseFolder = (version: string): string => cacheFolder(`dapr-${version}`)

/** The first of these folders that has a Dapr of the pinned minor version. */
export const firstDapr = (root: string, folders: readonly string[]): DaprBinaries | undefined => {
  const version = daprVersion(root)
  const own = builtFolder(root, version)
  return folders
    .filter((folder) => programs.every((program) => existsSync(join(folder, program))))
    .map((folder) => ({
      ...daprIn(folder),
      ...(folder === own ? { components: builtComponents(root) } : {}),
    }))
    .find(({ daprd }) => sameMinor(versionOf(daprd), version))
}

/** A Dapr of the pinned minor version that somebody installed: on PATH or in ~/.dapr/bin. */
export const installedDapr = (root: string): DaprBinaries | undefined =>
  firstDapr(root, [...(process.env.PATH ?? '').split(delimiter), join(homedir(), '.dapr/bin')])

/** An installed Dapr of the pinned minor version, or else one that was downloaded or built before. */
export const findDapr = (root: string): DaprBinaries | undefined => {
  const version = daprVersion(root)
  return installedDapr(root) ?? firstDapr(root, [releaseFolder(version), builtFolder(root, version)])
}

/**
 * Finds Dapr's programs; else fetches the official ones, where the network allows; else builds them with Go into the user's
 * cache folder, once per machine. Of two launchers at once the second waits and takes what the first has got. Throws when nothing of
 * that is possible.
 */
export const provideDapr = async (
  root: string,
  log: (line: string) => void,
  place: Pick<Release, 'from' | 'patienceMs'> = {},
): Promise<DaprBinaries> => {
  const found = findDapr(root)
  if (found) return found
  const version = daprVersion(root)
  return withLock(
    `${releaseFolder(version)}.lock`,
    async () => findDapr(root) ?? (await fetchDapr(version, place, log)) ?? (await buildOwnDapr(root, log)),
    (holder) => log(`process ${holder} is getting Dapr ${version}: waiting for it`),
  )
}

/** The official release; undefined when it cannot be had, and the log says why. */
const fetchDapr = async (
  version: string,
  place: Pick<Release, 'from' | 'patienceMs'>,
  log: (line: string) => void,
): Promise<DaprBinaries | undefined> => {
  const folder = releaseFolder(version)
  try {
    log(`Dapr ${version} is not installed: trying its official release`)
    await downloadDapr({ version, programs: [...programs, 'sentry'], folder, ...place }, log)
    return daprIn(folder)
  } catch (error) {
    log(`no release: ${(error as Error).message}`)
    return undefined
  }
}

/** A Dapr with the listed components, built with Go unless it was before. Throws when that is not possible. */
export const buildOwnDapr = async (root: string, log: (line: string) => void): Promise<DaprBinaries> => {
  const version = daprVersion(root)
  const folder = builtFolder(root, version)
  if (!existsSync(folder)) {
    if (!haveGo())
      throw new Error(
        `no Dapr ${version} found: run "dapr init --slim", or install Go (https://go.dev/dl) to build it`,
      )
    log(`building Dapr ${version} with Go, once on this machine; this takes some five minutes on two cores`)
  }
  await buildDapr(root, version, programs, folder, log)
  return { ...daprIn(folder), components: builtComponents(root) }
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
 * The path of a program of Dapr's control plane that a shop seldom needs: beside the others, or else built, once per machine, since
 * `dapr init` does not install it. Throws when Go is missing or the build fails.
 */
export const provideControlPlane = async (
  root: string,
  { sentry }: DaprBinaries,
  program: 'sentry' | 'operator' | 'injector',
  log: (line: string) => void,
): Promise<string> => {
  const beside = join(dirname(sentry), program)
  if (existsSync(beside)) return beside
  const version = daprVersion(root)
  const folder = cacheFolder(`${program}-${version}`)
  if (!existsSync(folder) && !haveGo())
    throw new Error(`no ${program} at ${beside}: put it there, or install Go (https://go.dev/dl) to build it`)
  await buildDapr(root, version, [program], folder, log)
  return join(folder, program)
}
