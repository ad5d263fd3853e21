import type { ObjectMeta } from 'kubernetes-types/meta/v1.d.ts'
import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from 'kubernetes-types/networking/v1.d.ts'
import { callsOf } from '../access-control.ts'
import type { AppSpec } from '../launcher/topology.ts'
import { topology, usesSetting } from './dapr-resources.ts'

const pod = (app: string): NetworkPolicyPeer => ({
  podSelector: { matchLabels: { 'app.kubernetes.io/name': app } },
})
const port = (number: number): NetworkPolicyPort => ({ protocol: 'TCP', port: number })

/** Where injected sidecars call one another. */
const internal = port(50_002)

const apps = topology.apps.map(({ appID }) => appID)
const calls = (caller: string, callee: string) => callsOf(caller).some(({ app }) => app === callee)
const readsKeys = (app: string) => usesSetting(app, 'IDENTITY_JWKS_URL')

/**
 * Whom an app meets inside of the shop: those whose operations it may call, and those that may call its own, as in
 * dapr/access. What all have in common is in base/network.yaml, stores and outsiders are their components' to add.
 */
export const networkPolicy = ({ appID, appPort }: AppSpec, metadata: ObjectMeta): NetworkPolicy => {
  const callers = apps.filter((caller) => calls(caller, appID))
  const callees = apps.filter((callee) => calls(appID, callee))
  const ingress: NetworkPolicyIngressRule[] = []
  const egress: NetworkPolicyEgressRule[] = []
  if (callers.length > 0) ingress.push({ from: callers.map(pod), ports: [internal] })
  if (callees.length > 0) egress.push({ to: callees.map(pod), ports: [internal] })
  if (appID === 'identity') ingress.push({ from: apps.filter(readsKeys).map(pod), ports: [port(appPort)] })
  if (readsKeys(appID)) {
    const identity = topology.apps.find((app) => app.appID === 'identity')
    egress.push({ to: [pod('identity')], ports: [port(identity?.appPort ?? 0)] })
  }
  // Its controller's namespace is labelled by whoever installs it.
  if (appID === 'gateway')
    ingress.push({
      from: [{ namespaceSelector: { matchLabels: { 'caravan-edge': 'true' } } }],
      ports: [port(appPort)],
    })
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: pod(appID).podSelector ?? {},
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress,
    },
  }
}
