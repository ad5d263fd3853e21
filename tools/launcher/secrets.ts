import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from './stack-file.ts'

export type Tokens = { app: string; dapr: string }

/** What only the launcher knows: never in the file that sidecars read. */
export type Credentials = { mysqlAdminPassword: string; tokens: Record<string, Tokens> }

export type Secrets = Record<string, string>

const random = () => randomBytes(24).toString('base64url')

const generated: Record<string, () => string> = {
  'redis-password': random,
  'identity-signing-key': () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  'identity-token-secret': random,
  // The mail sandbox asks for none.
  'smtp-password': () => '',
  'oidc-client-secret': random,
  'gateway-client-secret': random,
  'psp-authorization': () => `Bearer sk_sandbox_${random()}`,
  'psp-webhook-secret': () => `whsec_${random()}`,
  'operator-email': () => 'operator@caravan.example',
  'operator-password': random,
  'shopper-email': () => 'shopper@caravan.example',
  'shopper-password': random,
}

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
  const secrets = read<Secrets>(file, {})
  for (const [name, generate] of Object.entries(generated)) secrets[name] ??= generate()
  for (const service of services) {
    const password = databasePassword(secrets, service) || random()
    const port = detours[`${service}-mysql`] ?? mysqlPort
    secrets[`${service}-mysql`] = `mysql://${service}:${password}@127.0.0.1:${port}/${service}`
  }
  writePrivately(file, secrets)
  return secrets
}

export const databasePassword = (secrets: Secrets, service: string): string => {
  const url = secrets[`${service}-mysql`]
  return url ? new URL(url).password : ''
}

/** The launcher's own credentials, kept in `credentials.json` between starts: one pair of API tokens an app. */
export const prepareCredentials = (dir: string, apps: string[]): Credentials => {
  const file = join(dir, 'credentials.json')
  const credentials = read<Credentials>(file, { mysqlAdminPassword: random(), tokens: {} })
  for (const app of apps) credentials.tokens[app] ??= { app: random(), dapr: random() }
  writePrivately(file, credentials)
  return credentials
}
