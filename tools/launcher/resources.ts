import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseAllDocuments, parseDocument } from 'yaml'
import type { Topology } from './topology.ts'

/**
 * Copies the Dapr resources to `target` and returns the folders for the sidecar's --resources-path. Everything that
 * differs between stacks reaches the sidecar by environment, except an HTTPEndpoint's address: `baseUrls` sets those.
 */
export const renderResources = (
  topology: Topology,
  target: string,
  baseUrls: Record<string, string>,
  set: string,
): string[] => {
  const folders = topology.resourceFolders.map((folder, index, { length }) =>
    index === length - 1 ? join(dirname(folder), set) : folder,
  )
  const missing = folders.find((folder) => !existsSync(folder))
  if (missing) throw new Error(`there is no folder of components ${missing}`)
  rmSync(target, { recursive: true, force: true })
  return folders.map((folder) => {
    const copy = join(target, basename(folder))
    cpSync(folder, copy, { recursive: true })
    for (const name of readdirSync(copy)) setBaseUrl(join(copy, name), baseUrls)
    return copy
  })
}

const setBaseUrl = (file: string, baseUrls: Record<string, string>) => {
  if (!/\.ya?ml$/.test(file)) return
  const document = parseDocument(readFileSync(file, 'utf8'))
  const baseUrl = baseUrls[String(document.getIn(['metadata', 'name']))]
  if (document.get('kind') !== 'HTTPEndpoint' || !baseUrl) return
  document.setIn(['spec', 'baseUrl'], baseUrl)
  writeFileSync(file, document.toString())
}

type Resource = { kind?: string; spec?: Record<string, unknown> }

/** The types of component, `pubsub.redis`, that these files name: components themselves, middleware, name resolution. */
export const componentTypes = (files: readonly string[]): string[] => {
  const resources = files.flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document): Resource => document.toJS() ?? {}),
  )
  const types = resources.flatMap(({ kind, spec = {} }) => {
    // Kustomize has a kind of that name too, without a type.
    if (kind === 'Component') return spec.type === undefined ? [] : [String(spec.type)]
    if (kind !== 'Configuration') return []
    const pipelines = [spec.httpPipeline, spec.appHttpPipeline] as (
      | { handlers?: { type: string }[] }
      | undefined
    )[]
    const { component } = (spec.nameResolution ?? {}) as { component?: string }
    return [
      ...pipelines.flatMap((pipeline) => pipeline?.handlers?.map(({ type }) => type) ?? []),
      ...(component ? [`nameresolution.${component}`] : []),
    ]
  })
  return [...new Set(types)].sort()
}
