import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { selfSigned } from '../../deploy/gateway/self-signed.mjs'
import { type Kubectl, openKubectl } from '../kubernetes/kubectl.ts'
import { type Machine, openMachine, type Program } from './machine.ts'
import { type NodePrograms, networkPlugins } from './programs.ts'

/** Its network is its own, so these meet nobody's. */
export const address = '10.77.0.1'
export const dnsAddress = '10.96.0.10'
const services = '10.96.0.0/16'
const pods = '10.244.0.0/16'
const node = 'node'
const etcd = { client: 'http://127.0.0.1:2379', peer: 'http://127.0.0.1:2380' }
const readyMs = 120_000

/** Who asks the API server, by a token of its own, and the group that each is in. */
const users = {
  admin: 'system:masters',
  [`system:node:${node}`]: 'system:nodes',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
  'system:kube-proxy': '',
}
type User = keyof typeof users

const flags = (values: Record<string, string | number | true>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

/** The capability to lower it is not everywhere: containers then keep the score that containerd has. */
const restrictOomScore = 'restrict_oom_score_adj = true'

const containerd = (place: (name: string) => string): string => `version = 2
root = "${place('containerd')}"
state = "/run/containerd"
[grpc]
  address = "${place('containerd.sock')}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  ${restrictOomScore}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${networkPlugins}"
    conf_dir = "${place('cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`

const network = (place: (name: string) => string) => ({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      ...{ type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, hairpinMode: true },
      ipam: {
        type: 'host-local',
        dataDir: place('addresses'),
        ranges: [[{ subnet: pods.replace('/16', '/24') }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})

const kubelet = (place: (name: string) => string, group: string) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${group}`,
  failCgroupV1: false,
  failSwapOn: false,
  containerRuntimeEndpoint: `unix://${place('containerd.sock')}`,
  clusterDNS: [dnsAddress],
  clusterDomain: 'cluster.local',
  resolvConf: place('resolv.conf'),
  // The API server has no certificate for it; nobody else reaches it.
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  podLogsDir: place('pod-logs'),
  volumePluginDir: place('volume-plugins'),
})

const commands = (
  bin: Pick<NodePrograms, 'kubernetes' | 'kubeRouter'>,
  place: (name: string) => string,
): Program[] => {
  const program = (name: string) => join(bin.kubernetes, name)
  const as = (user: User) => place(`${user.replaceAll(':', '-')}.conf`)
  return [
    { name: 'containerd', command: ['containerd', '--config', place('containerd.toml')] },
    {
      name: 'etcd',
      command: [
        'etcd',
        ...flags({
          'data-dir': place('etcd'),
          'listen-client-urls': etcd.client,
          'advertise-client-urls': etcd.client,
          'listen-peer-urls': etcd.peer,
          'unsafe-no-fsync': true,
        }),
      ],
    },
    {
      name: 'kube-apiserver',
      command: [
        program('kube-apiserver'),
        ...flags({
          'etcd-servers': etcd.client,
          'advertise-address': address,
          'service-cluster-ip-range': services,
          'cert-dir': place('pki'),
          'token-auth-file': place('pki/tokens.csv'),
          'authorization-mode': 'Node,RBAC',
          'allow-privileged': true,
          'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
          'service-account-key-file': place('pki/accounts.pub'),
          'service-account-signing-key-file': place('pki/accounts.key'),
          // How it makes itself known to APIs behind it, such as that of metrics.
          'proxy-client-cert-file': place('pki/proxy/certificate.pem'),
          'proxy-client-key-file': place('pki/proxy/key.pem'),
          'requestheader-client-ca-file': place('pki/proxy/certificate.pem'),
          'requestheader-username-headers': 'X-Remote-User',
          'requestheader-group-headers': 'X-Remote-Group',
          'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
          'enable-aggregator-routing': true,
          'kubelet-preferred-address-types': 'InternalIP',
        }),
      ],
    },
    {
      name: 'kube-controller-manager',
      command: [
        program('kube-controller-manager'),
        ...flags({
          kubeconfig: as('system:kube-controller-manager'),
          'use-service-account-credentials': true,
          'service-account-private-key-file': place('pki/accounts.key'),
          'root-ca-file': place('pki/apiserver.crt'),
          'leader-elect': 'false',
          // An autoscaler looks each five seconds, not fifteen.
          'horizontal-pod-autoscaler-sync-period': '5s',
        }),
      ],
    },
    {
      name: 'kube-scheduler',
      command: [
        program('kube-scheduler'),
        ...flags({ kubeconfig: as('system:kube-scheduler'), 'leader-elect': 'false' }),
      ],
    },
    {
      name: 'kube-proxy',
      command: [
        program('kube-proxy'),
        ...flags({
          kubeconfig: as('system:kube-proxy'),
          'cluster-cidr': pods,
          'hostname-override': node,
          'proxy-mode': 'iptables',
          'conntrack-max-per-core': 0,
          'conntrack-tcp-timeout-established': '0s',
          'conntrack-tcp-timeout-close-wait': '0s',
        }),
      ],
    },
    {
      name: 'kubelet',
      command: [
        program('kubelet'),
        ...flags({
          config: place('kubelet.yaml'),
          kubeconfig: as(`system:node:${node}`),
          'hostname-override': node,
          'node-ip': address,
          'root-dir': place('kubelet'),
          'cert-dir': place('pki/kubelet'),
        }),
      ],
    },
    {
      // Enforces NetworkPolicies, which the bridge does not; routes and services are others' work.
      name: 'kube-router',
      command: [
        bin.kubeRouter,
        ...flags({
          kubeconfig: as('admin'),
          'hostname-override': node,
          'run-firewall': true,
          'run-router': 'false',
          'run-service-proxy': 'false',
          'run-loadbalancer': 'false',
          'service-cluster-ip-range': services,
          'iptables-sync-period': '30s',
        }),
      ],
    },
  ]
}

const writeConfiguration = (place: (name: string) => string, group: string): void => {
  for (const folder of ['pki', 'cni', 'kubelet', 'log']) mkdirSync(place(folder), { recursive: true })
  const write = (name: string, content: string | object) =>
    writeFileSync(place(name), typeof content === 'string' ? content : JSON.stringify(content), {
      mode: 0o600,
    })
  write('containerd.toml', containerd(place))
  write('cni/10-pods.conflist', network(place))
  write('resolv.conf', `nameserver ${dnsAddress}\n`)
  write('kubelet.yaml', stringify(kubelet(place, group)))
  if (existsSync(place('pki/tokens.csv'))) return
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  write('pki/accounts.key', String(privateKey.export({ type: 'pkcs8', format: 'pem' })))
  write('pki/accounts.pub', String(publicKey.export({ type: 'spki', format: 'pem' })))
  selfSigned(place('pki/proxy'))
  const tokens = Object.entries(users).map(([user, group]) => {
    const token = randomBytes(24).toString('base64url')
    write(`${user.replaceAll(':', '-')}.conf`, {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': node },
      clusters: [
        {
          name: node,
          cluster: { server: `https://${address}:6443`, 'certificate-authority': place('pki/apiserver.crt') },
        },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: node, context: { cluster: node, user } }],
    })
    return `${token},${user},${user}${group ? `,${group}` : ''}\n`
  })
  write('pki/tokens.csv', tokens.join(''))
}

/** A bridge without ports has an address that is always up; a network without one knows no way to the services'. */
const configureNetwork = (): void => {
  for (const command of [
    'ip link set lo up',
    'ip link add node0 type bridge',
    `ip address add ${address}/24 dev node0`,
    'ip link set node0 up',
    'ip route add default dev node0',
    'sysctl -qw net.ipv4.ip_forward=1',
    'sysctl -qw net.bridge.bridge-nf-call-iptables=1',
  ]) {
    const [file = '', ...args] = command.split(' ')
    const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
  }
}

export type Node = {
  kubectl: Kubectl
  /** Of its administrator, for programs that ask the API server themselves. */
  kubeconfig: string
  /** Where containerd listens. */
  socket: string
  logs: string
  /** Everything on it dies at once, and it starts again. Resolves when the API server answers. */
  reboot: () => Promise<void>
  stop: () => Promise<void>
}

/**
 * A cluster of one node: etcd, Kubernetes, containerd, in a machine of its own (`openMachine`) whose files are in `folder`. The caller's network
 * has to be its own, too, and empty: `inOwnNetwork`. Resolves when the node is ready.
 */
export const startNode = async (
  programs: NodePrograms,
  folder: string,
  log: (line: string) => void,
): Promise<Node> => {
  const place = (name: string) => join(folder, name)
  configureNetwork()
  // Two clusters on this machine do not meet.
  const group = `caravan-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`
  writeConfiguration(place, group)
  const logs = place('log')
  const machine: Machine = openMachine(commands(programs, place), group, logs)
  const kubeconfig = place('admin.conf')
  const kubectl = openKubectl(join(programs.kubernetes, 'kubectl'), { kubeconfig })
  const until = async (what: string, args: string[], wanted: RegExp) => {
    for (const end = Date.now() + readyMs; ; await sleep(300)) {
      const { ok, stdout } = kubectl(args)
      if (ok && wanted.test(stdout)) return
      if (Date.now() > end) throw new Error(`${what}: not after ${readyMs / 1000} s; logs are in ${logs}`)
    }
  }
  const start = async () => {
    await machine.start()
    await until('the API server answers', ['get', '--raw', '/readyz'], /ok/)
  }
  try {
    await start()
    const ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    await until('the node is ready', ['get', 'node', node, '--output', ready], /True/)
  } catch (error) {
    log(tail(logs))
    await machine.crash()
    throw error
  }
  return {
    ...{ kubectl, kubeconfig, logs, socket: place('containerd.sock'), stop: machine.crash },
    reboot: async () => {
      await machine.crash()
      await start()
    },
  }
}

const tail = (logs: string): string =>
  ['kube-apiserver', 'kubelet', 'containerd', 'machine']
    .map((name) => {
      const file = join(logs, `${name}.log`)
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
      return [`== ${name}`, ...lines.slice(-5)].join('\n')
    })
    .join('\n')
