import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inOwnNetwork, provideCluster, startCluster } from '../../tools/cluster/cluster.ts'
import type { Node } from '../../tools/cluster/node.ts'
import { buildImages } from '../../tools/containers/build-images.ts'
import { findDocker } from '../../tools/containers/docker.ts'
import { provideEngine } from '../../tools/containers/engine.ts'
import { namespace } from '../../tools/kubernetes/dapr-resources.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { shopImages, tag } from './cluster-shop.ts'
import { step } from './step.ts'

export const folder = join(repository, '.caravan/cluster')
/** As tools/launcher/stack-file.ts finds the attached shop below `.caravan`. */
export const profile = 'cluster/.caravan/shop'
export const log = (line: string) => console.error(line)

type Verification = {
  /** Of the module that verifies: it is started again inside of the cluster's network. */
  module: string
  inside: boolean
  /** Leaves images, in the engine and in the node, for the next time. */
  keep: boolean
  /** Provides what more is needed; resolves with the images that the node is to have of it. */
  provideMore?: (docker: string) => Promise<string[]>
  /** What kubectl is asked for, beside the pods, when something did not hold. */
  tellOf: readonly string[]
  /** `kubectl` is the path of the program. */
  verify: (node: Node, kubectl: string) => Promise<void>
}

/** Makes a cluster of one node, verifies something in it, and removes it. Sets the exit code of this process. */
export const inCluster = async (verification: Verification): Promise<void> => {
  try {
    if (verification.inside) await inside(verification)
    else process.exitCode = await step('in all', () => outside(verification))
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}

const nothingMore = async (): Promise<string[]> => []

/** The network of the cluster is not that of this machine: what has to be fetched is there before. */
const outside = async ({ module, keep, provideMore = nothingMore }: Verification): Promise<number> => {
  const engine = await step('a Docker engine', () => provideEngine(log))
  try {
    await step('the cluster’s programs and images', async () => {
      await provideCluster(engine.docker, log)
      await provideMore(engine.docker)
    })
    const ca = process.env.NODE_EXTRA_CA_CERTS
    await step('images of the apps', () => buildImages(engine.docker, { tag, ca }, log))
    const code = await inOwnNetwork(module, ['--inside', ...process.argv.slice(2)])
    if (code === 0 && !keep) rmSync(folder, { recursive: true })
    return code
  } finally {
    await engine.release(keep)
  }
}

const inside = async ({ provideMore = nothingMore, tellOf, verify }: Verification): Promise<void> => {
  const docker = findDocker() ?? 'docker'
  const provided = await provideCluster(docker, log)
  const images = [...shopImages, ...(await provideMore(docker))]
  mkdirSync(folder, { recursive: true })
  // Of the last time images stay, and nothing else.
  for (const place of readdirSync(folder))
    if (!['containerd', 'images.json'].includes(place)) rmSync(join(folder, place), { recursive: true })
  const node = await startCluster(provided, images, folder, step, log)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void node.stop().finally(() => process.exit(1)))
  try {
    await verify(node, join(provided.programs.kubernetes, 'kubectl'))
  } catch (error) {
    log(node.kubectl(['get', 'pods', '--all-namespaces', '--output=wide']).stdout)
    log(node.kubectl(['get', ...tellOf, `--namespace=${namespace}`]).stdout)
    log(`the logs of the node and its pods are in ${folder}`)
    throw error
  } finally {
    await node.stop()
  }
}
