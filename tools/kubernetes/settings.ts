import { type DaprResource, daprResources } from './dapr-resources.ts'

/** Where each is told: what apps know, too, or what only their sidecars' resources need. */
const sources: Record<string, string> = { TOKEN_ISSUER: 'shop' }

type Place = { setting: string; kind: string; name: string; fieldPath: string }

const setting = (value: string | undefined): string | undefined => /^\$\{(\w+)\}$/.exec(value ?? '')?.[1]

const placesIn = ({ kind, metadata: { name }, spec }: DaprResource): Place[] => {
  const at = (value: string | undefined, fieldPath: string): Place[] => {
    const found = setting(value)
    return found ? [{ setting: found, kind, name, fieldPath }] : []
  }
  const inMetadata = (spec.metadata ?? []).flatMap((entry) =>
    at(entry.value, `spec.metadata.[name=${entry.name}].value`),
  )
  return [...inMetadata, ...at(spec.baseUrl, 'spec.baseUrl')]
}

const replacement = (name: string, places: Place[]) => ({
  source: { kind: 'ConfigMap', name: sources[name] ?? 'backing', fieldPath: `data.${name}` },
  targets: places.map(({ kind, name: resource, fieldPath }) => ({
    select: { group: 'dapr.io', kind, name: resource },
    fieldPaths: [fieldPath],
  })),
})

const places = Map.groupBy(daprResources.flatMap(placesIn), (place) => place.setting)

/** A Kustomize component that writes an overlay's settings into Dapr's resources, which know no ConfigMap. */
export const settings = {
  apiVersion: 'kustomize.config.k8s.io/v1alpha1',
  kind: 'Component',
  replacements: [...places].sort().map(([name, found]) => replacement(name, found)),
}
