import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getKeys } from '@caravan/contracts/identity'
import { invokedPath } from '@caravan/contracts/operation'
import { parse } from 'yaml'
import { repository } from '../launcher/stack-file.ts'
import { readTopology } from '../launcher/topology.ts'

type SecretKeyRef = { name: string; key: string }
type Entry = { name: string; value?: string; envRef?: string; secretKeyRef?: SecretKeyRef }

/** A Component, HTTPEndpoint or Resiliency. */
export type DaprResource = {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: { type?: string; metadata?: Entry[]; headers?: Entry[]; baseUrl?: string }
  auth?: { secretStore: string }
  scopes: string[]
}

export type DaprConfiguration = {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: {
    nameResolution?: unknown
    secrets: { scopes: { allowedSecrets: string[] }[] }
    accessControl?: { policies: { namespace: string }[] }
    metrics: Record<string, unknown>
  }
}

export const namespace = 'caravan'

export const topology = readTopology(repository)

const readYaml = <T>(file: string): T => parse(readFileSync(file, 'utf8')) as T

/** What dapr.yaml gives to every sidecar, as it stands there. */
const declared = topology.resourceFolders.flatMap((folder) =>
  globSync('*.yaml', { cwd: folder })
    .sort()
    .map((file) => readYaml<DaprResource>(join(folder, file))),
)

/** What a value from the environment is in a cluster; the rest is the overlay's to say. */
const known: Record<string, string> = {
  IDENTITY_JWKS_URL: `http://identity:${topology.apps.find(({ appID }) => appID === 'identity')?.appPort}${invokedPath(getKeys)}`,
}
export const jwksUrl = known.IDENTITY_JWKS_URL ?? ''

/** Stands where `components/settings` puts the setting of that name. */
export const unset = (setting: string): string => `\${${setting}}`

const settled = (entry: Entry): Entry => {
  const { envRef, ...rest } = entry
  return envRef ? { ...rest, value: known[envRef] ?? unset(envRef) } : entry
}

const inCluster = (resource: DaprResource): DaprResource => {
  const { kind, spec } = resource
  if (kind === 'HTTPEndpoint') return { ...resource, spec: { ...spec, baseUrl: unset('PSP_URL') } }
  if (spec.type === 'secretstores.local.file')
    return { ...resource, spec: { ...spec, type: 'secretstores.kubernetes', metadata: [] } }
  return spec.metadata ? { ...resource, spec: { ...spec, metadata: spec.metadata.map(settled) } } : resource
}

/** The same resources for a cluster: secrets from Kubernetes, and in place of variables their values. */
export const daprResources: DaprResource[] = declared.map(inCluster)

const entries = ({ spec }: DaprResource): Entry[] => [...(spec.metadata ?? []), ...(spec.headers ?? [])]

const resourcesOf = (app: string) => declared.filter(({ scopes }) => scopes.includes(app))

/** Whether a resource of this app has an entry from this variable of the environment. */
export const usesSetting = (app: string, setting: string): boolean =>
  resourcesOf(app).some((resource) => entries(resource).some(({ envRef }) => envRef === setting))

const configurationOf = (app: string): DaprConfiguration =>
  readYaml(join(repository, 'dapr/config', `${app}.yaml`))

/**
 * The one Configuration that a pod may name: dapr/config and dapr/access in one. Names are resolved by Kubernetes. `enabled`
 * has to be there.
 */
export const configuration = (app: string): DaprConfiguration => {
  const { spec, ...head } = configurationOf(app)
  const { nameResolution: _, metrics, ...own } = spec
  const access: DaprConfiguration = readYaml(join(repository, 'dapr/access', `${app}.yaml`))
  const accessControl = access.spec.accessControl ?? { policies: [] }
  const policies = accessControl.policies.map((policy) => ({ ...policy, namespace }))
  return {
    ...head,
    spec: { ...own, metrics: { enabled: true, ...metrics }, accessControl: { ...accessControl, policies } },
  }
}

/** Each secret that an app's sidecar reads, for the app or for its components. */
export const secretsOf = (app: string): string[] => {
  const forComponents = resourcesOf(app).flatMap((resource) =>
    entries(resource).flatMap(({ secretKeyRef }) => secretKeyRef?.name ?? []),
  )
  const forApp = configurationOf(app).spec.secrets.scopes.flatMap(({ allowedSecrets }) => allowedSecrets)
  return [...new Set([...forApp, ...forComponents])].sort()
}

/** The topics that an app shares with its own replicas: each event goes to one of them. Without dead letters. */
export const sharedTopics = (app: string): string[] => {
  const pubsub = declared.find(({ metadata }) => metadata.name === 'pubsub')
  const scopes = pubsub?.spec.metadata?.find(({ name }) => name === 'subscriptionScopes')?.value ?? ''
  const own = scopes.split(';').find((part) => part.startsWith(`${app}=`)) ?? ''
  const topics = own.slice(app.length + 1).split(',')
  return topics.filter((topic) => topic !== '' && topic !== `${app}.dead-letter`)
}
