import { join } from 'node:path'
import type { DaprBinaries } from './dapr-binaries.ts'
import {
  appEnvironment,
  type Environment,
  inherited,
  providerEnvironment,
  sharedEnvironment,
  sidecarOnly,
} from './environment.ts'
import type { Secrets, Tokens } from './secrets.ts'
import { sidecarFlags } from './sidecar.ts'
import type { StackPorts } from './stack-ports.ts'
import type { ProcessSpec } from './supervised-process.ts'
import { type OutsideSpec, type Replica, sidecarPorts, type Topology } from './topology.ts'
import type { Trust } from './trust.ts'

// After a crash the scheduler leads again only when its old lease, of 20 s, has run out. A sidecar that waits for nothing
// else serves everything but jobs and reminders.
const awaitingScheduler = 'not ready: [scheduler-watch-hosts]'

type PlanInput = {
  dir: string
  logs: string
  topology: Topology
  ports: StackPorts
  detours: Record<string, number>
  secrets: Secrets
  tokens: Record<string, Tokens>
  binaries: DaprBinaries
  /** With mTLS. */
  trust: Trust | undefined
  resources: string[]
  env: Record<string, Environment>
}

/**
 * What to run besides MySQL and Redis. `authority` has to be ready before any other program of Dapr. `apps` is in waves: the
 * first app of dapr.yaml alone (the others need the keys it serves), then all between, then the last (the gateway, whose
 * sidecar fetches those keys when it starts).
 */
export const planProcesses = (input: PlanInput) => {
  const { dir, logs, topology, ports, detours, secrets, tokens, binaries, trust, resources, env } = input
  const last = topology.apps.length - 1
  const replicasOf = (index: number) => ports.apps.filter((app) => app.appID === topology.apps[index]?.appID)
  const urls = replicasOf(last).map((gateway) => `http://127.0.0.1:${gateway.appPort}`)
  const [identity] = replicasOf(0)
  const [gateway] = replicasOf(last)
  if (!identity || !gateway) throw new Error('dapr.yaml lists no apps')

  const portsOf = (id: string): Record<string, number> & { app: number } => {
    const { app, ...others } = ports.outside.get(id) ?? {}
    if (app === undefined) throw new Error(`dapr.yaml has no ${id}`)
    return { app, ...others }
  }
  const extra = (id: string) => ({ ...env['*'], ...env[id] })
  const shared = sharedEnvironment(
    { gateway: gateway.appPort, identity: identity.appPort },
    join(dir, 'names.db'),
  )
  const sidecarEnvironment = sidecarOnly(join(dir, 'secrets.json'), {
    redis: detours.redis ?? ports.redis,
    smtp: portsOf('mail-sandbox').smtp ?? 0,
  })
  const logFile = (name: string) => join(logs, `${name}.log`)
  const controlPlane = { placement: ports.placement.grpc, scheduler: ports.scheduler.grpc }

  const daprService = (
    name: 'sentry' | 'placement' | 'scheduler',
    own: Record<string, number>,
    flags: string[] = [],
  ): ProcessSpec => ({
    name,
    file: binaries[name],
    args: [
      ...[`--port=${own.grpc}`, '--listen-address=127.0.0.1', `--healthz-port=${own.health}`],
      ...['--healthz-listen-address=127.0.0.1', '--enable-metrics=false', '--log-as-json'],
      ...flags,
      ...(trust?.[name].flags ?? []),
    ],
    cwd: dir,
    env: { ...inherited(), ...trust?.[name].env },
    ports: own,
    probe: { url: `http://127.0.0.1:${own.health}/healthz`, status: 200 },
    logFile: logFile(name),
  })

  const program = (
    spec: Pick<OutsideSpec, 'command' | 'appDirPath'>,
    name: string,
    ports: { app: number },
    path: string,
  ): Omit<ProcessSpec, 'env'> => {
    const [file = '', ...args] = spec.command
    return {
      ...{ name, args, cwd: spec.appDirPath, logFile: logFile(name), ports },
      file: file.includes('/') ? join(spec.appDirPath, file) : file,
      probe: { url: `http://127.0.0.1:${ports.app}${path}`, status: 200 },
    }
  }

  const outside = (spec: OutsideSpec): ProcessSpec => {
    const { app, ...others } = portsOf(spec.appID)
    const own = {
      PORT: String(app),
      ...Object.fromEntries(
        Object.entries(others).map(([name, port]) => [`${name.toUpperCase()}_PORT`, String(port)]),
      ),
      ...(spec.appID === 'psp-sandbox'
        ? providerEnvironment(secrets, urls[0] ?? '', join(dir, 'psp.sqlite'))
        : {}),
    }
    return {
      ...program(spec, spec.appID, { app, ...others }, '/healthz'),
      env: { ...inherited(), ...spec.env, ...own, ...extra(spec.appID) },
    }
  }

  const appWithSidecar = (app: Replica): ProcessSpec[] => {
    const own = tokens[app.appID]
    if (!own) throw new Error(`${app.appID} has no API tokens`)
    const environment = {
      ...inherited(),
      ...app.env,
      ...appEnvironment(app, own, shared),
      ...extra(app.appID),
    }
    const name = `${app.name}.sidecar`
    const trusted = trust?.sidecar(app)
    const sidecar: ProcessSpec = {
      ...{ name, cwd: dir, logFile: logFile(name), ports: { ...sidecarPorts(app), health: app.healthPort } },
      file: binaries.daprd,
      args: [...sidecarFlags(app, resources, controlPlane), ...(trusted?.flags ?? [])],
      env: { ...environment, ...sidecarEnvironment, POD_NAME: app.name, ...trusted?.env },
      probe: {
        url: `http://127.0.0.1:${app.healthPort}/v1.0/healthz`,
        status: 204,
        orBody: awaitingScheduler,
      },
    }
    return [{ ...program(app, app.name, { app: app.appPort }, '/readyz'), env: environment }, sidecar]
  }

  const between = topology.apps.slice(1, -1).flatMap((_, index) => replicasOf(index + 1))
  return {
    urls,
    sidecarEnvironment: { ...shared, ...sidecarEnvironment },
    authority: trust ? [daprService('sentry', ports.sentry)] : [],
    support: [
      daprService('placement', ports.placement, [
        `--initial-cluster=dapr-placement-0=127.0.0.1:${ports.placement.raft}`,
      ]),
      daprService('scheduler', ports.scheduler, [
        `--etcd-data-dir=${join(dir, 'scheduler')}`,
        ...[`--etcd-client-port=${ports.scheduler.etcd}`, '--etcd-client-listen-address=127.0.0.1'],
        `--etcd-initial-cluster=dapr-scheduler-server-0=http://127.0.0.1:${ports.scheduler.peer}`,
        `--override-broadcast-host-port=127.0.0.1:${ports.scheduler.grpc}`,
      ]),
      ...topology.outside.map(outside),
    ],
    apps: [replicasOf(0), between, replicasOf(last)].map((wave) => wave.flatMap(appWithSidecar)),
  }
}
