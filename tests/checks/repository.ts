import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Paths relative to the repository, in order. */
export const find = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: root, exclude: (path) => path.includes('node_modules') }).sort()

export const readYaml = <T>(path: string): T => parse(read(path), { merge: true, maxAliasCount: -1 }) as T

export type App = {
  appID: string
  appPort: number
  daprHTTPPort: number
  daprGRPCPort: number
  daprInternalGRPCPort: number
  metricsPort: number
}

export const topology = readYaml<{ apps: App[]; outside: { appID: string; appPort: number }[] }>(
  'dapr/dapr.yaml',
)
export const appIds = topology.apps.map((app) => app.appID)
