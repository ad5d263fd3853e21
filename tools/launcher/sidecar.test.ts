import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sidecarFlags } from './sidecar.ts'

const app = {
  ...{ name: 'orders-2', appID: 'orders', appDirPath: '/a', configFilePath: '/c/orders.yaml', env: {} },
  ...{ appPort: 1, daprHTTPPort: 2, daprGRPCPort: 3, daprInternalGRPCPort: 4, metricsPort: 5, healthPort: 8 },
  ...{ command: ['node'], enableAppHealthCheck: true, appHealthCheckPath: '/healthz' },
}
const flags = sidecarFlags(app, ['/r/common', '/r/local'], { placement: 6, scheduler: 7 })

test('a replica runs under the id of its app, on its own ports', () => {
  for (const flag of ['--app-id=orders', '--app-port=1', '--dapr-http-port=2', '--dapr-grpc-port=3'])
    assert.ok(flags.includes(flag), flag)
  assert.ok(flags.includes('--scheduler-host-address=127.0.0.1:7'))
})

test('resource folders keep their order', () => {
  assert.deepEqual(flags.slice(-2), ['--resources-path=/r/common', '--resources-path=/r/local'])
})

test('a setting that dapr.yaml leaves out is left to daprd', () => {
  assert.ok(!flags.some((flag) => flag.includes('undefined') || flag.includes('app-protocol')))
  assert.ok(flags.includes('--enable-app-health-check=true'))
})

test('nothing listens beyond this machine', () => {
  const addresses = flags.filter((flag) => flag.includes('listen-address'))
  assert.equal(addresses.length, 4)
  assert.ok(addresses.every((flag) => flag.endsWith('=127.0.0.1')))
})
