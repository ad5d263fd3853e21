import assert from 'node:assert/strict'
import { test } from 'node:test'
import { find, read } from './repository.ts'
import { violations } from './source-rules.ts'

const isProduct = (file: string) => !/\.test\.ts$|\/testing\/|\/fixture\.ts$/.test(file)

test('every service keeps to its own sidecar, its own database and its own folder', () => {
  const files = find('apps/*/src/**/*.ts', 'packages/*/src/**/*.ts').filter(isProduct)
  assert.ok(files.length > 80, `only ${files.length} files were found`)
  assert.deepEqual(
    files.flatMap((file) => violations(file, read(file))),
    [],
  )
})

const route = 'apps/orders/src/routes.ts'
const domain = 'apps/orders/src/domain/order.ts'
const broken: [rule: string, file: string, source: string][] = [
  ['leaves its workspace', route, `import { cart } from '../../carts/src/domain/cart.ts'`],
  ['leaves its workspace', 'packages/service-kit/src/x.ts', `import '../../../apps/orders/src/config.ts'`],
  ['may not import', route, `import { cart } from '@caravan/carts/cart'`],
  ['may not import', 'packages/service-kit/src/x.ts', `export { a } from '@caravan/orders/a'`],
  ['may not import', 'packages/contracts/src/orders.ts', `import { ids } from '@caravan/service-kit/ids'`],
  ['may not import', 'apps/psp-sandbox/src/app.ts', `import { money } from '@caravan/contracts/common'`],
  ['contracts import only zod', 'packages/contracts/src/orders.ts', `import { pino } from 'pino'`],
  ['the domain imports', domain, `import { z } from 'zod'`],
  ['the domain imports', domain, `import { config } from '../config.ts'`],
  ['the domain imports', domain, `import type { Sidecar } from '@caravan/service-kit/sidecar'`],
  ['only a store imports', route, `import knex from 'knex'`],
  ['only a store imports', route, `import type {\n  Database,\n} from '@caravan/service-kit/database'`],
  ...[
    'undici',
    'http',
    'node:https',
    'node:tls',
    'node:dgram',
    'node:dns/promises',
    'node:child_process',
  ].map((name): [string, string, string] => ['talks past', route, `import { a } from '${name}'`]),
  ...['ioredis', 'kafkajs', 'amqplib', 'nats', 'redis', '@dapr/dapr', '@grpc/grpc-js'].map(
    (name): [string, string, string] => ['talks past', route, `import * as a from '${name}'`],
  ),
  ['talks past', 'apps/orders/src/order-store.ts', `import mysql from 'mysql2/promise'`],
  ['talks past', 'apps/gateway/src/client-address.ts', `import { connect, isIP } from 'node:net'`],
  ['talks past', 'packages/service-kit/src/sidecar.ts', `import { connect } from 'node:net'`],
  ['talks past', route, `const redis = await import('redis')`],
  ['talks past', route, `const redis = createRequire(import.meta.url)('x'); require('redis')`],
  ['talks past', route, `process.getBuiltinModule('node:net')`],
  ['talks past', route, `await fetch(place)`],
  ['talks past', route, `await globalThis.fetch(place)`],
  ['talks past', route, `new WebSocket(place)`],
  ['imports what only run time knows', route, `await import(name)`],
  ['holds an address', route, `const carts = 'http://carts:6004/v1/carts'`],
  ['holds an address', route, 'const carts = `http://$' + '{host}/v1/carts`'],
  ['holds an address', route, `const own = "https://localhost/x"`],
  ['reads the environment', route, `const port = process.env.APP_PORT`],
  ['reads the environment', route, `const port = process['env'].APP_PORT`],
]

for (const [rule, file, source] of broken)
  test(`${rule}: ${file} with ${source.replaceAll('\n', ' ')}`, () => {
    const found = violations(file, source)
    assert.ok(
      found.some((what) => what.includes(rule)),
      `found only ${JSON.stringify(found)}`,
    )
  })

const kept: [file: string, source: string][] = [
  [
    route,
    `import { placeOrder } from '@caravan/contracts/orders'\nimport { route } from '@caravan/service-kit/route'`,
  ],
  [route, `import { config } from './config.ts'`],
  [route, `import type { IncomingMessage } from 'node:http'`],
  [route, `// The scheme of https://docs.stripe.com/webhooks\nawait cache.fetch(key)`],
  ['apps/orders/src/order-store.ts', `import type { Database } from '@caravan/service-kit/database'`],
  ['apps/orders/src/config.ts', 'export const config = readConfig(schema, process.env)'],
  ['apps/gateway/src/client-address.ts', `import { BlockList, isIP } from 'node:net'`],
  [domain, `import { fact } from '@caravan/service-kit/outbox'\nimport { total } from './total.ts'`],
]

for (const [file, source] of kept)
  test(`nothing is wrong with ${file}: ${source.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(violations(file, source), [])
  })
