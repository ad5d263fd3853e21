import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Container, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts'
import { parse, parseAllDocuments } from 'yaml'
import { manifests, written } from '../../tools/kubernetes/main.ts'
import { appIds, find, read, readYaml, root, topology } from './repository.ts'

const folder = 'deploy/kubernetes'

type Workload = { template?: PodTemplateSpec; jobTemplate?: { spec: { template: PodTemplateSpec } } }
type Manifest = { kind: string; metadata: { name: string }; spec: Workload }
type Role = Manifest & { rules: { resources: string[]; resourceNames: string[]; verbs: string[] }[] }
type Kustomization = {
  kind: string
  resources?: string[]
  components?: string[]
  images?: { name: string }[]
}

const files = find(`${folder}/**/*.yaml`).filter((file) => dirname(file) !== folder)
const objectsOf = (file: string) => parseAllDocuments(read(file)).map((document) => document.toJS())
const kustomizations = files.filter((file) => file.endsWith('/kustomization.yaml'))
const objects: Manifest[] = files.filter((file) => !kustomizations.includes(file)).flatMap(objectsOf)
const all = (kind: string) => objects.filter((each) => each.kind === kind)
const named = <T extends Manifest>(kind: string, name: string): T => {
  const found = all(kind).find(({ metadata }) => metadata.name === name)
  assert.ok(found, `there is no ${kind} ${name}`)
  return found as T
}

test('what is made of dapr/ and components/ is up to date: npm run kubernetes', () => {
  assert.deepEqual(written(), Object.keys(manifests).sort())
  for (const [path, text] of Object.entries(manifests)) assert.equal(read(path), text, path)
})

test('every file is a part of something, and every part is there', () => {
  const parts = new Set<string>()
  for (const file of kustomizations) {
    const { kind, resources = [], components = [] } = readYaml<Kustomization>(file)
    assert.equal(kind, file.includes('/components/') ? 'Component' : 'Kustomization', file)
    for (const part of [...resources, ...components]) {
      const path = join(dirname(file), part)
      const isFolder = existsSync(join(root, path)) && statSync(join(root, path)).isDirectory()
      parts.add(isFolder ? join(path, 'kustomization.yaml') : path)
    }
  }
  const unused = ['ingress', 'istio', 'traefik'].map(
    (door) => `${folder}/components/${door}/kustomization.yaml`,
  )
  const overlays = ['dev', 'test', 'online'].map((name) => `${folder}/overlays/${name}/kustomization.yaml`)
  assert.deepEqual([...parts, ...overlays, ...unused].sort(), files)
})

const pods = objects.flatMap(({ kind, metadata: { name }, spec }) => {
  const pod = kind === 'CronJob' ? spec.jobTemplate?.spec.template : spec?.template
  return pod ? [{ name, pod }] : []
})
const containersOf = ({ spec }: PodTemplateSpec): Container[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
]

for (const { name, pod } of pods)
  test(`the pod of ${name} may nothing, writes nowhere but to volumes, and is bounded`, () => {
    const { automountServiceAccountToken, enableServiceLinks, securityContext: shared } = pod.spec ?? {}
    assert.deepEqual([automountServiceAccountToken, enableServiceLinks], [false, false])
    assert.equal(shared?.runAsNonRoot, true)
    assert.equal(shared?.seccompProfile?.type, 'RuntimeDefault')
    for (const { image, resources, securityContext: own, command = [], args = [] } of containersOf(pod)) {
      assert.ok(
        (own?.runAsUser ?? shared?.runAsUser ?? 0) > 0,
        'by number: of a name nobody knows that it is not root',
      )
      assert.deepEqual(
        [own?.allowPrivilegeEscalation, own?.readOnlyRootFilesystem, own?.capabilities?.drop],
        [false, true, ['ALL']],
      )
      assert.ok(resources?.limits?.memory && resources.requests?.memory && resources.requests.cpu)
      assert.match(image ?? '', /^(caravan-[a-z-]+|[a-z/]+:v?\d[\w.]*)$/)
      for (const word of [...command, ...args]) assert.equal(typeof word, 'string', 'a word is no number')
    }
  })

type Outsider = { appID: string; appPort: number; ports?: Record<string, number> }
type Service = Manifest & { spec: { ports: { name: string; port: number }[] } }

test('the stand-ins outside of the shop listen where dapr.yaml says, and the shop looks for them there', () => {
  const { configMapGenerator } = readYaml<{ configMapGenerator: { name: string; literals: string[] }[] }>(
    `${folder}/base/kustomization.yaml`,
  )
  const backing = configMapGenerator.find(({ name }) => name === 'backing')?.literals ?? []
  const told = backing.filter((line) => /^(PSP_URL|SMTP_HOST|SMTP_PORT)=/.test(line)).sort()
  const asked: string[] = []
  for (const { appID, appPort, ports = {} } of topology.outside as Outsider[]) {
    asked.push(
      ...(ports.smtp
        ? [`SMTP_HOST=${appID}`, `SMTP_PORT=${ports.smtp}`]
        : [`PSP_URL=http://${appID}:${appPort}`]),
    )
    const [container] = pods.find(({ name }) => name === appID)?.pod.spec?.containers ?? []
    assert.equal(container?.image, `caravan-${appID}`)
    const declared = Object.entries({ http: appPort, ...ports }).sort()
    const listening = container?.ports?.map((each) => [each.name, each.containerPort])
    assert.deepEqual(listening?.sort(), declared)
    const { spec } = named<Service>('Service', appID)
    assert.deepEqual(spec.ports.map(({ name, port }) => [name, port]).sort(), declared)
  }
  assert.deepEqual(told, asked.sort())
})

test('whichever overlay is applied, Dapr’s resources come before what reads them', () => {
  type Order = { sortOptions?: { legacySortOptions?: { orderLast: string[] } } }
  for (const file of kustomizations.filter((each) => each.includes('/overlays/'))) {
    const last = readYaml<Order>(file).sortOptions?.legacySortOptions?.orderLast ?? []
    const { components = [] } = readYaml<Kustomization>(file)
    const isCanary = components.some((path) => path.endsWith('/canary'))
    assert.ok(
      ['Deployment', 'StatefulSet', 'Job', ...(isCanary ? ['Rollout'] : [])].every((kind) =>
        last.includes(kind),
      ),
      file,
    )
    // It changes what these bring.
    const others = components.map((path) => path.split('/').at(-1) ?? '')
    for (const earlier of ['hpa', 'keda', 'gateway-api'])
      assert.ok(!isCanary || others.indexOf(earlier) < others.indexOf('canary'), `${earlier} in ${file}`)
  }
})

test('a canary is of an app’s own pods, judged before each step by what it and the version before it answer', () => {
  type Argument = { name: string; value?: string; valueFrom?: { podTemplateHashValue: string } }
  type Step = { setWeight?: number; analysis?: { args: Argument[] } }
  type Rollout = Manifest & {
    spec: { workloadRef: { name: string }; strategy: { canary: { steps: Step[] } } }
  }
  const rollouts = all('Rollout') as Rollout[]
  assert.deepEqual(rollouts.map(({ metadata }) => metadata.name).sort(), ['gateway', 'orders'])
  for (const { metadata, spec } of rollouts) {
    const { name } = named('Deployment', spec.workloadRef.name).metadata
    assert.equal(metadata.name, name)
    const { steps } = spec.strategy.canary
    assert.deepEqual(
      steps.map(({ setWeight, analysis }) => setWeight ?? analysis?.args),
      [5, 25].flatMap((weight) => [
        weight,
        [
          { name: 'app', value: name },
          { name: 'canary', valueFrom: { podTemplateHashValue: 'Latest' } },
          { name: 'stable', valueFrom: { podTemplateHashValue: 'Stable' } },
        ],
      ]),
    )
  }
})

test('an overlay for operation names an image of each app, and of nothing else', () => {
  const { images = [] } = readYaml<Kustomization>(`${folder}/overlays/online/kustomization.yaml`)
  assert.deepEqual(images.map(({ name }) => name).sort(), appIds.map((app) => `caravan-${app}`).sort())
})

test('each app scales by one thing alone', () => {
  const scaled = ['HorizontalPodAutoscaler', 'ScaledObject'].flatMap(all).map(({ metadata }) => metadata.name)
  assert.deepEqual(scaled.sort(), appIds.toSorted())
})

test('consumer groups are cleared on each topic of `broadcast`', () => {
  type Component = { spec: { metadata: { name: string; value?: string }[] } }
  const { spec } = readYaml<Component>('components/local/broadcast.yaml')
  const scopes = spec.metadata.find(({ name }) => name === 'subscriptionScopes')?.value ?? ''
  const topics = new Set(scopes.split(';').flatMap((part) => part.split('=')[1]?.split(',') ?? []))
  const command = read(`${folder}/base/broadcast-groups.yaml`)
  const [, count, cleared = ''] = /EVAL "\$0" (\d+) ((?:[\w.-]+ )+)\d+$/m.exec(command) ?? []
  const wanted = [...topics].filter((topic) => topic && !topic.endsWith('.dead-letter')).sort()
  assert.deepEqual(cleared.trim().split(' ').sort(), wanted)
  assert.equal(Number(count), wanted.length)
})

test('the generator makes each Secret that is named, with the key that is asked for, and keeps what is there', (t) => {
  const to = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(to, { recursive: true }))
  const generate = () => {
    const args = [join(root, folder, 'generate-secrets.mjs'), '--to', to]
    execFileSync(process.execPath, args, { stdio: 'pipe' })
    return readFileSync(join(to, 'secrets.json'), 'utf8')
  }
  const text = generate()
  const { items } = parse(text) as {
    items: { metadata: { name: string }; stringData: Record<string, string> }[]
  }
  const made = new Map(items.map(({ metadata, stringData }) => [metadata.name, Object.keys(stringData)]))
  const named: [string, string | undefined][] = []
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'secretKeyRef') named.push([inner.name, inner.key])
      else if (key === 'secretName' && inner !== 'shop-tls') named.push([inner, undefined])
      else if (/^dapr\.io\/\w+-token-secret$/.test(key)) named.push([inner, 'token'])
      else if (key === 'resourceNames') for (const name of inner) named.push([name, name])
      else if (key === 'secretTargetRef') for (const { name, key } of inner) named.push([name, key])
      else look(inner)
    }
  }
  objects.forEach(look)
  assert.ok(named.length > appIds.length * 4)
  for (const [name, key] of named) {
    const keys = made.get(name)
    assert.ok(keys && (!key || keys.includes(key)), `${name} ${key}`)
  }
  assert.equal(generate(), text)
})

test('an app’s sidecar may read its own secrets in Kubernetes, and the app none', () => {
  for (const app of appIds) {
    const { rules } = named<Role>('Role', app)
    assert.deepEqual(
      rules.map(({ resources, verbs }) => [resources, verbs]),
      [[['secrets'], ['get']]],
    )
    const others = appIds.filter((other) => other !== app)
    for (const name of rules[0]?.resourceNames ?? [])
      assert.ok(
        !others.some((other) => name === `${other}-mysql` || name.endsWith('-token')),
        `${app} ${name}`,
      )
    const { pod } = pods.find(({ name }) => name === app) ?? {}
    for (const { volumeMounts } of containersOf(pod ?? {})) assert.equal(volumeMounts, undefined)
  }
})
