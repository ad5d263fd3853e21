// Writes what docker-compose.yml needs and no repository may hold: `.env`, which Compose reads by itself, and below
// .caravan/compose the file of secrets that sidecars hand out, the SQL that makes one database and user a service, a
// certificate for nginx, the certificate authority of the sidecars with a token for each that it may sign for, and stack.json,
// by which npm run demo and the like find this shop (--profile compose). Running it again adds what is missing and changes
// nothing that is there. Plain Node without packages, 20 or later, and openssl.
import { randomBytes, randomInt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newAuthority, trustFiles } from '../../tools/launcher/authority.mjs'
import { completeSecrets, databaseStatements, randomSecret } from '../../tools/launcher/shop-secrets.mjs'
import { selfSigned } from '../gateway/self-signed.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const root = resolve(process.argv[2] ?? repository)
const folder = join(root, '.caravan/compose')

/** One Configuration an app. */
const apps = readdirSync(join(repository, 'dapr/config')).map((file) => basename(file, '.yaml'))
const withDatabase = apps.filter((app) => existsSync(join(repository, 'apps', app, 'migrations')))

const secretsFile = join(folder, 'secrets.json')
const secrets = completeSecrets(
  existsSync(secretsFile) ? JSON.parse(readFileSync(secretsFile, 'utf8')) : {},
  Object.fromEntries(withDatabase.map((app) => [app, 'mysql:3306'])),
)
const databases = databaseStatements(secrets, withDatabase).map((statement) => `${statement};`)

const trustFolder = join(folder, 'trust')
const authorityFiles = { root: 'ca.crt', issuer: 'issuer.crt', key: 'issuer.key' }
const authority = existsSync(join(trustFolder, authorityFiles.key))
  ? Object.fromEntries(
      Object.entries(authorityFiles).map(([part, file]) => [
        part,
        readFileSync(join(trustFolder, file), 'utf8'),
      ]),
    )
  : newAuthority()

const environmentFile = join(root, '.env')
const environment = existsSync(environmentFile) ? readFileSync(environmentFile, 'utf8') : ''
const wanted = {
  // Of this clone alone: another one's volumes know other passwords, and its networks have these addresses.
  COMPOSE_PROJECT_NAME: `caravan-${randomBytes(3).toString('hex')}`,
  CARAVAN_DOOR: `172.16.${randomInt(256)}`,
  MYSQL_ROOT_PASSWORD: randomSecret(),
  REDIS_PASSWORD: secrets['redis-password'],
  PSP_SECRET_KEY: secrets['psp-authorization'].replace(/^Bearer /, ''),
  PSP_WEBHOOK_SECRET: secrets['psp-webhook-secret'],
  OPERATOR_EMAIL: secrets['operator-email'],
  OPERATOR_PASSWORD: secrets['operator-password'],
  SHOPPER_PASSWORD: secrets['shopper-password'],
  DAPR_TRUST_ANCHORS: JSON.stringify(authority.root),
}
for (const app of apps) {
  wanted[`${app.toUpperCase()}_APP_TOKEN`] = randomSecret()
  wanted[`${app.toUpperCase()}_DAPR_TOKEN`] = randomSecret()
}
const lines = environment.split('\n').filter(Boolean)
for (const [name, value] of Object.entries(wanted))
  if (!lines.some((line) => line.startsWith(`${name}=`))) lines.push(`${name}=${value}`)

/** As Compose reads it: the caller's environment comes first. */
const setting = (name, fallback) =>
  process.env[name] ||
  lines.findLast((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ||
  fallback

const bind = setting('CARAVAN_BIND', '127.0.0.1')
const everywhere = ['0.0.0.0', '::', '[::]'].includes(bind)
const address = everywhere ? '127.0.0.1' : bind
const origin = setting('CARAVAN_ORIGIN', 'https://127.0.0.1:8443')

// Containers read these files as users of their own, so everyone may; the folder keeps out who is on this machine.
mkdirSync(trustFolder, { recursive: true })
chmodSync(folder, 0o700)
writeFileSync(secretsFile, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o644 })
writeFileSync(join(folder, 'databases.sql'), `${databases.join('\n')}\n`, { mode: 0o644 })
selfSigned(
  join(folder, 'tls'),
  [address, new URL(origin).hostname].map((host) => host.replace(/^\[|\]$/g, '')),
)
for (const [name, text] of Object.entries(trustFiles(authority, ['placement', 'scheduler', ...apps])))
  writeFileSync(join(trustFolder, name), text, { mode: 0o644 })
const token = (app, kind) => setting(`${app.toUpperCase()}_${kind}_TOKEN`)
const stack = {
  profile: 'compose',
  project: setting('COMPOSE_PROJECT_NAME'),
  url: origin,
  pspUrl: `http://${address}:6100`,
  mailUrl: `http://${address}:6200`,
  secretsFile,
  certificateFile: join(folder, 'tls/certificate.pem'),
  mysqlAdminUrl: `mysql://root:${setting('MYSQL_ROOT_PASSWORD')}@mysql:3306/`,
  tokens: Object.fromEntries(apps.map((app) => [app, { app: token(app, 'APP'), dapr: token(app, 'DAPR') }])),
  sidecarEnvironment: { TOKEN_ISSUER: setting('TOKEN_ISSUER', 'http://127.0.0.1:8080') },
  names: apps.flatMap((app) => [app, `${app}.sidecar`]),
}
writeFileSync(join(folder, 'stack.json'), `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 })
writeFileSync(environmentFile, `${lines.join('\n')}\n`, { mode: 0o600 })
chmodSync(environmentFile, 0o600)
console.log('docker compose up can start. The logins of operator and shopper are in .env')
