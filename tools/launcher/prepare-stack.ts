import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { provideBacking } from './backing.ts'
import { assertBuilt, type DaprBinaries, provideControlPlane, provideDapr } from './dapr-binaries.ts'
import { servicesWithDatabase } from './databases.ts'
import type { Environment } from './environment.ts'
import type { PortPool } from './ports.ts'
import { planProcesses } from './process-plan.ts'
import { renderResources } from './resources.ts'
import { prepareCredentials, prepareSecrets } from './secrets.ts'
import { repository } from './stack-file.ts'
import { allocatePorts } from './stack-ports.ts'
import { readTopology } from './topology.ts'
import { prepareTrust } from './trust.ts'

/** What a stack is to be. */
export type StackPlan = {
  /** Names the folder `.caravan/<profile>`; one stack runs per profile. */
  profile: string
  /** `declared`: the ports of dapr.yaml. `free`: none is fixed, so that several stacks run side by side. */
  ports: 'declared' | 'free'
  /** By app id; `all` is for those that are not named. */
  replicas?: Record<string, number>
  /** More environment for an app and its sidecar, by app id; `*` is for all. */
  env?: Record<string, Environment>
  /** The folder below components/ that holds the broker; `local` unless said otherwise. */
  components?: string
  /**
   * Gets the ports of MySQL, Redis and the card provider, and gives those at which the shop is to look for them instead: by
   * `<service>-mysql`, `redis`, `psp`. For proxies that fail on purpose.
   */
  detours?: (ports: { mysql: number; redis: number; psp: number }) => Promise<Record<string, number>>
  /** Folders for MySQL's data and the logs in place of the stack's own: on disks that may be full. */
  disks?: { mysql?: string; logs?: string }
  /** MySQL keeps a log of all that is committed, from which a back-up is brought up to its last commit. */
  binaryLog?: boolean
  /** Leaves out the apps and their sidecars. */
  backingOnly?: boolean
  /** Dapr's programs, in place of those that would be found. */
  dapr?: DaprBinaries
  /** Mutual TLS among all of Dapr, with a `sentry`, and the access control of dapr/access. */
  mtls?: boolean
  log?: (line: string) => void
  root?: string
}

/**
 * Everything that comes before the first process of a stack: ports, secrets, Dapr's programs, database folders, rendered
 * resources. Data and secrets of earlier starts are kept. The result says what to run, in the order of the start.
 */
export const prepareStack = async (
  { profile, root = repository, log = () => {}, ...options }: StackPlan,
  dir: string,
  pool: PortPool,
) => {
  const topology = readTopology(root)
  const ports = await allocatePorts(pool, topology, {
    declared: options.ports === 'declared',
    replicas: options.replicas ?? {},
    backingOnly: options.backingOnly ?? false,
  })
  const services = servicesWithDatabase(root)
  const apps = topology.apps.map((app) => app.appID)
  const { tokens, mysqlAdminPassword } = prepareCredentials(dir, apps)
  const psp = ports.outside.get('psp-sandbox')?.app ?? 0
  const mail = ports.outside.get('mail-sandbox')?.app ?? 0
  const detours = (await options.detours?.({ mysql: ports.mysql, redis: ports.redis, psp })) ?? {}
  const secrets = prepareSecrets(dir, services, ports.mysql, detours)
  const logs = join(options.disks?.logs ?? dir, 'logs')
  rmSync(logs, { recursive: true, force: true })
  mkdirSync(logs)
  // Addresses of the last run would be resolved until they expire.
  for (const suffix of ['', '-shm', '-wal']) rmSync(join(dir, `names.db${suffix}`), { force: true })

  const dapr = options.dapr ?? (await provideDapr(repository, log))
  const binaries = options.mtls
    ? { ...dapr, sentry: await provideControlPlane(repository, dapr, 'sentry', log) }
    : dapr
  const trust = options.mtls ? prepareTrust(dir, apps, ports.sentry.grpc) : undefined
  const redisPassword = secrets['redis-password'] ?? ''
  const mysqlData = join(options.disks?.mysql ?? dir, 'mysql')
  const { binaryLog = false } = options
  const backing = provideBacking(
    { dir, mysqlData, logs, ports, mysqlAdminPassword, redisPassword, binaryLog },
    log,
  )
  const set = options.components ?? 'local'
  const pspAddress = `http://127.0.0.1:${detours.psp ?? psp}`
  const resources = renderResources(topology, join(dir, 'resources'), { psp: pspAddress }, set)
  assertBuilt(binaries, [
    ...resources.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
    ...topology.apps.map((app) => app.configFilePath),
  ])
  const plan = planProcesses({
    ...{ dir, logs, topology, ports, detours, secrets, tokens, binaries, trust, resources },
    env: options.env ?? {},
  })
  const { urls, sidecarEnvironment } = plan
  const mysqlAdminUrl = `mysql://root:${mysqlAdminPassword}@127.0.0.1:${ports.mysql}`
  return {
    ...{ authority: plan.authority, backing, support: plan.support },
    ...{ apps: options.backingOnly ? [] : plan.apps, services },
    about: {
      profile,
      dir,
      url: urls[0] ?? '',
      urls,
      pspUrl: `http://127.0.0.1:${psp}`,
      mailUrl: `http://127.0.0.1:${mail}`,
      secrets,
      tokens,
      mysqlAdminUrl,
      sidecarEnvironment,
    },
  }
}
