import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { isPublic, type Operation } from '@caravan/contracts/operation'
import { accessControl, callsOf } from '../../tools/access-control.ts'
import { appIds, find, read } from './repository.ts'

const listed = ({ access }: Operation) =>
  typeof access === 'object' && 'apps' in access ? access.apps.toSorted() : []
const callers = (operation: Operation) => appIds.filter((app) => callsOf(app).includes(operation)).sort()

test('each app has access control, written from the contracts and the calls: npm run access-control', () => {
  assert.deepEqual(find('dapr/access/*'), appIds.map((app) => `dapr/access/${app}.yaml`).sort())
  for (const app of appIds) assert.equal(read(`dapr/access/${app}.yaml`), accessControl(app))
})

test('an operation between apps is called by those apps that its contract names', () => {
  const between = operations.filter((operation) => !isPublic(operation))
  assert.ok(between.length > 3)
  for (const operation of between) assert.deepEqual(callers(operation), listed(operation), operation.id)
})

test('beside the gateway, nobody calls what the world may call, but all read the keys', () => {
  const exceptions = operations.filter(isPublic).flatMap((operation) => {
    const services = callers(operation).filter((app) => app !== 'gateway')
    return services.length > 0 ? [`${operation.id}: ${services}`] : []
  })
  assert.deepEqual(exceptions, ['getKeys: carts,catalog,inventory,orders,payments,promotions'])
})

test('apps call one another by contract; what is invoked raw is the gateway’s business, or outside of the shop', () => {
  const raw = find('apps/*/src/**/*.ts').filter(
    (file) => !file.endsWith('.test.ts') && /\binvoke\(/.test(read(file)),
  )
  const gateway = ['assert-pipeline', 'forward', 'sidecar-grpc'].map((name) => `apps/gateway/src/${name}.ts`)
  const outside = ['apps/identity/src/accounts/outside-provider.ts', 'apps/payments/src/provider.ts']
  assert.deepEqual(raw, [...gateway, ...outside])
})
