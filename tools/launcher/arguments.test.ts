import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArguments, parseReplicas } from './arguments.ts'

test('nothing means start, with sample data and the local components', () => {
  assert.deepEqual(parseArguments([]), {
    ...{ command: 'start', files: [], replicas: {}, components: 'local', seed: true },
    ...{ backing: false, mtls: false, inTurn: false, profile: 'shop' },
  })
})

test('options and files are read in any order', () => {
  const line = [
    'test',
    'tests/a.test.ts',
    '--no-seed',
    '--components',
    'kafka',
    '--replicas',
    'gateway=2,orders=3',
  ]
  assert.deepEqual(parseArguments(line), {
    ...{ command: 'test', files: ['tests/a.test.ts'], components: 'kafka', seed: false },
    ...{ backing: false, mtls: false, inTurn: false, profile: 'shop', replicas: { gateway: 2, orders: 3 } },
  })
})

test('mTLS is asked for', () => {
  assert.equal(parseArguments(['start', '--mtls']).mtls, true)
})

test('mTLS is not for sidecars that others start', () => {
  assert.throws(() => parseArguments(['--backing', '--mtls']), /do not go together/)
})

test('an unknown option is refused', () => {
  assert.throws(() => parseArguments(['start', '--replica', 'gateway=2']), /--replica/)
})

for (const pair of ['gateway', 'gateway=0', 'gateway=x', '=2', 'gateway=2;orders=3'])
  test(`"${pair}" is no pair of app and number`, () => {
    assert.throws(() => parseReplicas(pair), /app=number/)
  })
