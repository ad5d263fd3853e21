import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { canInstall, install } from '../launcher/apt.ts'
import { inherited } from '../launcher/environment.ts'
import { openGuard } from '../launcher/guard.ts'
import { portPool } from '../launcher/ports.ts'
import { findProgram } from '../launcher/programs.ts'
import { repository } from '../launcher/stack-file.ts'
import { superviseProcess } from '../launcher/supervised-process.ts'
import { openKubectl } from './kubectl.ts'
import { provideKubernetes } from './kubernetes-build.ts'

const provideEtcd = (log: (line: string) => void): string => {
  if (!findProgram('etcd') && canInstall()) install(['etcd-server'], log)
  const etcd = findProgram('etcd')
  if (!etcd) throw new Error('etcd is needed: install etcd-server')
  return etcd
}

const readyMs = 60_000

/** An empty API server of Kubernetes with its etcd, and a kubectl that may do anything to it. Nothing runs what it is told of. */
export const startApiServer = async (log: (line: string) => void) => {
  const etcd = provideEtcd(log)
  const programs = await provideKubernetes(repository, ['kube-apiserver', 'kubectl'], log)
  const folder = mkdtempSync(join(tmpdir(), 'caravan-kubernetes-'))
  const place = (name: string) => join(folder, name)
  const pool = portPool()
  const guard = openGuard()
  const [store, peer, port] = [await pool.take(), await pool.take(), await pool.take()]
  const token = randomBytes(24).toString('base64url')
  writeFileSync(place('tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signing = privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(place('accounts.key'), signing, { mode: 0o600 })
  writeFileSync(place('accounts.pub'), publicKey.export({ type: 'spki', format: 'pem' }))

  const storeUrl = `http://127.0.0.1:${store}`
  const run = (name: string, file: string, flags: Record<string, string | number>, health: string) =>
    superviseProcess(
      {
        ...{ name, file, cwd: folder, env: inherited(), ports: {}, logFile: place(`${name}.log`) },
        args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
        probe: { url: health, status: 200 },
      },
      { guard, restart: false, log, changed: () => undefined },
    )
  const database = run(
    'etcd',
    etcd,
    {
      'data-dir': place('etcd'),
      'listen-client-urls': storeUrl,
      'advertise-client-urls': storeUrl,
      'listen-peer-urls': `http://127.0.0.1:${peer}`,
      'unsafe-no-fsync': 'true',
    },
    `${storeUrl}/health`,
  )
  const server = run(
    'kube-apiserver',
    join(programs, 'kube-apiserver'),
    {
      'etcd-servers': storeUrl,
      'bind-address': '127.0.0.1',
      'secure-port': port,
      'cert-dir': place('certificates'),
      'token-auth-file': place('tokens.csv'),
      'authorization-mode': 'RBAC',
      'service-cluster-ip-range': '10.96.0.0/16',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': place('accounts.pub'),
      'service-account-signing-key-file': place('accounts.key'),
    },
    storeUrl,
  )
  const kubectl = openKubectl(join(programs, 'kubectl'), {
    // Its certificate is of its own making, and the address is this machine's.
    access: [`--server=https://127.0.0.1:${port}`, `--token=${token}`, '--insecure-skip-tls-verify'],
  })
  const stop = async () => {
    await server.stop()
    await database.stop()
    guard.close()
    pool.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await database.start()
    await database.ready()
    await server.start()
    for (const end = Date.now() + readyMs; !kubectl(['get', '--raw', '/readyz']).ok; await sleep(500))
      if (Date.now() > end || !server.running())
        throw new Error(`kube-apiserver does not get ready: ${place('kube-apiserver.log')}`)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { kubectl, stop }
}
