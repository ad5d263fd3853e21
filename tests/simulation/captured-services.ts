import type { ServiceWithDatabase } from '@caravan/service-kit/run-service'

/** What the apps' `main.ts` would run. */
export const captured = new Map<string, ServiceWithDatabase>()

/** Stands in for the kit's `runService` while the apps are loaded. */
export const runService = async (options: ServiceWithDatabase): Promise<void> => {
  captured.set(options.name, options)
}
