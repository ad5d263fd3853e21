import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts'
import type { PersistentVolume } from 'kubernetes-types/core/v1.d.ts'
import { type Kubectl, listOf, objectsIn, tell } from '../kubernetes/kubectl.ts'
import { daprVersion } from '../launcher/dapr-binaries.ts'
import { inherited } from '../launcher/environment.ts'
import { moduleSource } from '../launcher/go-build.ts'
import { repository } from '../launcher/stack-file.ts'
import { clusterImages, daprRegistry } from './images.ts'
import type { Node } from './node.ts'

export const apply = (kubectl: Kubectl, objects: readonly object[]): void => {
  tell(kubectl, ['apply', '--server-side', '--force-conflicts', '--filename=-'], listOf(objects))
}

/** Waits until all pods of a workload are those of its newest version, and available. */
export const rolledOut = async (
  kubectl: Kubectl,
  what: string,
  namespace: string,
  seconds = 240,
): Promise<void> => {
  const end = Date.now() + seconds * 1000
  // Asked again and again: whoever waits has more to do meanwhile.
  for (;;) {
    const { ok, stdout, stderr } = kubectl([
      'rollout',
      'status',
      what,
      `--namespace=${namespace}`,
      '--watch=false',
    ])
    if (ok && /successfully rolled out|rolling update complete|partitioned roll out complete/.test(stdout))
      return
    if (Date.now() > end) throw new Error(`${what} is not rolled out after ${seconds} s: ${stdout}${stderr}`)
    await sleep(500)
  }
}

/** The sources of what is installed are fetched, once per machine, while there is a network. */
export const addonSources = () => ({
  dapr: join(moduleSource(join(repository, 'tools/dapr'), 'github.com/dapr/dapr'), 'charts/dapr'),
  metricsServer: join(
    moduleSource(join(repository, 'tools/metrics-server'), 'sigs.k8s.io/metrics-server'),
    'manifests/base',
  ),
})
export type AddonSources = ReturnType<typeof addonSources>

/** Names of Services in the cluster. */
export const installDns = async (kubectl: Kubectl): Promise<void> => {
  const text = readFileSync(join(import.meta.dirname, 'coredns.yaml'), 'utf8')
  tell(kubectl, ['apply', '--filename=-'], text.replaceAll('IMAGE', clusterImages.coredns))
  await rolledOut(kubectl, 'deployment/coredns', 'kube-system')
}

/** Dapr by its own chart, with the values that deploy/kubernetes has for it. */
export const installDapr = (helm: string, node: Node, chart: string): void => {
  const values = {
    global: { registry: daprRegistry, tag: daprVersion(repository), imagePullPolicy: 'Never' },
    // A cluster of one node has no class of volumes.
    dapr_scheduler: { cluster: { inMemoryStorage: true } },
  }
  const args = ['--namespace', 'dapr-system', '--create-namespace', '--wait', '--timeout', '200s']
  const files = ['--values', join(repository, 'deploy/kubernetes/dapr.yaml'), '--values', '-']
  const { status, stderr } = spawnSync(helm, ['upgrade', '--install', 'dapr', chart, ...args, ...files], {
    ...{
      encoding: 'utf8',
      input: JSON.stringify(values),
      env: { ...inherited(), KUBECONFIG: node.kubeconfig },
    },
  })
  if (status !== 0) throw new Error(`helm: ${stderr}`)
}

/** The figures that autoscalers and `kubectl top` read. */
export const installMetrics = (kubectl: Kubectl, manifests: string): void => {
  const objects = objectsIn<Deployment>(tell(kubectl, ['kustomize', manifests]))
  for (const each of objects) {
    if (each.kind !== 'Deployment') continue
    for (const container of each.spec?.template.spec?.containers ?? []) {
      container.image = clusterImages.metricsServer
      container.command = ['/metrics-server']
      container.args = [...(container.args ?? []), '--kubelet-insecure-tls']
      container.readinessProbe = { ...container.readinessProbe, initialDelaySeconds: 1, periodSeconds: 2 }
    }
  }
  apply(kubectl, objects)
}

/** A folder of the node for a claim, whose owner it gets. There is nobody who makes volumes. */
export const volume = (path: string, namespace: string, claim: string, size: string): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: claim },
  spec: {
    capacity: { storage: size },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim },
    hostPath: { path, type: 'DirectoryOrCreate' },
  },
})
