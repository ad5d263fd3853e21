import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provideDapr } from '../../../../tools/launcher/dapr-binaries.ts'
import { openGuard } from '../../../../tools/launcher/guard.ts'
import { findProgram } from '../../../../tools/launcher/programs.ts'
import { repository } from '../../../../tools/launcher/stack-file.ts'
import { eventually } from './eventually.ts'

const freePort = async (): Promise<number> => {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** One inline command (no spaces inside an argument); the first line of the answer. */
const redis = (port: number, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.once('data', (chunk) => {
      resolve(chunk.toString())
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('Redis closed the connection')))
  })

const component = (name: string, type: string, metadata: Record<string, string>): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: {
      type,
      version: 'v1',
      metadata: Object.entries(metadata).map(([key, value]) => ({ name: key, value })),
    },
  })

const configuration = (file: string): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: { name: 'conformance' },
    spec: {
      nameResolution: { component: 'sqlite', version: 'v1', configuration: { connectionString: file } },
    },
  })

export interface RealSidecarOptions {
  readonly app: string
  readonly token: string
  /** Serves what the sidecar sends to the app, with `/dapr/subscribe` among it. */
  readonly listener: RequestListener
  readonly secrets: Readonly<Record<string, string>>
  /** Items of `configstore`. */
  readonly items: Readonly<Record<string, string>>
  /** What another sidecar gave as its `names`: then each finds the other. */
  readonly names?: string
  /** The name of a file in `dapr/resiliency`. */
  readonly policies?: string
  /** Further components: a name, a type, its metadata. */
  readonly components?: readonly (readonly [string, string, Record<string, string>])[]
}

/** A daprd with an app of its own and a private Redis behind every component, in a temporary folder on free ports. */
export const startRealSidecar = async (options: RealSidecarOptions) => {
  const dir = await mkdtemp(join(tmpdir(), 'sidecar-'))
  const children: ChildProcess[] = []
  const guard = openGuard()
  const start = (file: string, args: string[], env: NodeJS.ProcessEnv = {}): (() => string) => {
    const [program, ...rest] = guard.wrap([file, ...args])
    const child = spawn(program as string, rest, {
      cwd: dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    if (child.pid) guard.started(file, child.pid)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    children.push(child)
    return () => output.slice(-4000)
  }
  const server = createServer(options.listener).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const stop = async () => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    guard.close()
    server.closeAllConnections()
    server.close()
    await rm(dir, { recursive: true, force: true })
  }

  try {
    const redisServer = findProgram('redis-server')
    if (!redisServer) throw new Error('redis-server is needed')
    const redisPort = await freePort()
    start(redisServer, ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', dir, '--save', ''])
    await eventually('Redis answers', async () => (await redis(redisPort, 'PING')).startsWith('+PONG'))
    for (const [name, value] of Object.entries(options.items))
      await redis(redisPort, `SET ${name} ${value}||1`)

    const redisHost = `127.0.0.1:${redisPort}`
    const names = options.names ?? join(dir, 'names.db')
    const files: Record<string, string> = {
      'secrets.json': JSON.stringify(options.secrets),
      'config.json': configuration(names),
      'components/statestore.yaml': component('statestore', 'state.redis', { redisHost }),
      'components/pubsub.yaml': component('pubsub', 'pubsub.redis', { redisHost }),
      'components/lockstore.yaml': component('lockstore', 'lock.redis', { redisHost }),
      'components/configstore.yaml': component('configstore', 'configuration.redis', { redisHost }),
      'components/secretstore.yaml': component('secretstore', 'secretstores.local.file', {
        secretsFile: join(dir, 'secrets.json'),
      }),
    }
    for (const [name, ...rest] of options.components ?? [])
      files[`components/${name}.yaml`] = component(name, ...rest)
    if (options.policies) {
      const file = join(repository, 'dapr/resiliency', options.policies)
      files[`components/${options.policies}`] = await readFile(file, 'utf8')
    }
    await mkdir(join(dir, 'components'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { mode: 0o600 })

    const [port, grpc, internal, metrics] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ]
    const { daprd } = await provideDapr(repository, () => {})
    const output = start(
      daprd,
      [
        ...['--app-id', options.app, '--app-port', String((server.address() as AddressInfo).port)],
        ...['--dapr-http-port', String(port), '--dapr-grpc-port', String(grpc)],
        ...['--dapr-internal-grpc-port', String(internal), '--metrics-port', String(metrics)],
        ...['--dapr-graceful-shutdown-seconds', '5'],
        ...['--dapr-listen-addresses', '127.0.0.1', '--metrics-listen-address', '127.0.0.1'],
        ...['--config', join(dir, 'config.json'), '--resources-path', join(dir, 'components')],
        ...[
          '--dapr-internal-grpc-listen-address',
          '127.0.0.1',
          '--placement-host-address',
          '',
          '--scheduler-host-address',
          '',
        ],
      ],
      { DAPR_API_TOKEN: options.token, APP_API_TOKEN: options.token, DAPR_HOST_IP: '127.0.0.1' },
    )
    await eventually(
      'daprd is healthy',
      async () => {
        const daemon = children.at(-1)
        if (daemon?.exitCode != null) throw new Error(`daprd ended: ${output()}`)
        return (await fetch(`http://127.0.0.1:${port}/v1.0/healthz`)).ok
      },
      60_000,
    ).catch((cause) => {
      throw new Error(output(), { cause })
    })
    /** What an orchestrator does: SIGTERM, and waits for the end. */
    const terminate = async () => {
      const daemon = children.at(-1)
      if (!daemon || daemon.exitCode !== null) return
      const ended = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await ended
    }
    return { port, stop, terminate, output, names, redis: (command: string) => redis(redisPort, command) }
  } catch (error) {
    await stop()
    throw error
  }
}
