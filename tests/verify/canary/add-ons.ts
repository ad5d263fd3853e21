import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts'
import { apply, rolledOut } from '../../../tools/cluster/addons.ts'
import { makeOfProgram, provideImages } from '../../../tools/containers/base-images.ts'
import { type Kubectl, listOf, objectsIn, tell } from '../../../tools/kubernetes/kubectl.ts'
import { moduleSource } from '../../../tools/launcher/go-build.ts'
import { pinnedTool, provideGoTool } from '../../../tools/launcher/go-tool.ts'
import { repository } from '../../../tools/launcher/stack-file.ts'

type Log = (line: string) => void

const tool = (name: string) => join(repository, 'tools', name)
const component = join(repository, 'deploy/kubernetes/components/prometheus/prometheus.yaml')
const read = (file: string) => readFileSync(file, 'utf8')

const version = (name: string) => pinnedTool(read(join(tool(name), 'go.mod'))).version

const images = {
  rollouts: `quay.io/argoproj/argo-rollouts:v${version('argo-rollouts')}`,
  traefik: `traefik:v${version('traefik')}`,
  // 0.310 of the module is 3.10.
  prometheus: String(/image: (prom\S+)/.exec(read(component))?.[1]),
}
/** Where Traefik's Service has its address, in the part of the range that nobody is given by chance. */
export const door = '10.96.0.80'

/** Provides what a canary needs beside the shop; the images' names. */
export const provideAddOns = async (docker: string, log: Log): Promise<string[]> => {
  const made = (name: string, path: string, flags?: string[]) => async (client: string, image: string) =>
    makeOfProgram(client, image, await provideGoTool(repository, name, log, flags), path)
  const all = Object.values(images)
  await provideImages(docker, all, log, {
    [images.rollouts]: made('argo-rollouts', 'bin/rollouts-controller'),
    [images.traefik]: made('traefik', 'usr/local/bin/traefik'),
    [images.prometheus]: made('prometheus', 'bin/prometheus', [
      '-tags',
      'remove_all_sd,enable_kubernetes_sd',
    ]),
  })
  // Fetched while there is a network.
  sources()
  return all
}

const sources = () => ({
  rollouts: join(
    moduleSource(tool('argo-rollouts'), 'github.com/argoproj/argo-rollouts'),
    'manifests/install.yaml',
  ),
  traefik: join(
    moduleSource(tool('traefik'), 'github.com/traefik/traefik/v3'),
    'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml',
  ),
})

const objectsOf = (file: string) => objectsIn<Deployment>(read(file))

/** Argo Rollouts by its own manifests, and what Traefik's resources are. */
export const installRollouts = async (kubectl: Kubectl): Promise<void> => {
  const namespace = 'argo-rollouts'
  const { rollouts, traefik } = sources()
  const objects = objectsOf(rollouts)
  for (const { kind, spec } of objects)
    for (const container of (kind === 'Deployment' && spec?.template.spec?.containers) || [])
      Object.assign(container, {
        ...{ image: images.rollouts, imagePullPolicy: 'Never' },
        command: ['/bin/rollouts-controller'],
      })
  apply(kubectl, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...objectsOf(traefik),
  ])
  const how = ['--server-side', `--namespace=${namespace}`, '--filename=-']
  tell(kubectl, ['apply', ...how], listOf(objects))
  await rolledOut(kubectl, 'deployment/argo-rollouts', namespace)
}

/** Traefik, after the shop whose door it is. */
export const installTraefik = async (kubectl: Kubectl): Promise<void> => {
  const text = read(join(import.meta.dirname, 'traefik.yaml'))
  tell(
    kubectl,
    ['apply', '--server-side', '--filename=-'],
    text.replace('ADDRESS', door).replace('IMAGE', images.traefik),
  )
  await rolledOut(kubectl, 'deployment/traefik', 'edge')
}
