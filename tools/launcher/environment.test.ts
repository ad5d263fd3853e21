import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appEnvironment, inherited, providerEnvironment } from './environment.ts'

const secrets = {
  ...{ 'psp-authorization': 'Bearer sk', 'psp-webhook-secret': 'whsec', 'redis-password': 'secret' },
  'orders-mysql': 'mysql://orders:secret@127.0.0.1/orders',
}
const app = {
  ...{ name: 'orders', appID: 'orders', appDirPath: '/a', configFilePath: '/c', command: ['node'], env: {} },
  ...{ appPort: 1, daprHTTPPort: 2, daprGRPCPort: 3, daprInternalGRPCPort: 4, metricsPort: 5, healthPort: 8 },
}

test('the caller’s settings pass on, secrets of another stack and traces of npm do not', () => {
  const from = {
    ...{
      PATH: '/bin',
      PAYMENT_WINDOW_SECONDS: '60',
      SECRETS_FILE: '/s',
      REDIS_HOST: 'r',
      DAPR_API_TOKEN: 't',
    },
    ...{ npm_lifecycle_event: 'start', NODE_TEST_CONTEXT: 'child', TEST_MYSQL_URL: 'mysql://root' },
  }
  assert.deepEqual(inherited(from), { PATH: '/bin', PAYMENT_WINDOW_SECONDS: '60' })
})

test('an app learns its ports and tokens, and of no store', () => {
  const environment = appEnvironment(app, { app: 'a', dapr: 'd' }, { TOKEN_ISSUER: 'http://127.0.0.1:8080' })
  assert.deepEqual(environment, {
    ...{ APP_ID: 'orders', APP_PORT: '1', DAPR_HTTP_PORT: '2', DAPR_GRPC_PORT: '3' },
    ...{ APP_API_TOKEN: 'a', DAPR_API_TOKEN: 'd', TOKEN_ISSUER: 'http://127.0.0.1:8080' },
  })
})

test('the card provider gets its own keys, not the shop’s secrets', () => {
  const environment = providerEnvironment(secrets, 'http://127.0.0.1:8080', '/psp.sqlite')
  assert.equal(environment.PSP_SECRET_KEY, 'sk')
  assert.equal(environment.PSP_WEBHOOK_URL, 'http://127.0.0.1:8080/v1/webhooks/psp')
  assert.ok(!JSON.stringify(environment).includes('secret'))
})
