import assert from 'node:assert/strict'
import { findSkus, getProduct } from '@caravan/contracts/catalog'
import { invokedPath } from '@caravan/contracts/operation'
import { eventually } from '@caravan/service-kit/testing/eventually'
import type { Pod } from 'kubernetes-types/core/v1.d.ts'
import { apply } from '../../tools/cluster/addons.ts'
import { namespace } from '../../tools/kubernetes/dapr-resources.ts'
import { type Kubectl, tell } from '../../tools/kubernetes/kubectl.ts'
import { tag } from './cluster-shop.ts'

const outsider = 'outsider'

/**
 * A pod with a sidecar of an app that nobody lists. It has the labels of inventory, so the network lets it go where that goes, but takes no
 * calls for it, as it never gets ready.
 */
const outsiderPod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: outsider,
    namespace,
    labels: { 'app.kubernetes.io/name': 'inventory', 'app.kubernetes.io/part-of': 'caravan' },
    annotations: {
      'dapr.io/enabled': 'true',
      'dapr.io/app-id': outsider,
      'dapr.io/config': 'inventory',
      'dapr.io/api-token-secret': 'inventory-dapr-token',
      'dapr.io/disable-builtin-k8s-secret-store': 'true',
    },
  },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        image: `caravan-inventory:${tag}`,
        command: ['sleep', 'infinity'],
        env: [
          {
            name: 'DAPR_API_TOKEN',
            valueFrom: { secretKeyRef: { name: 'inventory-dapr-token', key: 'token' } },
          },
        ],
        readinessProbe: { exec: { command: ['false'] } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
}

/** A pod of another namespace, with nothing. */
const stranger: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'stranger', namespace: 'default' },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: `caravan-inventory:${tag}`, command: ['sleep', 'infinity'] }],
  },
}

/** Holds the cluster to what nobody may do, each beside the same by one who may. Leaves nothing. */
export const assertRefusals = async (kubectl: Kubectl): Promise<void> => {
  const inside = (pod: string, code: string, where = namespace): string =>
    tell(kubectl, [
      ...['exec', pod, `--namespace=${where}`, '--container=app', '--'],
      ...['node', '--input-type=module', '--eval', code],
    ]).trim()
  /** The status that the sidecar of this pod answers with. */
  const asked = (pod: string, method: string, path: string, body?: object): string => {
    const question = JSON.stringify({ method, ...(body ? { body: JSON.stringify(body) } : {}) })
    return inside(
      pod,
      `const headers = { 'content-type': 'application/json', 'dapr-api-token': process.env.DAPR_API_TOKEN }
       const answer = await fetch('http://127.0.0.1:3500/v1.0/${path}', { headers, ...${question} })
       console.log(answer.status)`,
    )
  }
  const connects = (pod: string, host: string, port: number, where?: string): string =>
    inside(
      pod,
      `import { connect } from 'node:net'
       const end = (what) => { console.log(what); process.exit() }
       connect(${port}, '${host}').on('connect', () => end('open')).on('error', ({ code }) => end(code))
       setTimeout(() => end('silence'), 3000)`,
      where,
    )
  const refused = (what: string, answer: string) => assert.notEqual(answer, 'open', what)
  const invoke = (pod: string, operation: typeof findSkus | typeof getProduct) =>
    asked(pod, operation.method, `invoke/catalog/method${invokedPath(operation)}?skus=GAIWAN-PLUM-110`)

  apply(kubectl, [outsiderPod, stranger])
  const [inventory, carts, orders] = [
    'deployment/inventory',
    'deployment/carts',
    'deployment/orders',
  ] as const
  try {
    await eventually(
      'the outsider’s sidecar answers',
      () => {
        try {
          return asked(outsider, 'GET', 'metadata') === '200'
        } catch {
          return false
        }
      },
      60_000,
    )
    assert.equal(invoke(inventory, findSkus), '200', 'who is on the list is let in')
    assert.equal(invoke(inventory, getProduct), '403', 'an operation that is not on its list')
    assert.equal(invoke(outsider, findSkus), '403', 'an app that is on no list')

    assert.equal(asked(carts, 'POST', 'publish/pubsub/order.paid', {}), '403', 'an undeclared topic')
    assert.equal(asked(orders, 'GET', 'secrets/secretstore/payments-mysql'), '403', 'a secret of another app')
    const mayRead = (app: string, secret: string) =>
      kubectl([
        ...['auth', 'can-i', 'get', `secret/${secret}`, `--namespace=${namespace}`],
        `--as=system:serviceaccount:${namespace}:${app}`,
      ]).stdout.trim()
    assert.equal(mayRead('orders', 'orders-mysql'), 'yes', 'its own secret, by Kubernetes')
    assert.equal(mayRead('orders', 'payments-mysql'), 'no', 'another’s secret, by Kubernetes')

    assert.equal(connects(orders, 'mysql', 3306), 'open', 'orders has a database')
    refused('carts has none', connects(carts, 'mysql', 3306))
    refused('the provider is for payments', connects(orders, 'psp-sandbox', 6100))
    const address = tell(kubectl, [
      ...['get', 'pod', `--namespace=${namespace}`, '--selector=app.kubernetes.io/name=gateway'],
      '--output=jsonpath={.items[0].status.podIP}',
    ])
    refused('another namespace', connects('stranger', address, 8080, 'default'))
  } finally {
    for (const { metadata } of [outsiderPod, stranger])
      tell(kubectl, [
        ...['delete', 'pod', String(metadata?.name), `--namespace=${metadata?.namespace}`],
        ...['--force', '--grace-period=0', '--ignore-not-found'],
      ])
  }
}
