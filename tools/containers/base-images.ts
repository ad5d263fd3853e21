import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { canInstall, install } from '../launcher/apt.ts'
import { provideControlPlane, provideDapr } from '../launcher/dapr-binaries.ts'
import { findProgram } from '../launcher/programs.ts'
import { repository } from '../launcher/stack-file.ts'
import { capture } from './docker.ts'

type Log = (line: string) => void

/** Makes an image of this name. */
export type StandIn = (docker: string, image: string) => Promise<void>

const debian = 'debian:bookworm-slim'
const places = join(import.meta.dirname, 'images')

/**
 * Provides images that others make: those that are there, else from their registry, else, where that does not answer, stand-ins from
 * Debian's and npm's packages and our own build of Dapr, with the same variables, commands and users as far as the shop needs them; `more`
 * has those of further images.
 */
export const provideImages = async (
  docker: string,
  images: readonly string[],
  log: Log,
  more: Record<string, StandIn> = {},
): Promise<void> => {
  let reachable = true
  for (const image of images) {
    if (has(docker, image) || (reachable && pull(docker, image))) continue
    reachable = false
    await make(docker, image, log, more[image])
  }
}

const succeeds = (docker: string, ...args: string[]): boolean => {
  try {
    capture([docker, ...args])
    return true
  } catch {
    return false
  }
}
const has = (docker: string, image: string) => succeeds(docker, 'image', 'inspect', image)
const pull = (docker: string, image: string) => succeeds(docker, 'pull', '--quiet', image)

const build = (docker: string, image: string, folder: string, ...more: string[]) =>
  capture([docker, 'build', '--quiet', '--tag', image, ...more, folder], { DOCKER_BUILDKIT: '1' })

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-image-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const make = async (docker: string, image: string, log: Log, other?: StandIn): Promise<void> => {
  const [name = ''] = image.split(':')
  log(`${image} cannot be pulled: making a stand-in`)
  if (image === debian) return makeDebian(docker, log)
  await provideDebian(docker, log)
  if (other) return other(docker, image)
  if (name === 'node') return makeNode(docker, image)
  if (name.startsWith('daprio/')) return makeDapr(docker, image, log)
  if (name === 'registry.k8s.io/pause')
    return inFolder(async (folder) => {
      build(docker, image, folder, '--file', join(places, 'pause.Dockerfile'))
    })
  const place = { mysql: 'mysql', redis: 'redis', 'nginxinc/nginx-unprivileged': 'nginx' }[name]
  if (!place) throw new Error(`there is no stand-in for ${image}`)
  build(docker, image, join(places, place))
}

const provideDebian = async (docker: string, log: Log) => {
  if (!has(docker, debian)) await makeDebian(docker, log)
}

const makeDebian = (docker: string, log: Log): Promise<void> =>
  inFolder(async (folder) => {
    if (!findProgram('debootstrap') && canInstall()) install(['debootstrap', 'debian-archive-keyring'], log)
    const packages = ['--variant=minbase', '--include=ca-certificates', 'bookworm']
    capture(['debootstrap', ...packages, join(folder, 'root')])
    for (const waste of [
      'var/cache/apt/archives',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
      'var/lib/apt/lists',
    ])
      rmSync(join(folder, 'root', waste), { recursive: true })
    for (const needed of ['var/cache/apt/archives/partial', 'var/lib/apt/lists/partial'])
      mkdirSync(join(folder, 'root', needed), { recursive: true })
    capture(['tar', '-C', join(folder, 'root'), '-cf', join(folder, 'root.tar'), '.'])
    capture([docker, 'import', join(folder, 'root.tar'), debian])
  })

/** The locked Node, with this machine's npm. */
const makeNode = (docker: string, image: string): Promise<void> =>
  inFolder(async (folder) => {
    const npm = dirname(dirname(realpathSync(findProgram('npm') ?? 'npm')))
    await cp(join(repository, 'node_modules/node/bin/node'), join(folder, 'node'))
    await cp(npm, join(folder, 'npm'), { recursive: true })
    build(docker, image, folder, '--file', join(places, 'node.Dockerfile'))
  })

const makeDapr = async (docker: string, image: string, log: Log): Promise<void> => {
  const programs = await provideDapr(repository, log)
  const name = basename(image.split(':')[0] ?? '')
  const own = ['sentry', 'operator', 'injector'] as const
  const ofCluster = own.find((each) => each === name)
  const program = ofCluster
    ? await provideControlPlane(repository, programs, ofCluster, log)
    : programs[name as 'daprd']
  return makeOfProgram(docker, image, program, name)
}

/** An image that holds this program, as `/name`. */
export const makeOfProgram = (docker: string, image: string, program: string, name: string): Promise<void> =>
  inFolder(async (folder) => {
    await cp(program, join(folder, 'program'))
    build(docker, image, folder, '--file', join(places, 'program.Dockerfile'), '--build-arg', `NAME=${name}`)
  })

/** The images of docker-compose.yml that are not built of this repository. */
export const foreignImages = (): string[] => {
  const text = readFileSync(join(repository, 'docker-compose.yml'), 'utf8')
  const { services } = parse(text, { merge: true, maxAliasCount: -1 }) as {
    services: Record<string, { image: string; build?: object }>
  }
  return [...new Set(Object.values(services).flatMap(({ image, build }) => (build ? [] : image)))]
}
