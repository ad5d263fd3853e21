import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { moduleSource } from '../launcher/go-build.ts'
import { repository } from '../launcher/stack-file.ts'
import { type Kubectl, startApiServer } from './api-server.ts'

// `npm run verify:manifests`: a real API server with the real definitions of what is not Kubernetes' own takes every overlay, strictly and
// without a warning, and refuses each of their objects once it is misspelt.

type Manifest = { kind: string; metadata: { name: string }; [field: string]: unknown }

const log = (line: string) => console.error(line)
const folder = join(repository, 'deploy/kubernetes')
const overlays = globSync('overlays/*', { cwd: folder }).sort()
/** Not as YAML, which Kubernetes reads by an older version: `yes` is true there. */
const list = (items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
const read = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS())

/** Where others keep their definitions. Dapr is the version that tools/dapr pins. */
const dapr = moduleSource(join(repository, 'tools/dapr'), 'github.com/dapr/dapr')
const definitions = [
  join(dapr, 'charts/dapr/crds'),
  ...[
    ['github.com/kedacore/keda/v2@v2.21.0', 'config/crd/bases'],
    ['github.com/argoproj/argo-rollouts@v1.10.1', 'manifests/crds'],
    ['sigs.k8s.io/gateway-api@v1.6.1', 'config/crd/standard'],
  ].map(([module = '', place = '']) =>
    join(moduleSource(join(repository, 'tools/kubernetes'), module), place),
  ),
]

const must = (what: string, { ok, stdout, stderr }: ReturnType<Kubectl>): string => {
  if (!ok) throw new Error(`${what}:\n${stderr}`)
  return stdout
}

const define = (kubectl: Kubectl): void => {
  const crds = definitions.flatMap((place) =>
    globSync('*.yaml', { cwd: place })
      .map((file) => readFileSync(join(place, file), 'utf8'))
      .filter((text) => /^kind: CustomResourceDefinition$/m.test(text)),
  )
  must('the definitions', kubectl(['apply', '--server-side', '--filename=-'], crds.join('\n---\n')))
  must('the definitions', kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']))
  log(`${crds.length} definitions`)
}

/** What the server says to these objects; a warning is an error. Nothing is kept. */
const tryOut = (kubectl: Kubectl, objects: object[]) => {
  const how = ['--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors']
  return kubectl(['apply', ...how, '--namespace=caravan', '--filename=-'], list(objects))
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
  const used = new Set([...list(objects).matchAll(/"(dapr\.io\/[\w-]+)":/g)].map(([, name]) => name))
  // A label that the injector adds.
  used.delete('dapr.io/sidecar-injected')
  const unknown = [...used].filter((name) => !known.has(name))
  if (used.size === 0 || unknown.length > 0) throw new Error(`Dapr knows no annotation ${unknown}`)
}

const { kubectl, stop } = await startApiServer(log)
try {
  define(kubectl)
  const all = new Map<string, Manifest>()
  for (const overlay of overlays) {
    const objects = read(must(overlay, kubectl(['kustomize', join(folder, overlay)])))
    const namespaces = objects.filter(({ kind }) => kind === 'Namespace')
    must(overlay, kubectl(['apply', '--server-side', '--filename=-'], list(namespaces)))
    must(overlay, tryOut(kubectl, objects))
    const blank = /"\$\{[A-Z_]+\}"/.exec(list(objects))
    if (blank) throw new Error(`${overlay} leaves ${blank[0]} unset`)
    for (const each of objects) all.set(`${each.kind}/${each.metadata.name}`, each)
    log(`${overlay}: ${objects.length} objects are taken`)
  }
  // Of components that no overlay uses, too.
  for (const file of globSync('components/*/*.yaml', { cwd: folder })) {
    if (file.endsWith('/kustomization.yaml')) continue
    const objects = read(readFileSync(join(folder, file), 'utf8'))
    must(file, tryOut(kubectl, objects))
    for (const each of objects) all.set(`${each.kind}/${each.metadata.name}`, each)
  }
  assertKnownToDapr([...all.values()])
  for (const [name, object] of all) {
    const { ok, stderr } = tryOut(kubectl, [misspelt(object)])
    if (ok || !/unknown field|field not declared/.test(stderr))
      throw new Error(`${name} is not refused for its misspelling: ${stderr}`)
  }
  log(`each of ${all.size} objects is refused when misspelt`)
} finally {
  await stop()
}
