import { registerHooks } from 'node:module'
import type { ServiceWithDatabase } from '@caravan/service-kit/run-service'

export const apps = ['orders', 'inventory', 'payments'] as const
export type App = (typeof apps)[number]

/** Seconds that a shopper has to pay. */
export const paymentWindowSeconds = 60

/** One change of the product's source, to see whether the simulation notices. */
export interface Edit {
  /** The end of the file's path. */
  readonly file: string
  /** A text that is in the file once. */
  readonly find: string
  readonly put: string
}

/** Applies the edits that are for a file. Throws when one does not fit it any more. */
export const edited = (edits: readonly Edit[], path: string, source: string): string => {
  let result = source
  for (const { file, find, put } of edits) {
    if (!path.endsWith(file)) continue
    if (result.split(find).length !== 2) throw new Error(`${file} does not have this once: ${find}`)
    result = result.replace(find, () => put)
  }
  return result
}

const environment = {
  ...{ APP_PORT: '1', DAPR_HTTP_PORT: '1', DAPR_GRPC_PORT: '1' },
  ...{ APP_API_TOKEN: 'simulated-app-token', DAPR_API_TOKEN: 'simulated-dapr-token' },
  ...{ TOKEN_ISSUER: 'http://simulated.test', PAYMENT_WINDOW_SECONDS: String(paymentWindowSeconds) },
}

/**
 * The services as their own composition roots put them together, with `edits`: their `main.ts` are run, and what they
 * hand to the kit's `runService` is kept. Must be called before anything of the product is imported.
 */
export const loadServices = async (
  edits: readonly Edit[] = [],
): Promise<Map<string, ServiceWithDatabase>> => {
  const capture = new URL('captured-services.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context)
      return resolved.url.endsWith('/service-kit/src/run-service.ts')
        ? { ...resolved, url: capture }
        : resolved
    },
    load: (url, context, next) => {
      const loaded = next(url, context)
      if (!loaded.source || !edits.some(({ file }) => url.endsWith(file))) return loaded
      return { ...loaded, source: edited(edits, url, Buffer.from(loaded.source as Buffer).toString()) }
    },
  })
  Object.assign(process.env, environment)
  for (const app of apps) await import(new URL(`../../apps/${app}/src/main.ts`, import.meta.url).href)
  const { captured } = await import('./captured-services.ts')
  return captured
}
