// Writes the Secrets that the manifests name, for `kubectl apply -f .caravan/kubernetes/secrets.json`, and keeps their values beside them,
// in values.json. Running it again adds what is missing and changes nothing that is there. Plain Node without packages, 20 or later.
//   node deploy/kubernetes/generate-secrets.mjs [--mysql host:port] [--to folder]
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { completeSecrets, databaseStatements, randomSecret } from '../../tools/launcher/shop-secrets.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    mysql: { type: 'string', default: 'mysql:3306' },
    to: { type: 'string', default: join(repository, '.caravan/kubernetes') },
  },
})
const folder = options.to

/** One Configuration an app. */
const apps = readdirSync(join(repository, 'dapr/config')).map((file) => basename(file, '.yaml'))
const withDatabase = apps.filter((app) => existsSync(join(repository, 'apps', app, 'migrations')))

const valuesFile = join(folder, 'values.json')
const known = existsSync(valuesFile) ? JSON.parse(readFileSync(valuesFile, 'utf8')) : {}
const values = completeSecrets(known, Object.fromEntries(withDatabase.map((app) => [app, options.mysql])))
values['mysql-root'] ??= randomSecret()
for (const app of apps) for (const of of ['app', 'dapr']) values[`${app}-${of}-token`] ??= randomSecret()

const secret = (name, data) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'caravan', labels: { 'app.kubernetes.io/part-of': 'caravan' } },
  stringData: data,
})
/** Dapr wants a token under this key; any other secret has its own name for one, for which apps ask. */
const keyOf = (name) => (/-(app|dapr)-token$/.test(name) ? 'token' : name)
/** What only people and tools use. */
const isLogin = (name) => name.startsWith('shopper-')

const items = [
  ...Object.entries(values).flatMap(([name, value]) =>
    isLogin(name) ? [] : [secret(name, { [keyOf(name)]: value })],
  ),
  secret('psp-sandbox', {
    'secret-key': values['psp-authorization'].replace(/^Bearer /, ''),
    'webhook-secret': values['psp-webhook-secret'],
  }),
  secret('databases', {
    'databases.sql': databaseStatements(values, withDatabase)
      .map((statement) => `${statement};\n`)
      .join(''),
  }),
]

mkdirSync(folder, { recursive: true, mode: 0o700 })
const write = (file, value) =>
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
write(valuesFile, values)
write(join(folder, 'secrets.json'), { apiVersion: 'v1', kind: 'List', items })
console.log(`${items.length} Secrets: kubectl apply -f ${join(folder, 'secrets.json')}`)
