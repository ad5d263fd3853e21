import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declaredPorts, expandReplicas, parseTopology } from './topology.ts'

const app = (id: string, first: number) => `
  - appID: ${id}
    appDirPath: ../apps/${id}
    configFilePath: ../../dapr/config/${id}.yaml
    appPort: ${first}
    daprHTTPPort: ${first + 1}
    daprGRPCPort: ${first + 2}
    daprInternalGRPCPort: ${first + 3}
    metricsPort: ${first + 4}
    command: [node, main.ts]`

const file = (...apps: string[]) => `
common:
  resourcesPaths: [../components/common, ../components/local]
  env: { COLOUR: red }
apps:${apps.join('')}
outside:
  - { appID: psp-sandbox, appDirPath: ../apps/psp-sandbox, appPort: 90, ports: { smtp: 91 }, command: [node, main.ts] }`

const parsed = () => parseTopology(file(app('identity', 100), app('orders', 200)), '/shop/dapr')

test('paths are resolved as by the CLI: those of an app from its folder, that one and common ones from the file’s; common environment reaches each app', () => {
  const { apps, outside, resourceFolders } = parsed()
  assert.deepEqual(resourceFolders, ['/shop/components/common', '/shop/components/local'])
  assert.equal(apps[1]?.appDirPath, '/shop/apps/orders')
  assert.equal(apps[1]?.configFilePath, '/shop/dapr/config/orders.yaml')
  assert.deepEqual(apps[1]?.env, { COLOUR: 'red' })
  assert.equal(outside[0]?.appPort, 90)
})

test('every port is listed with its owner', () => {
  const ports = declaredPorts(parsed())
  assert.equal(ports.length, 12)
  assert.ok(ports.some(([name, port]) => name === 'orders.sidecar' && port === 204))
})

test('a port that two apps claim is refused, with both names', () => {
  assert.throws(
    () => parseTopology(file(app('identity', 100), app('orders', 104)), '/shop/dapr'),
    /port 104 to both identity.sidecar and orders/,
  )
})

test('a setting that is missing is refused', () => {
  assert.throws(
    () => parseTopology(file(app('identity', 100)).replace('appPort: 100', ''), '/shop/dapr'),
    /appPort/,
  )
})

test('the first replica keeps the declared ports and the name; others get ports of their own', async () => {
  let next = 1000
  const replicas = await expandReplicas(parsed().apps, { orders: 2 }, true, async () => next++)
  assert.deepEqual(
    replicas.map(({ name, appID, appPort, metricsPort }) => [name, appID, appPort, metricsPort]),
    [
      ['identity', 'identity', 100, 104],
      ['orders', 'orders', 200, 204],
      ['orders-2', 'orders', 1003, 1007],
    ],
  )
})

test('without declared ports no replica has one of dapr.yaml', async () => {
  let next = 1000
  const replicas = await expandReplicas(parsed().apps, {}, false, async () => next++)
  assert.ok(replicas.every(({ appPort, daprHTTPPort }) => appPort >= 1000 && daprHTTPPort >= 1000))
})

test('all is each app that is not named', async () => {
  const replicas = await expandReplicas(parsed().apps, { all: 2, orders: 3 }, true, async () => 1)
  assert.deepEqual(
    replicas.map(({ name }) => name),
    ['identity', 'identity-2', 'orders', 'orders-2', 'orders-3'],
  )
})

test('replicas of an app that is not there are refused', async () => {
  await assert.rejects(
    expandReplicas(parsed().apps, { order: 2 }, true, async () => 1),
    /no app is called order/,
  )
})
