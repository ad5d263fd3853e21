import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { moduleSource } from '../../tools/launcher/go-build.ts'
import { repository } from '../../tools/launcher/stack-file.ts'

/** Where each kind of resource is defined: a Go module of its own project, and files of it. */
const sources: [module: string, files: string][] = [
  ['github.com/argoproj/argo-cd/v3@v3.5.7', 'manifests/crds/*-crd.yaml'],
]
/** Pins Kubernetes itself. */
const pinning = join(repository, 'tools/kubernetes')

type Schema = { [key: string]: unknown }
type Definition = {
  kind: string
  spec: {
    group: string
    names: { kind: string }
    versions: { name: string; schema: { openAPIV3Schema: { properties: Schema } } }[]
  }
}

const mapped = (members: unknown) =>
  Object.fromEntries(Object.entries(members as Schema).map(([name, member]) => [name, strict(member)]))

/** The schema as an API server reads it with fieldValidation=Strict: a field that an object does not have is an error. */
const strict = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const { properties, ...own } = schema as Schema
  const open = own['x-kubernetes-preserve-unknown-fields'] || 'additionalProperties' in own
  const numberOrText = own['x-kubernetes-int-or-string'] || own.format === 'int-or-string'
  return {
    ...mapped(own),
    ...(properties ? { properties: mapped(properties) } : {}),
    ...(properties && !open ? { additionalProperties: false } : {}),
    ...(numberOrText ? { type: ['integer', 'string'] } : {}),
  }
}

/** What every resource has, whether its definition says so or not. */
const resource = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }

/** Writes a JSON schema for each kind into the folder; returns the template of their names for kubeconform. */
export const writeSchemas = (folder: string): string => {
  const write = (group: string, kind: string, version: string, schema: unknown) => {
    const file = join(folder, group, `${kind.toLowerCase()}_${version}.json`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(schema))
  }
  for (const [module, files] of sources)
    for (const file of globSync(join(moduleSource(pinning, module), files)))
      for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
        const { kind, spec } = (document.toJS() ?? {}) as Definition
        if (kind !== 'CustomResourceDefinition') continue
        for (const { name, schema } of spec.versions)
          write(
            ...[spec.group, spec.names.kind, name],
            strict({
              ...schema.openAPIV3Schema,
              properties: { ...resource, ...schema.openAPIV3Schema.properties },
            }),
          )
      }
  const openApi = readFileSync(
    join(moduleSource(pinning, 'k8s.io/kubernetes'), 'api/openapi-spec/swagger.json'),
    'utf8',
  )
  const definitions = mapped(JSON.parse(openApi).definitions)
  for (const [kind, group, name] of [
    ['Namespace', 'v1', 'io.k8s.api.core.v1.Namespace'],
    ['NetworkPolicy', 'networking.k8s.io', 'io.k8s.api.networking.v1.NetworkPolicy'],
  ])
    write(String(group), String(kind), 'v1', { $ref: `#/definitions/${name}`, definitions })
  return `${folder}/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`
}
