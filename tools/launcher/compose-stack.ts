import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stack } from './stack.ts'
import { repository, type StackRecord } from './stack-file.ts'
import type { Ports, StackProcess } from './supervised-process.ts'
import { readTopology, sidecarPorts } from './topology.ts'

type Inspected = {
  State: { Running: boolean; Pid: number; Health?: { Status: string } }
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
}

const docker = (...args: string[]): string => {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`docker ${args[0]}: ${error?.message ?? stderr.trim()}`)
  return stdout.trim()
}

/**
 * The shop of a Compose project. What goes through its doors works from anywhere; what looks at a container by itself (its address,
 * its process) works on the engine's own machine, with Linux, which reaches the containers' networks.
 */
export const composeStack = (record: StackRecord, project: string, dir: string): Stack => {
  const { apps } = readTopology(repository)
  const ports = new Map<string, Ports>(
    apps.flatMap((app) => [
      [app.appID, { app: app.appPort }],
      [`${app.appID}.sidecar`, sidecarPorts(app)],
    ]),
  )

  const container = (name: string): StackProcess => {
    const id = `${project}-${name.replace(/\.sidecar$/, '-dapr')}-1`
    const inspect = (): Inspected => JSON.parse(docker('container', 'inspect', id))[0]
    const own = `${project}_${name.replace(/\.sidecar$/, '')}`
    return {
      ...{ name, ports: ports.get(name) ?? {}, logFile: '' },
      get pid() {
        return inspect().State.Pid || undefined
      },
      get host() {
        const { Networks } = inspect().NetworkSettings
        const { IPAddress } = Networks[own] ?? Object.values(Networks)[0] ?? { IPAddress: '' }
        if (!IPAddress) throw new Error(`the container ${id} has no address`)
        return IPAddress
      },
      running: () => inspect().State.Running,
      // By process id: an engine that was asked to kill a container does not start it again.
      async kill(signal) {
        const { Pid } = inspect().State
        if (Pid) process.kill(Pid, signal)
      },
      async stop() {
        docker('container', 'stop', id)
      },
      async start() {
        docker('container', 'start', id)
      },
      async ready(deadlineMs = 180_000) {
        const deadline = Date.now() + deadlineMs
        for (;;) {
          const { Running, Health } = inspect().State
          if (Running && (Health?.Status ?? 'healthy') === 'healthy') return
          if (Date.now() > deadline)
            throw new Error(
              `${id} is not healthy after ${deadlineMs / 1000} s; the end of its log:\n${logsOf(id)}`,
            )
          await sleep(200)
        }
      },
    }
  }

  return {
    ...record,
    dir,
    secrets: JSON.parse(readFileSync(record.secretsFile, 'utf8')),
    get mysqlAdminUrl() {
      const url = new URL(record.mysqlAdminUrl)
      url.hostname = container('mysql').host
      return url.href
    },
    process: container,
    logs: (name) => logsOf(`${project}-${name.replace(/\.sidecar$/, '-dapr')}-1`, 'all'),
    stop: async () => {
      const label = `label=com.docker.compose.project=${project}`
      const ids = docker('container', 'ls', '--quiet', '--filter', label).split('\n').filter(Boolean)
      if (ids.length > 0) docker('container', 'stop', ...ids)
    },
  }
}

/** Of both its streams. */
const logsOf = (id: string, tail = '20'): string => {
  const { stdout, stderr } = spawnSync('docker', ['logs', '--tail', tail, id], {
    ...{ encoding: 'utf8', maxBuffer: 256 * 2 ** 20 },
  })
  return stdout + stderr
}
