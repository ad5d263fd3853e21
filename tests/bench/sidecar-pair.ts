import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { provideDapr } from '../../tools/launcher/dapr-binaries.ts'
import { inherited } from '../../tools/launcher/environment.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import { sidecarFlags } from '../../tools/launcher/sidecar.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { type ProcessSpec, superviseProcess } from '../../tools/launcher/supervised-process.ts'
import { readTopology, sidecarPorts } from '../../tools/launcher/topology.ts'

const token = 'a-token-of-the-bench'
const log = (line: string) => console.error(line)

export interface PairOptions {
  /** App ids. One of the shop's has its own Configuration, any other that of inventory. */
  readonly callee?: string
  readonly caller?: string
  /** Files of the repository that both sidecars read as their resources, by their scopes. */
  readonly resources?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The echo app, the sidecar beside it, and a caller's sidecar, with the flags and the Configuration that the shop's have, and Go's profiler on
 * the caller's port `profile`; no components but the given ones, no control plane, nothing else running.
 */
export const startSidecarPair = async (
  folder: string,
  { callee: calleeId = 'callee', caller: callerId = 'caller', resources = [], env = {} }: PairOptions = {},
) => {
  const dir = join(folder, 'pair')
  mkdirSync(join(dir, 'resources'), { recursive: true })
  for (const file of resources) copyFileSync(join(repository, file), join(dir, 'resources', basename(file)))
  const pool = portPool()
  const guard = openGuard()
  const { daprd } = await provideDapr(repository, log)
  const { apps } = readTopology(repository)
  const modelOf = (id: string) => {
    const model = apps.find((app) => app.appID === id) ?? apps.find((app) => app.appID === 'inventory')
    if (!model) throw new Error('dapr.yaml has no inventory')
    return model
  }
  const port = await pool.take()

  const echo: ProcessSpec = {
    ...{ name: 'echo', file: process.execPath, cwd: dir, env: inherited(), ports: { app: port } },
    args: [fileURLToPath(new URL('echo.ts', import.meta.url)), String(port)],
    probe: { url: `http://127.0.0.1:${port}/`, status: 200 },
    logFile: join(dir, 'echo.log'),
  }

  const sidecar = async (name: string): Promise<ProcessSpec> => {
    const profile = await pool.take()
    const replica = {
      ...{ ...modelOf(name), appID: name, name, appPort: port, healthPort: await pool.take() },
      ...{ daprHTTPPort: await pool.take(), daprGRPCPort: await pool.take() },
      ...{ daprInternalGRPCPort: await pool.take(), metricsPort: await pool.take() },
    }
    return {
      ...{ name: `${name}.sidecar`, file: daprd, cwd: dir, ports: { ...sidecarPorts(replica), profile } },
      args: [
        ...sidecarFlags(replica, [join(dir, 'resources')], { placement: 0, scheduler: 0 }).filter(
          (flag) => !/^--(placement|scheduler)-/.test(flag),
        ),
        ...['--placement-host-address', '', '--scheduler-host-address', ''],
        ...['--enable-profiling', '--profile-port', String(profile)],
      ],
      env: {
        ...inherited(),
        ...{ DAPR_API_TOKEN: token, APP_API_TOKEN: token, DAPR_HOST_IP: '127.0.0.1' },
        ...{ NAME_RESOLUTION_DB: join(dir, 'names.db'), ...env },
      },
      probe: { url: `http://127.0.0.1:${replica.healthPort}/v1.0/healthz`, status: 204 },
      logFile: join(dir, `${name}.log`),
    }
  }

  const surroundings = { guard, restart: false, log, changed: () => {} }
  const specs = [echo, await sidecar(calleeId), await sidecar(callerId)]
  const processes = specs.map((spec) => superviseProcess(spec, surroundings))
  const stop = async () => {
    await Promise.all(processes.map((each) => each.stop()))
    guard.close()
    pool.close()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(processes.map((each) => each.start()))
    await Promise.all(processes.map((each) => each.ready()))
  } catch (error) {
    await stop()
    throw error
  }
  const [app, callee, caller] = processes
  if (!app || !callee || !caller) throw new Error('three were started')
  return { app, callee, caller, token, stop }
}
