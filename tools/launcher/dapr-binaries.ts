import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { buildOnce, cacheFolder, haveGo } from './go-build.ts'

const programs = ['daprd', 'placement', 'scheduler'] as const

export type DaprBinaries = Record<(typeof programs)[number] | 'sentry', string>

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

const ownFolder = (version: string) => cacheFolder(`dapr-${version}`)

/** An installed Dapr of the pinned minor version: on PATH, in ~/.dapr/bin, or built before. */
export const findDapr = (version: string): DaprBinaries | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), join(homedir(), '.dapr/bin'), ownFolder(version)]
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
  if (!haveGo())
    throw new Error(
      `no Dapr ${version} found: run "dapr init --slim", or install Go (https://go.dev/dl) to build it`,
    )
  const folder = ownFolder(version)
  log(`building Dapr ${version} with Go, once on this machine; this takes about five minutes`)
  await build(root, version, programs, folder, log)
  return inFolder(folder)
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
  await build(root, version, ['sentry'], folder, log)
  return join(folder, 'sentry')
}

const build = (
  root: string,
  version: string,
  names: readonly string[],
  folder: string,
  log: (line: string) => void,
) =>
  buildOnce(
    {
      ...{ what: `Dapr ${version}`, module: join(root, 'tools/dapr'), folder },
      packages: names.map((name) => `github.com/dapr/dapr/cmd/${name}`),
      flags: [
        ...['-tags', 'allcomponents'],
        ...['-ldflags', `-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${version}`],
      ],
    },
    log,
  )
