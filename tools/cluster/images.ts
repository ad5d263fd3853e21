import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foreignImages, makeOfProgram, provideImages } from '../containers/base-images.ts'
import { capture } from '../containers/docker.ts'
import { daprVersion } from '../launcher/dapr-binaries.ts'
import { repository } from '../launcher/stack-file.ts'
import type { NodePrograms } from './programs.ts'

/** Of the cluster itself. */
export const clusterImages = {
  pause: 'registry.k8s.io/pause:3.10',
  coredns: 'registry.k8s.io/coredns/coredns:v1.15.0',
  metricsServer: 'registry.k8s.io/metrics-server/metrics-server:v0.9.0',
}

export const daprRegistry = 'docker.io/daprio'

const daprImages = ['daprd', 'operator', 'injector', 'placement', 'scheduler', 'sentry'].map(
  (name) => `daprio/${name}:${daprVersion(repository)}`,
)

const ofCompose = (names: RegExp) => foreignImages().filter((image) => names.test(image))

/**
 * Provides what a cluster with Dapr and the shop's stores runs, and what the apps' images are made of. The names of those that a node
 * needs.
 */
export const provideClusterImages = async (
  docker: string,
  programs: NodePrograms,
  log: (line: string) => void,
): Promise<string[]> => {
  const images = [...Object.values(clusterImages), ...daprImages, ...ofCompose(/^(mysql|redis):/)]
  await provideImages(docker, [...ofCompose(/^node:/), ...images], log, {
    [clusterImages.coredns]: (client, image) => makeOfProgram(client, image, programs.coredns, 'coredns'),
    [clusterImages.metricsServer]: (client, image) =>
      makeOfProgram(client, image, programs.metricsServer, 'metrics-server'),
  })
  return images
}

/** Copies images from Docker into a node's containerd, but for those that `folder`, where the node is, had before. */
export const importImages = async (
  docker: string,
  images: readonly string[],
  node: { socket: string },
  folder: string,
): Promise<number> => {
  const record = join(folder, 'images.json')
  const had: Record<string, string> = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {}
  const ids = Object.fromEntries(
    images.map((image) => [image, capture([docker, 'image', 'inspect', '--format', '{{.Id}}', image])]),
  )
  const missing = images.filter((image) => had[image] !== ids[image])
  if (missing.length === 0) return 0
  const save = spawn(docker, ['save', ...missing], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ctr = ['--address', node.socket, '--namespace', 'k8s.io', 'images', 'import']
  const load = spawn('ctr', [...ctr, '--snapshotter', 'overlayfs', '-'], {
    stdio: [save.stdout, 'ignore', 'inherit'],
  })
  const code = await new Promise((done) => load.once('exit', done))
  if (code !== 0) throw new Error(`the images could not be imported: ctr ended with ${code}`)
  writeFileSync(record, JSON.stringify({ ...had, ...ids }))
  return missing.length
}
