import { spawn } from 'node:child_process'
import { addonSources, installDapr, installDns, installMetrics } from './addons.ts'
import { importImages, provideClusterImages } from './images.ts'
import { type Node, startNode } from './node.ts'
import { provideNodePrograms } from './programs.ts'

type Log = (line: string) => void
type Step = <T>(what: string, work: () => T | Promise<T>) => Promise<T>

/**
 * What a cluster is made of, built or fetched unless it is there. The images are in the Docker engine afterwards. Throws without Linux, root,
 * Go or Docker.
 */
export const provideCluster = async (docker: string, log: Log) => {
  const programs = await provideNodePrograms(log)
  const images = await provideClusterImages(docker, programs, log)
  return { docker, programs, images, sources: addonSources() }
}
export type Provided = Awaited<ReturnType<typeof provideCluster>>

/** Runs a module in a network that has nothing but itself; resolves with its exit code. Signals reach it as they reach this process. */
export const inOwnNetwork = (module: string, args: readonly string[]): Promise<number> =>
  new Promise((done, failed) => {
    const child = spawn('unshare', ['--net', '--', process.execPath, module, ...args], { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    child.once('error', failed)
    child.once('exit', (code) => done(code ?? 1))
  })

/**
 * A cluster of one node with names, Dapr and figures of what pods use, in the network of the caller, which has to be its own. `images` are
 * there, further ones from Docker.
 */
export const startCluster = async (
  { docker, programs, images: own, sources }: Provided,
  images: readonly string[],
  folder: string,
  step: Step,
  log: Log,
): Promise<Node> => {
  const node = await step('a node, from etcd to kubelet', () => startNode(programs, folder, log))
  const { kubectl } = node
  try {
    await step('images, copied into the node', () => importImages(docker, [...own, ...images], node, folder))
    await step('CoreDNS', () => installDns(kubectl))
    await step('Dapr by its chart', () => installDapr(programs.helm, node, sources.dapr))
    installMetrics(kubectl, sources.metricsServer)
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}
