import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts'
import { sharedTopics, topology } from './dapr-resources.ts'

const apps = topology.apps.map(({ appID }) => appID)
const consumers = apps.filter((app) => sharedTopics(app).length > 0)

/** Of its own request; the sidecar's share is not counted. */
const cpuPercent = 70
const [fewest, most] = [2, 6]
/** Events that wait for one pod. */
const lag = '200'

const byProcessor = (app: string): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: app },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: app },
    minReplicas: fewest,
    maxReplicas: most,
    metrics: [
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'app',
          target: { type: 'Utilization', averageUtilization: cpuPercent },
        },
      },
    ],
  },
})

const byLag = (app: string) => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: app },
  spec: {
    scaleTargetRef: { name: app },
    minReplicaCount: fewest,
    maxReplicaCount: most,
    // While Redis cannot be asked, as many as usual.
    fallback: { failureThreshold: 3, replicas: fewest },
    triggers: [
      ...sharedTopics(app).map((topic) => ({
        type: 'redis-streams',
        metadata: { stream: topic, consumerGroup: app, lagCount: lag },
        authenticationRef: { name: 'redis' },
      })),
      {
        type: 'cpu',
        metricType: 'Utilization',
        metadata: { value: String(cpuPercent), containerName: 'app' },
      },
    ],
  },
})

/** Address and password of Redis, for KEDA, which asks for each stream's lag. */
const redis = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'TriggerAuthentication',
  metadata: { name: 'redis' },
  spec: {
    configMapTargetRef: [{ parameter: 'address', name: 'backing', key: 'REDIS_HOST' }],
    secretTargetRef: [{ parameter: 'password', name: 'redis-password', key: 'redis-password' }],
  },
}

/** A Kustomize component that hands the number of these apps' replicas over. */
const component = (scaled: string[], resource: string) => ({
  apiVersion: 'kustomize.config.k8s.io/v1alpha1',
  kind: 'Component',
  resources: [resource],
  patches: [
    {
      target: { kind: 'Deployment', name: scaled.join('|') },
      patch: '- { op: remove, path: /spec/replicas }',
    },
  ],
})

/** Apps that nothing waits for but requests scale by processor time, consumers by what waits in their topics too. */
export const autoscaling: Record<string, object[]> = {
  'components/hpa/kustomization.yaml': [
    component(
      apps.filter((app) => !consumers.includes(app)),
      'autoscalers.yaml',
    ),
  ],
  'components/hpa/autoscalers.yaml': apps.filter((app) => !consumers.includes(app)).map(byProcessor),
  'components/keda/kustomization.yaml': [component(consumers, 'scaled-objects.yaml')],
  'components/keda/scaled-objects.yaml': [redis, ...consumers.map(byLag)],
}
