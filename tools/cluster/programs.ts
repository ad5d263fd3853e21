import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideKubernetes } from '../kubernetes/kubernetes-build.ts'
import { canInstall, install } from '../launcher/apt.ts'
import { buildOnce, cacheFolder, haveGo } from '../launcher/go-build.ts'
import { provideGoTool } from '../launcher/go-tool.ts'
import { findProgram } from '../launcher/programs.ts'
import { repository } from '../launcher/stack-file.ts'

type Log = (line: string) => void

/** What a node needs of its system, by Debian's packages. */
const packages: Record<string, string> = {
  etcd: 'etcd-server',
  containerd: 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ipset: 'ipset',
  ethtool: 'ethtool',
  unshare: 'util-linux',
}
export const networkPlugins = '/usr/lib/cni'

const missing = (): string[] => [
  ...Object.entries(packages).flatMap(([program, name]) => (findProgram(program) ? [] : [name])),
  ...(existsSync(join(networkPlugins, 'bridge')) ? [] : ['containernetworking-plugins']),
]

const assertSystem = (log: Log): void => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('a node of Kubernetes needs Linux and root')
  if (missing().length > 0 && canInstall()) install(missing(), log)
  if (missing().length > 0) throw new Error(`a node of Kubernetes needs ${missing().join(', ')}`)
}

/** CoreDNS with the plugins that a cluster needs: its own program has those of every cloud. */
const provideCoreDns = async (log: Log): Promise<string> => {
  const module = join(repository, 'tools/coredns')
  const [, version] =
    /github\.com\/coredns\/coredns v(\S+)/.exec(readFileSync(join(module, 'go.mod'), 'utf8')) ?? []
  if (!haveGo()) throw new Error('CoreDNS is built with Go: https://go.dev/dl')
  const folder = cacheFolder(`coredns-${version}`)
  await buildOnce(
    { what: `CoreDNS ${version}`, module, packages: ['.'], flags: ['-ldflags', '-s -w'], folder },
    log,
  )
  return join(folder, 'coredns')
}

export type NodePrograms = {
  /** A folder with those of Kubernetes. */
  kubernetes: string
  coredns: string
  helm: string
  kubeRouter: string
  metricsServer: string
}

/** Builds what is not there yet, once per machine and version. Throws without root, Linux or Go. */
export const provideNodePrograms = async (log: Log): Promise<NodePrograms> => {
  assertSystem(log)
  const server = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
  return {
    kubernetes: await provideKubernetes(repository, [...server, 'kubelet', 'kube-proxy', 'kubectl'], log),
    coredns: await provideCoreDns(log),
    helm: await provideGoTool(repository, 'helm', log),
    kubeRouter: await provideGoTool(repository, 'kube-router', log),
    metricsServer: await provideGoTool(repository, 'metrics-server', log),
  }
}
