import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const needed = {
  ...{ APP_PORT: '1', DAPR_HTTP_PORT: '2', DAPR_GRPC_PORT: '3', TOKEN_ISSUER: 'https://shop.example' },
  ...{ APP_API_TOKEN: 'a token of the test', DAPR_API_TOKEN: 'a token of the test' },
}
/** Exit code and complaints of a gateway's configuration. */
const read = (env: Record<string, string>) => {
  const file = fileURLToPath(new URL('config.ts', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [file], {
    env: { ...needed, ...env },
    encoding: 'utf8',
  })
  return { status, stderr }
}
const limit = { quota: 1, windowSeconds: 1 }

test('the defaults are valid, and so are lists of proxies and origins', () => {
  assert.deepEqual(read({}), { status: 0, stderr: '' })
  const good = {
    TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::1',
    CORS_ORIGINS: 'https://shop.example, http://127.0.0.1:5173',
    RATE_LIMITS: JSON.stringify({ account: limit, address: limit, cached: limit, webhook: limit }),
  }
  assert.deepEqual(read(good), { status: 0, stderr: '' })
})

test('an origin that no browser would send, or that means everyone, ends the start', () => {
  for (const bad of [
    '*',
    'https://*.shop.example',
    'https://shop.example/',
    'shop.example',
    'null',
    'https://Shop.example',
    'https://shop.example:443',
  ]) {
    const { status, stderr } = read({ CORS_ORIGINS: `https://a.example,${bad}` })
    assert.equal(status, 78, bad)
    assert.match(stderr, /^configuration: CORS_ORIGINS\.1: must be origins/)
  }
})

test('rate limits that are not whole end the start', () => {
  for (const bad of ['', 'x', '{}', JSON.stringify({ account: limit })])
    assert.equal(read({ RATE_LIMITS: bad }).status, 78, bad)
})
