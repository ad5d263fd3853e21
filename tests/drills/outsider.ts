import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { trustDomain } from '../../tools/launcher/authority.mjs'
import { provideControlPlane, provideDapr } from '../../tools/launcher/dapr-binaries.ts'
import { inherited } from '../../tools/launcher/environment.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import type { Stack } from '../../tools/launcher/stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { type ProcessSpec, superviseProcess } from '../../tools/launcher/supervised-process.ts'
import { prepareTrust } from '../../tools/launcher/trust.ts'

/** With which a sidecar asks for its certificate. */
export interface Papers {
  readonly sentryPort: number
  /** PEM. */
  readonly anchors: string
  readonly tokenFile?: string
}

/** Programs of Dapr beside a stack, which end with the test. */
export const outsidersOf = async (stack: Stack, t: TestContext) => {
  const binaries = await provideDapr(repository, () => {})
  const pool = portPool()
  const guard = openGuard()
  const dir = mkdtempSync(join(stack.dir, 'outsider-'))
  const stops: (() => Promise<void>)[] = []
  t.after(async () => {
    await Promise.all(stops.map((stop) => stop()))
    guard.close()
    pool.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const supervise = (spec: Pick<ProcessSpec, 'name' | 'file' | 'args' | 'env' | 'ports' | 'probe'>) => {
    const logFile = join(dir, `${spec.name}.log`)
    const surroundings = { guard, restart: false, log: () => {}, changed: () => {} }
    const process = superviseProcess({ ...spec, cwd: dir, logFile }, surroundings)
    stops.push(() => process.stop())
    return process
  }

  return {
    /** A sidecar in the name of the gateway, which may do most; it resolves names as the shop does. */
    sidecar: async (name: string, papers?: Papers) => {
      const [http, grpc, internal] = [await pool.take(), await pool.take(), await pool.take()]
      return supervise({
        name,
        file: binaries.daprd,
        args: [
          ...['--app-id=gateway', '--enable-metrics=false', '--dapr-listen-addresses=127.0.0.1'],
          ...['--placement-host-address=', '--scheduler-host-address='],
          ...[
            `--dapr-http-port=${http}`,
            `--dapr-grpc-port=${grpc}`,
            `--dapr-internal-grpc-port=${internal}`,
          ],
          `--config=${join(repository, 'dapr/config/carts.yaml')}`,
          ...(papers
            ? [
                ...['--enable-mtls', `--sentry-address=127.0.0.1:${papers.sentryPort}`],
                `--control-plane-trust-domain=${trustDomain}`,
              ]
            : []),
        ],
        env: {
          ...inherited(),
          ...stack.sidecarEnvironment,
          ...(papers ? { DAPR_TRUST_ANCHORS: papers.anchors } : {}),
          ...(papers?.tokenFile ? { DAPR_SENTRY_TOKEN_FILE: papers.tokenFile } : {}),
        },
        ports: { http },
        probe: { url: `http://127.0.0.1:${http}/v1.0/healthz/outbound`, status: 204 },
      })
    },
    /** A sentry with an authority of its own, which signs for a gateway; resolves when it is ready. */
    sentry: async (): Promise<Papers> => {
      const [port, health] = [await pool.take(), await pool.take()]
      const trust = prepareTrust(dir, ['gateway'], port)
      const { flags, env } = trust.sentry
      const process = supervise({
        name: 'sentry',
        file: await provideControlPlane(repository, binaries, 'sentry', () => {}),
        args: [
          ...[`--port=${port}`, '--listen-address=127.0.0.1', `--healthz-port=${health}`],
          ...['--enable-metrics=false', ...flags],
        ],
        env: { ...inherited(), ...env },
        ports: { port },
        probe: { url: `http://127.0.0.1:${health}/healthz`, status: 200 },
      })
      await process.start()
      await process.ready()
      const own = trust.sidecar({ appID: 'gateway', configFilePath: '' }).env
      return {
        sentryPort: port,
        anchors: String(own.DAPR_TRUST_ANCHORS),
        tokenFile: String(own.DAPR_SENTRY_TOKEN_FILE),
      }
    },
  }
}
