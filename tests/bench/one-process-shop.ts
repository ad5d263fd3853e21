import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inherited, localRateLimits, providerEnvironment } from '../../tools/launcher/environment.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { type ProcessSpec, superviseProcess } from '../../tools/launcher/supervised-process.ts'
import { readTopology } from '../../tools/launcher/topology.ts'
import type { OneProcess } from './one-process.ts'
import { ownDatabases } from './own-databases.ts'

const random = () => randomBytes(24).toString('base64url')

/**
 * A shop beside the given one: the same apps with the same secrets in one process without sidecars, databases of its own
 * on the same server, and a card provider of its own, whose webhooks go to it.
 */
export const startOneProcessShop = async (stack: Stack) => {
  const pool = portPool()
  const guard = openGuard()
  const databases = await ownDatabases(stack, 'solo')
  const names = readTopology(repository).apps.map((app) => app.appID)
  const replicas: OneProcess['replicas'][number][] = []
  for (const app of names)
    replicas.push({ app, appPort: await pool.take(), daprPort: await pool.take(), appToken: random() })
  const url = `http://127.0.0.1:${replicas.at(-1)?.appPort}`
  const pspPort = await pool.take()
  const pspUrl = `http://127.0.0.1:${pspPort}`
  const secrets = {
    ...stack.secrets,
    ...Object.fromEntries(Object.entries(databases).map(([app, database]) => [`${app}-mysql`, database])),
  }
  const environment = Object.fromEntries(
    replicas.map(({ app, appPort, daprPort, appToken }) => [
      app,
      {
        ...{ APP_ID: app, APP_PORT: String(appPort), TOKEN_ISSUER: url, RATE_LIMITS: localRateLimits },
        ...{ DAPR_HTTP_PORT: String(daprPort), DAPR_GRPC_PORT: String(daprPort) },
        ...{ APP_API_TOKEN: appToken, DAPR_API_TOKEN: random() },
      },
    ]),
  )
  const shop: OneProcess = { replicas, secrets, pspUrl, environment }
  const books = join(stack.dir, 'solo-psp.sqlite')
  for (const suffix of ['', '-shm', '-wal']) rmSync(books + suffix, { force: true })

  const spec = (name: string, cwd: string, program: string, probe: string, env: Record<string, string>) =>
    ({
      ...{ name, file: process.execPath, args: [program], cwd, ports: {} },
      env: { ...inherited(), ...env },
      probe: { url: probe, status: 200 },
      logFile: join(stack.dir, 'logs', `${name}.log`),
    }) satisfies ProcessSpec
  const specs = [
    spec(
      ...(['solo-psp', join(repository, 'apps/psp-sandbox'), 'src/main.ts', `${pspUrl}/healthz`] as const),
      { PORT: String(pspPort), ...providerEnvironment(secrets, url, books) },
    ),
    spec(
      'one process',
      repository,
      fileURLToPath(new URL('one-process.ts', import.meta.url)),
      `${url}/readyz`,
      {
        BENCH_SHOP: JSON.stringify(shop),
      },
    ),
  ]
  const surroundings = {
    guard,
    restart: false,
    log: (line: string) => console.error(line),
    changed: () => {},
  }
  const processes = specs.map((each) => superviseProcess(each, surroundings))
  const stop = async () => {
    for (const each of processes.toReversed()) await each.stop()
    guard.close()
    pool.close()
  }
  try {
    for (const each of processes) {
      await each.start()
      await each.ready()
    }
  } catch (error) {
    await stop()
    throw error
  }
  const [psp, apps] = processes
  return { url, pspUrl, secrets, issuer: url, psp, apps, ordersDatabase: 'solo_orders', stop }
}
