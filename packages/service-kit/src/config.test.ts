import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { baseConfig, readConfig } from './config.ts'

const good = {
  APP_PORT: '6001',
  DAPR_HTTP_PORT: '3501',
  DAPR_GRPC_PORT: '50001',
  APP_API_TOKEN: 'a-token-of-the-app',
  DAPR_API_TOKEN: 'a-token-of-the-sidecar',
  TOKEN_ISSUER: 'http://127.0.0.1:8080',
}

/** `readConfig` in a process of its own, since it ends it. */
const readElsewhere = (env: Record<string, string>) => {
  const module = new URL('./config.ts', import.meta.url).href
  const code = `const { baseConfig, readConfig } = await import('${module}'); readConfig(baseConfig); console.log('read')`
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', env })
}

test('a good environment is read, numbers as numbers, with defaults', () => {
  const config = readConfig(baseConfig, good)
  assert.deepEqual([config.APP_PORT, config.DAPR_HTTP_PORT, config.LOG_LEVEL], [6001, 3501, 'info'])
  assert.deepEqual([config.APP_HOST, config.SIDECAR_HOST], ['127.0.0.1', '127.0.0.1'])
})

test('all faults are printed, each on its line, and the process ends with EX_CONFIG', () => {
  const run = readElsewhere({})
  assert.equal(run.status, 78)
  assert.equal(run.stdout, '')
  const names = run.stderr
    .trimEnd()
    .split('\n')
    .map((line) => /^configuration: (\w+): ./.exec(line)?.[1])
  assert.deepEqual(names.sort(), Object.keys(good).sort())
})

test('no value is printed', () => {
  const run = readElsewhere({
    ...good,
    APP_PORT: 'port-hunter2',
    APP_API_TOKEN: 'hunter2',
    TOKEN_ISSUER: 'hunter2',
    LOG_LEVEL: 'hunter2',
  })
  assert.equal(run.status, 78)
  assert.equal(run.stderr.trimEnd().split('\n').length, 4)
  assert.doesNotMatch(run.stderr + run.stdout, /hunter2/)
})
