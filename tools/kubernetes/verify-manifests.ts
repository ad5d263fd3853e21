import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { parse } from 'yaml'
import { moduleSource } from '../launcher/go-build.ts'
import { repository } from '../launcher/stack-file.ts'
import { startApiServer } from './api-server.ts'
import { type Kubectl, listOf, objectsIn } from './kubectl.ts'

// `npm run verify:manifests`: a real API server with the real definitions of what is not Kubernetes' own takes every overlay, strictly and
// without a warning, and refuses each of their objects once it is misspelt.

type Manifest = { apiVersion: string; kind: string; metadata: { name: string }; [field: string]: unknown }

const log = (line: string) => console.error(line)
const folder = join(repository, 'deploy/kubernetes')
const overlays = globSync('overlays/*', { cwd: folder }).sort()

const source = (tool: string, module: string) => moduleSource(join(repository, 'tools', tool), module)
const dapr = source('dapr', 'github.com/dapr/dapr')
const traefik = source('traefik', 'github.com/traefik/traefik/v3')

/** Where others keep their definitions: of what we build, in the version that is built. */
const definitions = [
  join(dapr, 'charts/dapr/crds/*.yaml'),
  join(source('argo-rollouts', 'github.com/argoproj/argo-rollouts'), 'manifests/crds/*.yaml'),
  join(source('kubernetes', 'github.com/kedacore/keda/v2@v2.21.0'), 'config/crd/bases/*.yaml'),
  join(source('kubernetes', 'sigs.k8s.io/gateway-api@v1.6.1'), 'config/crd/standard/*.yaml'),
  join(source('kubernetes', 'istio.io/api@v1.32.0'), 'kubernetes/customresourcedefinitions.gen.yaml'),
  join(traefik, 'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml'),
]

const must = (what: string, { ok, stdout, stderr }: ReturnType<Kubectl>): string => {
  if (!ok) throw new Error(`${what}:\n${stderr}`)
  return stdout
}

const define = (kubectl: Kubectl): void => {
  const crds = definitions
    .flatMap((place) => globSync(place))
    .map((file) => readFileSync(file, 'utf8'))
    .filter((text) => /^kind: CustomResourceDefinition$/m.test(text))
  must('the definitions', kubectl(['apply', '--server-side', '--filename=-'], crds.join('\n---\n')))
  must('the definitions', kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']))
  log(`${crds.length} files of definitions`)
}

/** What the server says to these objects; a warning is an error. Nothing is kept. */
const tryOut = (kubectl: Kubectl, objects: object[]) => {
  const how = ['--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors']
  return kubectl(['apply', ...how, '--namespace=caravan', '--filename=-'], listOf(objects))
}

/** The same object with its last field misspelt: of its spec, where it has one. */
const misspelt = (object: Manifest): Manifest => {
  const spoil = (fields: Record<string, unknown>) => {
    const [field = '', value] = Object.entries(fields).at(-1) ?? []
    return { ...fields, [field]: undefined, [`${field}x`]: value }
  }
  const { spec } = object
  if (spec && typeof spec === 'object') return { ...object, spec: spoil({ ...spec }) }
  const { apiVersion, kind, metadata, ...rest } = object
  return Object.keys(rest).length > 0
    ? { apiVersion, kind, metadata, ...spoil(rest) }
    : { ...object, metadata: spoil(metadata) as Manifest['metadata'] }
}

/** Nobody else reads an annotation’s name: what Dapr does not know it passes over. */
const assertKnownToDapr = (objects: Manifest[]): void => {
  const names = readFileSync(join(dapr, 'pkg/injector/annotations/annotations.go'), 'utf8')
  const known = new Set([...names.matchAll(/"(dapr\.io\/[\w-]+)"/g)].map(([, name]) => name))
  const used = new Set([...listOf(objects).matchAll(/"(dapr\.io\/[\w-]+)":/g)].map(([, name]) => name))
  // A label that the injector adds.
  used.delete('dapr.io/sidecar-injected')
  const unknown = [...used].filter((name) => !known.has(name))
  if (used.size === 0 || unknown.length > 0) throw new Error(`Dapr knows no annotation ${unknown}`)
}

/** The overlay `test` with the canary and what no overlay has, such as another door: each a folder, with what it is. */
const trials = (scratch: string): [string, string][] => {
  const kustomization = (place: string) => join(folder, place, 'kustomization.yaml')
  const used = overlays.flatMap((overlay) => {
    const { components } = parse(readFileSync(kustomization(overlay), 'utf8')) as { components: string[] }
    return components.map((path) => basename(path))
  })
  return globSync('components/*', { cwd: folder }).flatMap((component) => {
    if (used.includes(basename(component))) return []
    const place = join(scratch, basename(component))
    const path = (part: string) => relative(realpathSync(place), join(folder, part))
    mkdirSync(place)
    const trial = {
      namespace: 'caravan',
      resources: [path('overlays/test')],
      components: [path('components/canary'), path(component)],
    }
    writeFileSync(join(place, 'kustomization.yaml'), JSON.stringify(trial))
    return [[`${component} with overlays/test`, place]]
  })
}

const scratch = mkdtempSync(join(tmpdir(), 'caravan-overlays-'))
const { kubectl, stop } = await startApiServer(log)
try {
  define(kubectl)
  const all = new Map<string, Manifest>()
  const places = overlays.map((overlay): [string, string] => [overlay, join(folder, overlay)])
  for (const [overlay, place] of [...places, ...trials(scratch)]) {
    const objects = objectsIn<Manifest>(must(overlay, kubectl(['kustomize', place])))
    const namespaces = objects.filter(({ kind }) => kind === 'Namespace')
    must(overlay, kubectl(['apply', '--server-side', '--filename=-'], listOf(namespaces)))
    must(overlay, tryOut(kubectl, objects))
    const blank = /"\$\{[A-Z_]+\}"/.exec(listOf(objects))
    if (blank) throw new Error(`${overlay} leaves ${blank[0]} unset`)
    for (const each of objects) all.set(`${each.apiVersion} ${each.kind} ${each.metadata.name}`, each)
    log(`${overlay}: ${objects.length} objects are taken`)
  }
  assertKnownToDapr([...all.values()])
  for (const [name, object] of all) {
    const { ok, stderr } = tryOut(kubectl, [misspelt(object)])
    if (ok || !/unknown field|field not declared/.test(stderr))
      throw new Error(`${name} is not refused for its misspelling: ${stderr}`)
  }
  log(`each of ${all.size} objects is refused when misspelt`)
} finally {
  rmSync(scratch, { recursive: true })
  await stop()
}
