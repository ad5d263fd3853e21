import type { Container, EnvVar, PodSpec, Probe, SecurityContext } from 'kubernetes-types/core/v1.d.ts'
import type { AppSpec } from '../launcher/topology.ts'
import { jwksUrl, usesSetting } from './dapr-resources.ts'

/** Of the image's user, by number: the kubelet cannot tell that a name is not root's. */
const unprivileged: SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsUser: 1000,
  runAsGroup: 1000,
}

const token = (name: string, secret: string): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key: 'token' } },
})

const probe = (path: string, more: Probe): Probe => ({ httpGet: { path, port: 'http' }, ...more })

/** The app drains within this, as the kit has it. */
const drainSeconds = 8
/** How long until no caller is told a pod's address any more. */
const unlearnSeconds = 6

/**
 * What ends when, in seconds after a pod is deleted. A sidecar stops taking events at once. That of an app that others call then
 * goes first: callers turn to other pods, what they asked for is still answered, and the app ends when nothing can come any more. The
 * gateway is called past its sidecar and needs it for all that it still has to answer: there the app goes first.
 */
export const ending = (app: string): { sidecar: number; app: number; pod: number } => {
  if (app === 'gateway') {
    const last = unlearnSeconds + drainSeconds
    return { app: unlearnSeconds, sidecar: last + 1, pod: last + 10 }
  }
  // As long as the longest timeout of a call to it: dapr/resiliency/apps.yaml.
  const callSeconds = app === 'payments' ? 10 : 2
  const last = unlearnSeconds + callSeconds + 1
  return { sidecar: unlearnSeconds, app: last, pod: last + drainSeconds + 2 }
}

/** The bearer middleware reads identity's keys when its sidecar starts, and a sidecar that cannot read them ends. */
const awaitKeys = (image: string): Container => ({
  name: 'await-identity-keys',
  image,
  imagePullPolicy: 'IfNotPresent',
  command: [
    'node',
    '--eval',
    [
      `const served = () => fetch('${jwksUrl}').then(({ ok }) => ok, () => false)`,
      'const wait = async () => { while (!(await served())) await new Promise((next) => setTimeout(next, 500)) }',
      'wait()',
    ].join('\n'),
  ],
  resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  securityContext: unprivileged,
})

/** The gateway's own for metrics: its other port is the world's, where the token of a sidecar guards them. */
const metricsPort = 9100

/** The sidecar alone gets at the API of Kubernetes, for the secrets that its role names. */
export const apiVolume = 'kubernetes-api'
export const apiMountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

export const podSpec = ({ appID, appPort }: AppSpec): PodSpec => {
  const image = `caravan-${appID}`
  const end = ending(appID)
  const isPublic = appID === 'gateway'
  return {
    serviceAccountName: appID,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: end.pod,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(
      (topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': appID } },
        matchLabelKeys: ['pod-template-hash'],
      }),
    ),
    ...(usesSetting(appID, 'IDENTITY_JWKS_URL') ? { initContainers: [awaitKeys(image)] } : {}),
    containers: [
      {
        name: 'app',
        image,
        imagePullPolicy: 'IfNotPresent',
        ports: [
          { name: 'http', containerPort: appPort },
          ...(isPublic ? [{ name: 'metrics', containerPort: metricsPort }] : []),
        ],
        envFrom: [{ configMapRef: { name: 'shop' } }],
        // The injector adds the sidecar's ports.
        env: [
          { name: 'APP_ID', value: appID },
          { name: 'APP_PORT', value: String(appPort) },
          { name: 'APP_HOST', value: '0.0.0.0' },
          token('APP_API_TOKEN', `${appID}-app-token`),
          token('DAPR_API_TOKEN', `${appID}-dapr-token`),
          ...(isPublic
            ? [
                { name: 'METRICS_PORT', value: String(metricsPort) },
                { name: 'LINGER_SECONDS', value: String(end.app) },
              ]
            : []),
        ],
        // Ready to begin with its database or its token; from then on it says itself, request by request, what is away.
        startupProbe: probe('/readyz', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 300 }),
        readinessProbe: probe('/healthz', { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2 }),
        livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
        // The gateway lingers by itself: it tells clients that keep a connection.
        ...(isPublic ? {} : { lifecycle: { preStop: { sleep: { seconds: end.app } } } }),
        resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '512Mi' } },
        securityContext: unprivileged,
      },
    ],
    volumes: [
      {
        name: apiVolume,
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          ],
        },
      },
    ],
  }
}
