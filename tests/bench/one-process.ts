import { registerHooks } from 'node:module'
import { inherited } from '../../tools/launcher/environment.ts'
import { openInProcessDapr, type Shop } from './in-process-dapr.ts'
import { useDapr } from './sidecar-stand-in.ts'

/**
 * All apps of the shop in one process, each by its own main.ts. Where they would open connections to their sidecars they
 * get a stand-in whose calls are function calls. What to run comes by the environment, as JSON.
 */

export type OneProcess = Shop & { readonly environment: Readonly<Record<string, Record<string, string>>> }

const shop = JSON.parse(process.env.BENCH_SHOP ?? '') as OneProcess
const dapr = openInProcessDapr(shop)
useDapr(dapr)

/** The two modules by which apps reach a sidecar, and the only files that may import them (tests/checks/source-rules.ts). */
const standIns: readonly (readonly [specifier: string, importer: RegExp])[] = [
  ['undici', /\/packages\/service-kit\/src\/sidecar\.ts$/],
  ['@dapr/dapr', /\/apps\/gateway\/src\/sidecar-grpc\.ts$/],
]
registerHooks({
  resolve: (specifier, context, next) =>
    standIns.some(([name, importer]) => name === specifier && importer.test(context.parentURL ?? ''))
      ? next('./sidecar-stand-in.ts', { ...context, parentURL: import.meta.url })
      : next(specifier, context),
})

const base = inherited()
for (const { app } of shop.replicas) {
  process.env = { ...base, ...shop.environment[app] }
  await import(`../../apps/${app}/src/main.ts`)
}
await dapr.subscribe()
console.log('{"msg":"all apps run in one process"}')
