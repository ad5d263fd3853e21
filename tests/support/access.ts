import { eventually } from '@caravan/service-kit/testing/eventually'
import type { Stack } from '../../tools/launcher/stack.ts'

/** One figure of an app's metrics. */
export const figureOf = async (stack: Stack, app: string, name: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${stack.process(app).ports.app}/metrics`)
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(await response.text())?.[1])
}

/** Waits until all apps, each replica of them, go by the access state that identity has. */
export const sameAccess = (stack: Stack): Promise<true> => {
  const apps = stack.names.filter((name) => stack.names.includes(`${name}.sidecar`))
  return eventually('all have one version of the access state', async () => {
    const versions = await Promise.all(apps.map((app) => figureOf(stack, app, 'access_version')))
    return versions[0] !== undefined && versions.every((version) => version > 0 && version === versions[0])
  })
}
