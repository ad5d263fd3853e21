import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts'
import type { Container } from 'kubernetes-types/core/v1.d.ts'
import { apply, rolledOut, volume } from '../../tools/cluster/addons.ts'
import type { Node } from '../../tools/cluster/node.ts'
import { attachShop } from '../../tools/kubernetes/attach.ts'
import { namespace, topology } from '../../tools/kubernetes/dapr-resources.ts'
import { objectsIn, tell } from '../../tools/kubernetes/kubectl.ts'
import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { repository } from '../../tools/launcher/stack-file.ts'

/** As much of any object as is looked at here. */
type Manifest = Omit<Deployment, 'kind'> & { kind: string }

export const apps = topology.apps.map(({ appID }) => appID)
export const tag = 'verify'

/** The images of the shop's own, as this repository's build names them. */
export const shopImages = ['psp-sandbox', 'mail-sandbox', ...apps].map((app) => `caravan-${app}:${tag}`)

/** Owners of what is kept: mysql and redis of their images, node of ours. */
const claims = { 'data-mysql-0': 999, 'data-redis-0': 999, 'data-psp-sandbox-0': 1000 }

/** Parts of a processor: two replicas of everything ask for more than a node of two has. */
const share = { small: '10m', scaled: '50m' }

const isOurs = (image: string) => /(?:^|\/)(caravan-[\w-]+)(?:[:@]|$)/.exec(image)?.[1]

/** The same objects for a node of two processors, with images of our own. */
const fit = (objects: Manifest[], scaled: ReadonlySet<string>): Manifest[] => {
  const change = (container: Container, name = '') => {
    const own = isOurs(container.image ?? '')
    if (own) container.image = `${own}:${tag}`
    const requests = container.resources?.requests as Record<string, string> | undefined
    if (requests?.cpu) requests.cpu = scaled.has(name) ? share.scaled : share.small
  }
  for (const { metadata, spec } of objects) {
    const { template } = spec ?? {}
    if (!template?.spec) continue
    for (const each of [...template.spec.containers, ...(template.spec.initContainers ?? [])])
      change(each, metadata?.name)
    const { annotations } = template.metadata ?? {}
    if (annotations?.['dapr.io/sidecar-cpu-request']) annotations['dapr.io/sidecar-cpu-request'] = share.small
  }
  return objects
}

/**
 * The shop of an overlay in this cluster, its files below `folder`; `adapt` changes the overlay’s text. Resolves when all of its pods are
 * ready, of Rollouts only those of their Deployments.
 */
export const startShop = async (
  { kubectl, kubeconfig }: Node,
  program: string,
  folder: string,
  overlay = join(repository, 'deploy/kubernetes/overlays/test'),
  adapt = (text: string) => text,
) => {
  for (const [claim, owner] of Object.entries(claims)) {
    const path = join(folder, 'volumes', claim)
    mkdirSync(path, { recursive: true })
    chownSync(path, owner, owner)
  }
  const secrets = join(folder, 'secrets')
  execFileSync(process.execPath, [
    join(repository, 'deploy/kubernetes/generate-secrets.mjs'),
    '--to',
    secrets,
  ])
  const text = adapt(tell(kubectl, ['kustomize', overlay]))
  const rendered = objectsIn<Manifest>(text)
  const scaled = rendered.flatMap(({ kind, metadata }) =>
    kind === 'HorizontalPodAutoscaler' ? String(metadata?.name) : [],
  )
  const objects = fit(rendered, new Set(scaled))
  const isNamespace = ({ kind }: Manifest) => kind === 'Namespace'
  const volumes = Object.keys(claims).map((claim) =>
    volume(join(folder, 'volumes', claim), namespace, claim, '5Gi'),
  )
  apply(kubectl, [...objects.filter(isNamespace), ...volumes])
  tell(kubectl, ['apply', '--server-side', '--filename', join(secrets, 'secrets.json')])
  apply(
    kubectl,
    objects.filter((each) => !isNamespace(each)),
  )
  const workloads = ['statefulset/mysql', 'statefulset/redis', 'statefulset/psp-sandbox']
  const deployments = ['mail-sandbox', ...apps].map((app) => `deployment/${app}`)
  const ready = async () => {
    for (const each of [...workloads, ...deployments]) await rolledOut(kubectl, each, namespace)
  }
  await ready()
  const values = join(secrets, 'values.json')
  const cluster = (service: string) =>
    tell(kubectl, ['get', 'service', service, `--namespace=${namespace}`, '-o=jsonpath={.spec.clusterIP}'])
  const url = `http://${cluster('gateway')}:8080`
  const pspUrl = `http://${cluster('psp-sandbox')}:6100`
  return {
    /** Where it is for whoever is in the cluster's network. */
    ...{ url, pspUrl, values, ready },
    /** Runs what looks into the shop, while pods stay. */
    attached: async <T>(
      profile: string,
      work: (stack: ReturnType<typeof attachStack>) => Promise<T>,
    ): Promise<T> => {
      const { close } = await attachShop(profile, values, {
        ...{ kubectl: program, environment: { KUBECONFIG: kubeconfig }, url, pspUrl },
      })
      try {
        return await work(attachStack(profile))
      } finally {
        close()
      }
    },
  }
}
