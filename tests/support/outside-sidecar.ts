import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { provideDapr } from '../../tools/launcher/dapr-binaries.ts'
import { inherited } from '../../tools/launcher/environment.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import { repository } from '../../tools/launcher/stack-file.ts'
import { superviseProcess } from '../../tools/launcher/supervised-process.ts'

/**
 * A real sidecar of somebody else's machine, which ends with the test. It has no app behind it, knows nothing of the shop but
 * what `yaml` says (a Configuration, and the resources), and holds `secrets` in the file that SECRETS_FILE names there.
 */
export const startOutsideSidecar = async (
  t: TestContext,
  { yaml, secrets }: { readonly yaml: string; readonly secrets: Record<string, string> },
) => {
  const { daprd } = await provideDapr(repository, () => {})
  const dir = mkdtempSync(join(tmpdir(), 'caravan-outside-'))
  const pool = portPool()
  const guard = openGuard()
  const [resources, secretsFile, config] = ['resources', 'secrets.json', 'config.yaml'].map((name) =>
    join(dir, name),
  ) as [string, string, string]
  mkdirSync(resources)
  writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 })
  for (const document of parseAllDocuments(yaml.replace('SECRETS_FILE', secretsFile))) {
    const isConfiguration = document.get('kind') === 'Configuration'
    const file = isConfiguration ? config : join(resources, `${document.getIn(['metadata', 'name'])}.yaml`)
    writeFileSync(file, document.toString())
  }
  const [http, grpc, internal] = [await pool.take(), await pool.take(), await pool.take()]
  const sidecar = superviseProcess(
    {
      ...{ name: 'outside', file: daprd, cwd: dir, env: inherited(), logFile: join(dir, 'daprd.log') },
      args: [
        ...['--app-id=outside', '--enable-metrics=false', '--dapr-listen-addresses=127.0.0.1'],
        ...['--placement-host-address=', '--scheduler-host-address='],
        ...[`--dapr-http-port=${http}`, `--dapr-grpc-port=${grpc}`, `--dapr-internal-grpc-port=${internal}`],
        ...[`--config=${config}`, `--resources-path=${resources}`],
      ],
      ports: { http },
      probe: { url: `http://127.0.0.1:${http}/v1.0/healthz/outbound`, status: 204 },
    },
    { guard, restart: false, log: () => {}, changed: () => {} },
  )
  t.after(async () => {
    await sidecar.stop()
    guard.close()
    pool.close()
    rmSync(dir, { recursive: true, force: true })
  })
  await sidecar.start()
  await sidecar.ready()
  return { port: http }
}
