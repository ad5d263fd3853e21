import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pathPattern, type Rule } from '@caravan/contracts/access'
import fc from 'fast-check'
import { createPolicy } from './access-policy.ts'

const getOrder = { id: 'getOrder', method: 'GET', path: '/v1/orders/{orderId}' } as const
const listOrders = { id: 'listOrders', method: 'GET', path: '/v1/orders' } as const
const payOrder = { id: 'payOrder', method: 'POST', path: '/v1/orders/{orderId}/payments' } as const
const operations = [getOrder, listOrders, payOrder]

const parents: [string, string[]][] = [
  ['chief', ['clerk', 'auditor']],
  ['boss', ['chief']],
]
const allow = (role: string, method: Rule['method'], path: string): Rule => ({
  ...{ role, effect: 'allow', method, path },
})
const deny = (role: string, method: Rule['method'], path: string): Rule => ({
  ...allow(role, method, path),
  effect: 'deny',
})
const policyOf = (...rules: Rule[]) => createPolicy({ rules, parents })

describe('a policy', () => {
  test('without a rule denies everything', async () => {
    const { allows } = await policyOf()
    for (const each of operations) assert.equal(allows(['boss', 'clerk'], each), false)
  })

  test('a role may do what its ancestors may, not what its heirs may', async () => {
    const { allows } = await policyOf(allow('chief', 'GET', '/v1/orders'))
    assert.deepEqual(
      ['clerk', 'chief', 'boss'].map((role) => allows([role], listOrders)),
      [false, true, true],
    )
    assert.equal(allows([], listOrders), false)
  })

  test('a chain of roles holds whatever its length, and where it is a circle', async () => {
    const names = fc.integer({ min: 1, max: 60 }).map((length) => Array.from({ length }, (_, n) => `r${n}`))
    const links = names.chain((roles) =>
      fc.record({
        roles: fc.constant(roles),
        more: fc.array(fc.tuple(fc.constantFrom(...roles), fc.constantFrom(...roles)), { maxLength: 40 }),
        far: fc.constantFrom('allow' as const, 'deny' as const),
      }),
    )
    await fc.assert(
      fc.asyncProperty(links, async ({ roles, more, far }) => {
        const above = new Map(roles.map((role, n) => [role, [`r${n + 1}`]]))
        for (const [role, parent] of more) above.get(role)?.push(parent)
        const end = `r${roles.length}`
        const rules: Rule[] = [allow('r0', '*', '/*'), { ...deny(end, 'GET', '/v1/orders'), effect: far }]
        const { allows } = await createPolicy({ rules, parents: above })
        for (const role of roles) assert.equal(allows([role], listOrders), far === 'allow', role)
        assert.equal(allows(['r0'], payOrder), true)
        assert.equal(allows([end], payOrder), false)
      }),
      { numRuns: 50 },
    )
  })

  test('forty layers of roles, each with two ways to the next, are judged at once', async () => {
    const layers = Array.from({ length: 40 }, (_, n): [string, string[]][] => [
      [`a${n}`, [`a${n + 1}`, `b${n + 1}`]],
      [`b${n}`, [`a${n + 1}`, `b${n + 1}`]],
    ])
    const { allows } = await createPolicy({ rules: [allow('a40', '*', '/*')], parents: layers.flat() })
    assert.deepEqual([allows(['b0'], listOrders), allows(['b40'], listOrders)], [true, false])
  })

  test('one that denies beats all that allow, whichever of the roles or ancestors it is of, in any order', async () => {
    for (const role of ['clerk', 'auditor', 'chief']) {
      const rules = [allow('boss', '*', '/*'), deny(role, 'GET', '/v1/orders'), allow('chief', '*', '/*')]
      for (const order of [rules, rules.toReversed()]) {
        const { allows } = await policyOf(...order)
        assert.equal(allows(['boss'], listOrders), false)
        assert.equal(allows(['boss'], payOrder), true)
      }
    }
    const { allows } = await policyOf(
      allow('clerk', 'GET', '/v1/orders'),
      deny('auditor', 'GET', '/v1/orders'),
    )
    assert.deepEqual([allows(['clerk'], listOrders), allows(['auditor', 'clerk'], listOrders)], [true, false])
  })

  const patterns: [pattern: string, fits: (keyof typeof paths)[]][] = [
    ['/v1/orders', ['list']],
    ['/v1/orders/{id}', ['one', 'other']],
    ['/v1/orders/*', ['one', 'other', 'pay']],
    ['/v1/*/payments', []],
    ['/v1/*/*/payments', ['pay']],
    ['/v1/{any}/{id}', ['one', 'other']],
    ['/*', ['list', 'one', 'other', 'pay']],
    ['/v1/orders/o-1', ['one']],
    ['/v1.orders', []],
    ['^/v1/orders$', ['list']],
    ['^/v1/orders/o-[1]$', ['one']],
    ['^/v1/orders/.*$', ['one', 'other', 'pay']],
    ['^/v1/orders|/v1/x$', ['list']],
  ]
  const paths = {
    list: [listOrders, {}],
    one: [getOrder, { orderId: 'o-1' }],
    other: [getOrder, { orderId: 'o-2' }],
    pay: [payOrder, { orderId: 'o-1' }],
  } as const
  for (const [pattern, fits] of patterns) {
    test(`${pattern} is about ${fits.join(', ') || 'none of them'}`, async () => {
      assert.equal(pathPattern.safeParse(pattern).success, true)
      const { allows } = await policyOf(allow('clerk', '*', pattern))
      // Twice: what is kept of the first must not be another's.
      for (let round = 0; round < 2; round += 1) {
        const found = Object.entries(paths).flatMap(([name, [operation, params]]) =>
          allows(['clerk'], operation, params) ? name : [],
        )
        assert.deepEqual(found, fits)
      }
    })
  }

  test('an operation without its parameters is asked for as its template', async () => {
    const { allows } = await policyOf(
      allow('clerk', 'GET', getOrder.path),
      deny('clerk', 'GET', '^/v1/orders/x$'),
    )
    assert.equal(allows(['clerk'], getOrder), true)
  })

  test('a rule of another method says nothing', async () => {
    const { allows } = await policyOf(allow('clerk', 'POST', '/*'))
    assert.deepEqual(
      operations.map((each) => allows(['clerk'], each)),
      [false, false, true],
    )
  })

  test('a path that is longer than any path may be is denied', async () => {
    const { allows } = await policyOf(allow('clerk', '*', '/*'), deny('clerk', 'GET', '^/v1/orders/x$'))
    assert.equal(allows(['clerk'], getOrder, { orderId: 'x'.repeat(300) }), false)
    assert.equal(allows(['clerk'], getOrder, { orderId: 'y' }), true)
  })

  test('what is kept of outcomes changes none of them', async () => {
    const role = fc.constantFrom('clerk', 'auditor', 'chief', 'boss')
    const some = fc.record<Rule>({
      role,
      effect: fc.constantFrom('allow', 'deny'),
      method: fc.constantFrom('GET', 'POST', '*'),
      path: fc.constantFrom(...patterns.map(([pattern]) => pattern)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 6 }), fc.array(role), async (rules, roles) => {
        const kept = await policyOf(...rules)
        for (const [operation, params] of [...Object.values(paths), ...Object.values(paths)]) {
          const fresh = await policyOf(...rules)
          assert.equal(kept.allows(roles, operation, params), fresh.allows(roles, operation, params))
        }
      }),
      { numRuns: 30 },
    )
  })
})

test('an expression that could take exponential time, or is not anchored, is no pattern', () => {
  for (const text of [
    '^(a+)+$',
    '^(a|b)*$',
    '^(a){2,}$',
    '^(a)\\1$',
    '^(?=a)a$',
    '^.*.*.*.*$',
    '^[$',
    '^/v1\\$',
    'v1',
    '^/v1',
    '/v1/../x',
    '/v1//x',
    '/v1/%2e',
  ])
    assert.equal(pathPattern.safeParse(text).success, false, text)
})
