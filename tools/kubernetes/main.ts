import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { repository } from '../launcher/stack-file.ts'
import { appObjects } from './app.ts'
import { autoscaling } from './autoscaling.ts'
import { daprResources, topology } from './dapr-resources.ts'
import { settings } from './settings.ts'

// `npm run kubernetes` writes what deploy/kubernetes has of dapr/dapr.yaml, dapr/ and components/, which stay the one place
// where apps, resources and permissions are listed.

const folder = 'deploy/kubernetes'
const title = '# Written by npm run kubernetes, from dapr/ and components/.\n'

const appFiles = topology.apps.map((app): [string, object[]] => [`${app.appID}.yaml`, appObjects(app)])

const kustomization = {
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources: ['resources.yaml', ...appFiles.map(([file]) => file)],
}

const files: Record<string, object[]> = {
  'base/apps/kustomization.yaml': [kustomization],
  'base/apps/resources.yaml': daprResources,
  ...Object.fromEntries(appFiles.map(([file, objects]) => [`base/apps/${file}`, objects])),
  'components/settings/kustomization.yaml': [settings],
  ...autoscaling,
}

/** People read it, so no anchors and no folded lines; Kubernetes reads YAML 1.1. */
const style = { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' } as const

const text = (objects: object[]): string =>
  title + objects.map((each) => stringify(each, style)).join('---\n')

/** Each file that is generated, by its path in the repository. */
export const manifests: Record<string, string> = Object.fromEntries(
  Object.entries(files).map(([path, objects]) => [`${folder}/${path}`, text(objects)]),
)

/** What stands in the folders that are generated. */
export const written = (): string[] =>
  globSync(
    Object.keys(files).map((path) => `${folder}/${dirname(path)}/*.yaml`),
    { cwd: repository },
  ).sort()

if (import.meta.main) {
  for (const path of written()) rmSync(join(repository, path))
  for (const [path, content] of Object.entries(manifests)) {
    mkdirSync(join(repository, dirname(path)), { recursive: true })
    writeFileSync(join(repository, path), content)
  }
}
