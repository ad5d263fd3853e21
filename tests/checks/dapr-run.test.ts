import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { readYaml, root } from './repository.ts'

// The fields of a multi-app run template, as https://docs.dapr.io/developing-applications/local-development/multi-app-dapr-run
// lists them and the CLI reads them (github.com/dapr/cli, pkg/runfileconfig and pkg/standalone/run.go). The CLI passes over a
// field that it does not know; here it is an error.
const port = z.int().min(1).max(65535)
const destination = z.enum(['file', 'console', 'fileAndConsole'])

const shared = z.strictObject({
  ...{ configFilePath: z.string(), resourcesPath: z.string(), resourcesPaths: z.array(z.string()) },
  ...{ appProtocol: z.enum(['http', 'grpc', 'https', 'grpcs', 'h2c']), apiListenAddresses: z.string() },
  ...{ enableProfiling: z.boolean(), appMaxConcurrency: z.int(), appSSL: z.boolean() },
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'fatal', 'panic']),
  ...{ placementHostAddress: z.string(), schedulerHostAddress: z.string(), runtimePath: z.string() },
  ...{ maxBodySize: z.string(), readBufferSize: z.string(), enableApiLogging: z.boolean() },
  ...{ enableAppHealthCheck: z.boolean(), appHealthCheckPath: z.string(), appHealthThreshold: z.int() },
  ...{ appHealthProbeInterval: z.int(), appHealthProbeTimeout: z.int() },
  ...{
    env: z.record(z.string(), z.string()),
    daprdLogDestination: destination,
    appLogDestination: destination,
  },
})

const app = shared.extend({
  ...{
    appID: z.string(),
    appDirPath: z.string(),
    appChannelAddress: z.string(),
    unixDomainSocket: z.string(),
  },
  ...{ appPort: port, daprHTTPPort: port, daprGRPCPort: port, daprInternalGRPCPort: port },
  ...{ profilePort: port, metricsPort: port, command: z.array(z.string()) },
  ...{ containerImage: z.string(), createService: z.boolean() },
  containerImagePullPolicy: z.enum(['Always', 'Never', 'IfNotPresent']),
})

const template = z.strictObject({
  version: z.literal(1),
  name: z.string().optional(),
  common: shared.partial(),
  apps: z.array(app.partial().required({ appDirPath: true })).min(1),
})

const { outside, ...declared } = readYaml<Record<string, unknown>>('dapr/dapr.yaml')
const { common, apps } = template.parse(declared)

/** Each copy of a value in which one key, wherever it stands, is spelt otherwise; the keys of `env` are nobody’s. */
const misspelt = (value: unknown): [string, unknown][] => {
  if (typeof value !== 'object' || value === null) return []
  const within = Object.entries(value).flatMap(([key, inner]) =>
    misspelt(key === 'env' ? undefined : inner).map(([what, copy]): [string, unknown] => [
      `${key}.${what}`,
      Array.isArray(value) ? value.with(Number(key), copy) : { ...value, [key]: copy },
    ]),
  )
  const own = Array.isArray(value)
    ? []
    : Object.entries(value).map(([key, inner]): [string, unknown] => {
        const { [key]: _, ...others } = value as Record<string, unknown>
        return [key, { ...others, [`${key}s`]: inner }]
      })
  return [...own, ...within]
}

test('dapr.yaml has the fields that the Dapr CLI reads, and a misspelt one is refused wherever it stands', () => {
  assert.ok(outside, 'the one key that is the launcher’s own')
  const copies = misspelt(declared)
  assert.ok(copies.length > 50)
  for (const [what, copy] of copies) assert.ok(!template.safeParse(copy).success, what)
})

test('the Dapr CLI finds every path: of an app from its appDirPath, all others from the folder of dapr.yaml', () => {
  const folder = resolve(root, 'dapr')
  const paths = [
    ...(common.resourcesPaths ?? []).map((path) => resolve(folder, path)),
    ...apps.flatMap(({ appDirPath, configFilePath = '', command: [program = '', file = ''] = [] }) => {
      const own = resolve(folder, appDirPath)
      return [own, ...[configFilePath, program, file].map((path) => resolve(own, path))]
    }),
  ]
  assert.deepEqual(
    paths.filter((path) => !existsSync(path)),
    [],
  )
})

test('where apps share an environment each has one of its own, for the Dapr CLI writes the one into the other', () => {
  for (const { appID, env = {} } of apps) assert.ok(!common.env || Object.keys(env).length > 0, appID)
})
