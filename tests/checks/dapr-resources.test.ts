import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { accessChanged, listAccessChanges } from '@caravan/contracts/access'
import { events, operations } from '@caravan/contracts/all'
import type { EventDefinition } from '@caravan/contracts/event'
import { appIds, find, read, readYaml, root } from './repository.ts'

type Entry = { name: string; value?: string; envRef?: string; secretKeyRef?: unknown }
type Resource = {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: { type: string; version: string; metadata: Entry[] }
  auth?: { secretStore: string }
  scopes: string[]
}
type Configuration = {
  kind: string
  metadata: { name: string }
  spec: {
    nameResolution: { component: string; configuration: Record<string, string> }
    secrets: { scopes: { storeName: string; defaultAccess: string; allowedSecrets: string[] }[] }
    httpPipeline?: { handlers: { name: string; type: string }[] }
  }
}
type Policies = { timeout?: string; retry?: string; circuitBreaker?: string }
type Resiliency = {
  metadata: { name: string }
  scopes: string[]
  spec: {
    policies: Partial<Record<'timeouts' | 'retries' | 'circuitBreakers', Record<string, unknown>>>
    targets: {
      apps?: Record<string, Policies>
      components: Record<string, { outbound?: Policies; inbound?: Policies }>
    }
  }
}

const files = find('components/*/*.yaml')
const resources = new Map(files.map((file) => [file, readYaml<Resource>(file)]))
const components = [...resources.values()].filter(({ kind }) => kind === 'Component')
const resource = (file: string): Resource => {
  const found = resources.get(file)
  assert.ok(found, `there is no ${file}`)
  return found
}
const setting = ({ spec }: Resource, name: string) =>
  spec.metadata.find((entry) => entry.name === name)?.value

/** `orders=a,b;carts=` as { orders: [a, b], carts: [] }. */
const scopesOf = (component: Resource, name: string): Record<string, string[]> =>
  Object.fromEntries(
    (setting(component, name) ?? '').split(';').map((part) => {
      const [app = '', topics = ''] = part.split('=')
      return [app, topics.split(',').filter(Boolean).sort()]
    }),
  )

for (const [file, { apiVersion, kind, metadata, spec, auth, scopes }] of resources)
  test(`${file} is a resource of its file’s name, for apps that are there and no other`, () => {
    assert.equal(apiVersion, 'dapr.io/v1alpha1')
    assert.match(kind, /^(Component|HTTPEndpoint)$/)
    assert.equal(metadata.name, basename(file, '.yaml'))
    assert.ok(scopes.length > 0)
    for (const app of scopes) assert.ok(appIds.includes(app), app)
    if (kind === 'HTTPEndpoint') return
    assert.match(spec.type, /^(bindings|configuration|lock|middleware|pubsub|secretstores|state)\.[\w.]+$/)
    assert.equal(spec.version, 'v1')
    for (const entry of spec.metadata) {
      const given = [entry.value, entry.envRef, entry.secretKeyRef].filter((value) => value !== undefined)
      assert.equal(given.length, 1, `${entry.name} has one value`)
      assert.equal(typeof (entry.value ?? ''), 'string', `${entry.name} is a text`)
      if (entry.secretKeyRef) assert.equal(auth?.secretStore, 'secretstore')
      if (/password|secret$|token/i.test(entry.name))
        assert.ok(entry.secretKeyRef, `${entry.name} is no secret`)
    }
  })

/** Names of the events that an app subscribes to, as its sources say: what is done with an event, other than to tell it. */
const subscribed = async (app: string): Promise<string[]> => {
  const contracts = await Promise.all(
    find('packages/contracts/src/*.ts')
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => import(new URL(file, `file://${root}`).href) as Promise<Record<string, unknown>>),
  )
  const definitions: Record<string, unknown> = Object.assign({}, ...contracts)
  return find(`apps/${app}/src/**/*.ts`)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => [
      ...read(file).matchAll(/\b(?!fact\b)\w+\(\s*(\w+),|(\w+)\.map\(\(\w+\) => subscription\(/g),
    ])
    .flatMap(([, one = '', many = '']) => definitions[one || many] as EventDefinition | EventDefinition[])
    .flatMap((definition) => definition?.topic ?? [])
}

for (const name of ['pubsub', 'broadcast']) {
  const local = resource(`components/local/${name}.yaml`)

  test(`${name} allows each app exactly what it publishes and hears`, async () => {
    const publishes: Record<string, string[]> = {}
    const hears: Record<string, string[]> = {}
    for (const app of local.scopes) {
      // The gateway hears all that it hears by broadcast; the kit has every app hear one thing more.
      const topics = (name === 'broadcast') === (app === 'gateway') ? await subscribed(app) : []
      const kits = name === 'broadcast' ? [accessChanged.topic] : []
      const deadLetters = topics.length > 0 ? [`${app}.dead-letter`] : []
      const own = events.filter(({ publisher }) => publisher === app).map(({ topic }) => topic)
      publishes[app] = [...(name === 'pubsub' ? own : []), ...deadLetters].sort()
      hears[app] = [...topics, ...kits, ...deadLetters].sort()
    }
    assert.ok(Object.values(hears).flat().length > 1)
    assert.deepEqual(scopesOf(local, 'publishingScopes'), publishes)
    assert.deepEqual(scopesOf(local, 'subscriptionScopes'), hears)
  })

  for (const file of files.filter((each) => each.endsWith(`/${name}.yaml`)))
    test(`${file} has the scopes of components/local`, () => {
      const other = resource(file)
      assert.deepEqual(other.scopes, local.scopes)
      for (const which of ['publishingScopes', 'subscriptionScopes'])
        assert.equal(setting(other, which), setting(local, which))
    })
}

test('every app hears of the access state, and all but its owner may read it', () => {
  assert.deepEqual([...resource('components/local/broadcast.yaml').scopes].sort(), [...appIds].sort())
  const readers = appIds.filter((app) => app !== listAccessChanges.app)
  assert.deepEqual([...(listAccessChanges.access as { apps: string[] }).apps].sort(), readers.sort())
})

test('every set of components has the same names', () => {
  const sets = Map.groupBy(
    files.filter((file) => !file.includes('/common/')),
    (file) => file.split('/')[1],
  )
  for (const [set, own] of sets)
    assert.deepEqual(
      own.map((file) => basename(file)),
      ['broadcast.yaml', 'pubsub.yaml'],
      set,
    )
})

test('with Redis, which forgets no group, each replica has one on broadcast that it keeps', () => {
  const broadcast = resource('components/local/broadcast.yaml')
  assert.equal(broadcast && setting(broadcast, 'consumerID'), '{appID}-{podName}')
})

test('with Kafka an app’s replicas share a group on pubsub, and none shares one on broadcast', () => {
  const [pubsub, broadcast] = ['pubsub', 'broadcast'].map((name) => resource(`components/kafka/${name}.yaml`))
  assert.ok(pubsub && broadcast)
  assert.deepEqual(
    [setting(pubsub, 'consumerGroup'), setting(pubsub, 'initialOffset')],
    ['{appID}', 'oldest'],
  )
  assert.deepEqual(
    [setting(broadcast, 'consumerGroup'), setting(broadcast, 'initialOffset')],
    ['{uuid}', 'newest'],
  )
})

for (const app of appIds)
  test(`the Configuration of ${app} gives it its own secrets only`, () => {
    const { kind, metadata, spec } = readYaml<Configuration>(`dapr/config/${app}.yaml`)
    assert.deepEqual([kind, metadata.name], ['Configuration', app])
    const [scope, ...others] = spec.secrets.scopes
    assert.ok(scope && others.length === 0)
    assert.deepEqual([scope.storeName, scope.defaultAccess], ['secretstore', 'deny'])
    const databases = scope.allowedSecrets.filter((name) => name.endsWith('-mysql'))
    assert.deepEqual(databases, find(`apps/${app}/migrations`).length === 1 ? [`${app}-mysql`] : [])
    for (const name of scope.allowedSecrets) assert.doesNotMatch(name, /^(redis-password|psp-authorization)$/)
    const used = find(`apps/${app}/src/**/*.ts`).flatMap((file) =>
      [...read(file).matchAll(/\bsecret\(\s*'([\w-]+)'/g)].map(([, name]) => name),
    )
    for (const name of used) assert.ok(scope.allowedSecrets.includes(name ?? ''), `${app} reads ${name}`)
  })

for (const app of appIds)
  test(`the names of ${app} live on: SQLite’s cleaning, which removes those that are alive, is off`, () => {
    const { component, configuration } = readYaml<Configuration>(`dapr/config/${app}.yaml`).spec
      .nameResolution
    assert.equal(component, 'sqlite')
    assert.equal(configuration.cleanupInterval, '0s')
    // Renewed every updateInterval - timeout and valid for whole seconds: a renewal may be late by timeout - 1 s.
    assert.ok(Number.parseInt(configuration.timeout ?? '', 10) >= 3)
  })

test('calls into the gateway’s sidecar are counted and need a token; no other app has a pipeline', () => {
  for (const app of appIds) {
    const handlers = readYaml<Configuration>(`dapr/config/${app}.yaml`).spec.httpPipeline?.handlers
    const wanted = ['ratelimit', 'bearer'].map((name) => ({ name, type: `middleware.http.${name}` }))
    assert.deepEqual(handlers, app === 'gateway' ? wanted : undefined)
  }
  for (const name of ['ratelimit', 'bearer']) {
    const { spec, scopes } = resource(`components/common/${name}.yaml`)
    assert.deepEqual([spec.type, scopes], [`middleware.http.${name}`, ['gateway']])
  }
})

const policyFiles = find('dapr/resiliency/*.yaml').map((file) => readYaml<Resiliency>(file))
const kinds = { timeout: 'timeouts', retry: 'retries', circuitBreaker: 'circuitBreakers' } as const

test('each app is under one Resiliency, and every policy that a target names is there', () => {
  assert.deepEqual(policyFiles.flatMap(({ scopes }) => scopes).sort(), appIds.toSorted())
  for (const { metadata, spec } of policyFiles) {
    const components = Object.values(spec.targets.components).flatMap((each) => Object.values(each))
    for (const target of [...Object.values(spec.targets.apps ?? {}), ...components])
      for (const [kind, section] of Object.entries(kinds)) {
        const name = target[kind as keyof Policies]
        assert.ok(!name || spec.policies[section]?.[name], `${metadata.name} has no ${kind} ${name}`)
      }
  }
})

const called = appIds.filter((app) => app !== 'gateway')

test('between apps every call has a deadline, a retry policy and a breaker', () => {
  const inside = policyFiles.filter(({ scopes }) => !scopes.includes('gateway'))
  for (const { spec } of inside) {
    for (const app of called) {
      const { timeout, retry, circuitBreaker } = spec.targets.apps?.[app] ?? {}
      assert.ok(timeout && retry && circuitBreaker, app)
    }
    const { timeout, retry, circuitBreaker } = spec.targets.apps?.psp ?? {}
    assert.ok(
      timeout && retry && !circuitBreaker,
      'an outsider could open the breaker of the provider for all',
    )
  }
})

test('an app has no more operations than there are breakers kept for it', () => {
  // Of Dapr 1.18: pkg/resiliency, defaultEndpointCacheSize.
  const kept = 100
  for (const app of called)
    assert.ok(operations.filter((operation) => operation.app === app).length <= kept, app)
})

test('the gateway repeats only what found no living sidecar: what times out would be repeated, and a breaker be anyone’s to open', () => {
  const gateway = policyFiles.find(({ scopes }) => scopes.includes('gateway'))
  assert.equal(gateway?.spec.targets.apps, undefined)
  assert.ok(gateway?.spec.policies.retries?.DaprBuiltInServiceRetries)
})

test('every component that is called has a deadline and a retry policy or a breaker', () => {
  for (const component of components) {
    const [block] = component.spec.type.split('.')
    const published = Object.values(scopesOf(component, 'publishingScopes')).flat()
    if (block === 'middleware') continue
    if (block === 'pubsub' && published.every((topic) => topic.endsWith('.dead-letter'))) continue
    const { name } = component.metadata
    const { timeout, retry, circuitBreaker } =
      policyFiles.map(({ spec }) => spec.targets.components[name]?.outbound).find(Boolean) ?? {}
    assert.ok(timeout && (retry || circuitBreaker), name)
  }
})

test('every delivery is repeated until it is handled or dropped', () => {
  for (const { metadata, spec, scopes } of components.filter(({ spec }) => spec.type.startsWith('pubsub.')))
    for (const app of scopes) {
      const own = policyFiles.find((file) => file.scopes.includes(app))
      const retry = own?.spec.targets.components[metadata.name]?.inbound?.retry ?? ''
      const policy = own?.spec.policies.retries?.[retry] as { maxRetries?: number } | undefined
      assert.equal(policy?.maxRetries, -1, `${spec.type} ${metadata.name} of ${app}`)
    }
})
