import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts'
import type { Service, ServiceAccount } from 'kubernetes-types/core/v1.d.ts'
import type { ObjectMeta } from 'kubernetes-types/meta/v1.d.ts'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts'
import type { Role, RoleBinding } from 'kubernetes-types/rbac/v1.d.ts'
import type { AppSpec } from '../launcher/topology.ts'
import { configuration, secretsOf, usesSetting } from './dapr-resources.ts'
import { networkPolicy } from './network.ts'
import { apiMountPath, apiVolume, ending, podSpec } from './pod.ts'

export const nameLabel = 'app.kubernetes.io/name'
const partOf = { 'app.kubernetes.io/part-of': 'caravan' }

const labels = ({ appID, appDirPath }: AppSpec): Record<string, string> => ({
  [nameLabel]: appID,
  ...partOf,
  // Whom the policies of stores let in.
  ...(usesSetting(appID, 'REDIS_HOST') ? { 'redis-client': 'true' } : {}),
  ...(existsSync(join(appDirPath, 'migrations')) ? { 'mysql-client': 'true' } : {}),
})

/** Dapr's injector reads these. What a restricted pod demands of a sidecar it has from the pod and its chart: deploy/kubernetes/dapr.yaml. */
const sidecar = ({ appID, appPort }: AppSpec): Record<string, string> => ({
  'dapr.io/enabled': 'true',
  'dapr.io/app-id': appID,
  'dapr.io/app-port': String(appPort),
  'dapr.io/config': appID,
  'dapr.io/app-token-secret': `${appID}-app-token`,
  'dapr.io/api-token-secret': `${appID}-dapr-token`,
  'dapr.io/disable-builtin-k8s-secret-store': 'true',
  'dapr.io/volume-mounts': `${apiVolume}:${apiMountPath}`,
  'dapr.io/sidecar-listen-addresses': '127.0.0.1',
  'dapr.io/log-as-json': 'true',
  'dapr.io/enable-api-logging': 'false',
  'dapr.io/block-shutdown-duration': `${ending(appID).sidecar}s`,
  'dapr.io/graceful-shutdown-seconds': '5',
  'dapr.io/sidecar-readiness-probe-period-seconds': '2',
  'dapr.io/sidecar-liveness-probe-delay-seconds': '60',
  'dapr.io/sidecar-cpu-request': '50m',
  'dapr.io/sidecar-memory-request': '96Mi',
  'dapr.io/sidecar-memory-limit': '256Mi',
  // A collection less often than at each doubling of a small heap, and well before the limit.
  'dapr.io/env': 'GOGC=300,GOMEMLIMIT=192MiB',
})

const deployment = (app: AppSpec, metadata: ObjectMeta): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas: 2,
    minReadySeconds: 5,
    revisionHistoryLimit: 5,
    // Migrations only expand, so old and new run side by side, and of new ones that start together one migrates.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: { [nameLabel]: app.appID } },
    template: { metadata: { labels: labels(app), annotations: sidecar(app) }, spec: podSpec(app) },
  },
})

/** For what comes past the sidecar; between sidecars Dapr makes its own. */
const service = (app: AppSpec, metadata: ObjectMeta): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: {
    selector: { [nameLabel]: app.appID },
    ports: [{ name: 'http', port: app.appPort, targetPort: 'http' }],
  },
})

/** All of an app: who it is, what it may read, whom it may talk to, and what runs. */
export const appObjects = (app: AppSpec): object[] => {
  const { appID } = app
  const metadata: ObjectMeta = { name: appID, labels: { [nameLabel]: appID, ...partOf } }
  const account: ServiceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    automountServiceAccountToken: false,
  }
  const role: Role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: secretsOf(appID), verbs: ['get'] }],
  }
  const binding: RoleBinding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: appID },
    subjects: [{ kind: 'ServiceAccount', name: appID }],
  }
  const budget: PodDisruptionBudget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata,
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { [nameLabel]: appID } },
    },
  }
  return [
    ...[account, role, binding, configuration(appID), deployment(app, metadata)],
    ...(['gateway', 'identity'].includes(appID) ? [service(app, metadata)] : []),
    ...[budget, networkPolicy(app, metadata)],
  ]
}
