import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../launcher/stack-file.ts'
import { readTopology } from '../launcher/topology.ts'
import { capture } from './docker.ts'

export type ImageOptions = {
  apps?: readonly string[]
  registry?: string
  tag?: string
  /** The base, where it is another than the Dockerfile's. */
  nodeImage?: string | undefined
  /** A PEM file of the authorities that npm is to trust as well. */
  ca?: string | undefined
}

const git = (...args: string[]) =>
  spawnSync('git', args, { cwd: repository, encoding: 'utf8' }).stdout?.trim() ?? ''

/** What is committed, and whether more than that is in the image. */
const revision = () =>
  `${git('rev-parse', 'HEAD') || 'unknown'}${git('status', '--porcelain', '--', 'apps', 'packages', 'package-lock.json', 'deploy/Dockerfile') ? '-dirty' : ''}`

/** Builds the image of each app; the names, in the order of dapr.yaml. Throws with the end of the build's output. */
export const buildImages = (docker: string, options: ImageOptions, log: (line: string) => void): string[] => {
  const { apps, outside } = readTopology(repository)
  const all = [...apps, ...outside].map(({ appID }) => appID)
  const unknown = options.apps?.find((app) => !all.includes(app))
  if (unknown) throw new Error(`dapr.yaml has no ${unknown}: ${all.join(', ')}`)
  const { registry = '', tag = 'latest', nodeImage, ca } = options
  const shared = [
    ...['--file', 'deploy/Dockerfile', '--build-arg', `REVISION=${revision()}`],
    ...(nodeImage ? ['--build-arg', `NODE_IMAGE=${nodeImage}`] : []),
    ...(ca ? ['--secret', `id=ca,src=${ca}`] : []),
  ]
  return (options.apps?.length ? options.apps : all).map((app) => {
    const image = `${registry}caravan-${app}:${tag}`
    const began = Date.now()
    capture([docker, 'build', ...shared, '--build-arg', `APP=${app}`, '--tag', image, '.'], {
      DOCKER_BUILDKIT: '1',
    })
    const size = Number(capture([docker, 'image', 'inspect', '--format', '{{.Size}}', image]))
    writeBill(app)
    log(`${image}  ${Math.round(size / 1e6)} MB, ${((Date.now() - began) / 1000).toFixed(1)} s`)
    return image
  })
}

/** CycloneDX, of the locked packages that the app has in production. */
export const billOf = (app: string): string =>
  capture([
    ...['npm', 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--omit', 'dev'],
    ...['--workspace', `apps/${app}`],
  ])

const writeBill = (app: string): void => {
  const folder = join(repository, '.caravan/images')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${app}.cdx.json`), `${billOf(app)}\n`)
}
