import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { completeSecrets, randomSecret } from './shop-secrets.mjs'
import { writePrivately } from './write-privately.ts'

export type Tokens = { app: string; dapr: string }

/** What only the launcher knows: never in the file that sidecars read. */
export type Credentials = { mysqlAdminPassword: string; tokens: Record<string, Tokens> }

export type Secrets = Record<string, string>

const read = <T>(file: string, fallback: T): T =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : fallback

/**
 * The secrets that sidecars hand out, kept in `secrets.json` of the stack's folder between starts. `<service>-mysql` is
 * written anew each time, since the port may change; its password stays. `detours` has the ports of those secrets that
 * lead elsewhere first.
 */
export const prepareSecrets = (
  dir: string,
  services: string[],
  mysqlPort: number,
  detours: Record<string, number> = {},
): Secrets => {
  const file = join(dir, 'secrets.json')
  const host = (service: string) => `127.0.0.1:${detours[`${service}-mysql`] ?? mysqlPort}`
  const hosts = Object.fromEntries(services.map((service) => [service, host(service)]))
  const secrets = completeSecrets(read<Secrets>(file, {}), hosts)
  writePrivately(file, secrets)
  return secrets
}

/** The launcher's own credentials, kept in `credentials.json` between starts: one pair of API tokens an app. */
export const prepareCredentials = (dir: string, apps: string[]): Credentials => {
  const file = join(dir, 'credentials.json')
  const credentials = read<Credentials>(file, { mysqlAdminPassword: randomSecret(), tokens: {} })
  for (const app of apps) credentials.tokens[app] ??= { app: randomSecret(), dapr: randomSecret() }
  writePrivately(file, credentials)
  return credentials
}
