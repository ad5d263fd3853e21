import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { inherited } from '../launcher/environment.ts'
import { repository, stackFolder } from '../launcher/stack-file.ts'
import { namespace, topology } from './dapr-resources.ts'

export type Way = {
  kubectl?: string
  environment?: Record<string, string>
  /** Where the door and the provider are for whoever is in the cluster's network. */
  url?: string
  pspUrl?: string
}

export type Attached = { close: () => void }

/** Where every sidecar has its API in a pod. */
const daprPort = 3500

/** Whose tokens the shop takes, as it stands in the component that checks them. */
const issuer = (kubectl: string, environment: Record<string, string>): string => {
  const path = 'jsonpath={.spec.metadata[?(@.name=="issuer")].value}'
  const args = ['get', 'components.dapr.io', 'bearer', `--namespace=${namespace}`, `--output=${path}`]
  const { status, stdout, stderr } = spawnSync(kubectl, args, {
    ...{ encoding: 'utf8', env: { ...inherited(), ...environment } },
  })
  if (status !== 0) throw new Error(`kubectl get components.dapr.io bearer: ${stderr}`)
  return stdout
}

/**
 * Makes a shop in a cluster reachable from this machine by `kubectl port-forward`, to one pod of each app and to what is not the shop's, and writes it down as
 * the stack of a profile, which `demo`, `seed`, `audit` and `load` then take. For as long as its pods stay: it is not for a load. `values` is
 * the file that deploy/kubernetes/generate-secrets.mjs wrote. Throws when a pod cannot be reached.
 */
export const attachShop = async (
  profile: string,
  values: string,
  { kubectl = 'kubectl', environment = {}, ...direct }: Way = {},
): Promise<Attached> => {
  const children: ChildProcess[] = []
  const close = () => {
    for (const child of children) child.kill()
  }
  /** The ports of this machine that lead to those of a pod, in their order. */
  const forward = (target: string, ...ports: number[]): Promise<number[]> =>
    new Promise((done, failed) => {
      const args = ['port-forward', `--namespace=${namespace}`, '--address=127.0.0.1', target]
      const child = spawn(kubectl, [...args, ...ports.map((port) => `:${port}`)], {
        ...{ env: { ...inherited(), ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
      })
      children.push(child)
      const found: number[] = []
      let complaint = ''
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, local] = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line) ?? []
        if (local && found.push(Number(local)) === ports.length) done(found)
      })
      child.stderr.on('data', (chunk) => (complaint += chunk))
      child.once('error', failed)
      child.once('exit', () => failed(new Error(`${target} cannot be reached: ${complaint.trim()}`)))
    })

  try {
    const apps = topology.apps.map(({ appID, appPort }) => ({ app: appID, port: appPort }))
    const processes = await Promise.all(
      apps.map(async ({ app, port }) => {
        const [own, dapr] = await forward(`deployment/${app}`, port, daprPort)
        const process = (ports: object) => ({ pid: null, ports, logFile: '', probe: {} })
        return [
          [app, process({ app: own })],
          [`${app}.sidecar`, process({ http: dapr })],
        ] as const
      }),
    )
    const at = async (target: string, port: number) => `127.0.0.1:${(await forward(target, port))[0]}`
    const url = direct.url ?? `http://${await at('service/gateway', 8080)}`
    const secrets = JSON.parse(readFileSync(values, 'utf8')) as Record<string, string>
    const token = (app: string, of: string) => secrets[`${app}-${of}-token`]
    const record = {
      profile,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      ...{ url, urls: [url], secretsFile: values },
      pspUrl: direct.pspUrl ?? `http://${await at('service/psp-sandbox', 6100)}`,
      mailUrl: `http://${await at('service/mail-sandbox', 6200)}`,
      mysqlAdminUrl: `mysql://root:${secrets['mysql-root']}@${await at('service/mysql', 3306)}/`,
      sidecarEnvironment: { TOKEN_ISSUER: issuer(kubectl, environment) },
      tokens: Object.fromEntries(
        apps.map(({ app }) => [app, { app: token(app, 'app'), dapr: token(app, 'dapr') }]),
      ),
      names: processes.flat().map(([name]) => name),
      processes: Object.fromEntries(processes.flat()),
    }
    const file = join(stackFolder(profile), 'stack.json')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
    return { close }
  } catch (error) {
    close()
    throw error
  }
}

// npm run attach: until Ctrl-C, the shop of kubectl's context is the profile `kubernetes`.
if (import.meta.main) {
  const profile = 'kubernetes'
  const { close } = await attachShop(profile, join(repository, '.caravan/kubernetes/values.json'))
  console.log(`the shop in the cluster is the profile ${profile}: npm run demo -- --profile ${profile}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close)
}
