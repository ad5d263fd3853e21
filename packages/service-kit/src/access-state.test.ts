import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { AccessChanges, AccessEntry } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import { type AccessState, createAccessState } from './access-state.ts'
import { anonymous, type Caller } from './authenticate.ts'
import { AppError } from './errors.ts'

const minute = 60_000
const open = { id: 'listThings', method: 'GET', path: '/v1/things', access: 'anyone' } as const
const own = { id: 'getThing', method: 'GET', path: '/v1/things/{thingId}', access: 'member' } as const
const staff = { id: 'putThing', method: 'PUT', path: own.path, access: { roles: ['operator'] } } as const
const internal = { id: 'sync', method: 'POST', path: '/v1/sync', access: { apps: ['orders'] } } as const

const session = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
const mei: Caller = { kind: 'member', id: 'mei', roles: ['operator'], session, issuedAt: 1000 }
const orders: Caller = { kind: 'app', id: 'orders', roles: [] }

const rule = (id: string, role: string, method: string, path: string, effect = 'allow'): AccessEntry => ({
  ...{ kind: 'rule', id },
  value: { role, effect, method, path },
})
const entry = (kind: string, id: string, value: AccessEntry['value'], expiresAt?: number): AccessEntry => ({
  ...{ kind, id, value },
  ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
})
const policy = [
  entry('role', 'shopper', { parents: [] }),
  entry('role', 'operator', { parents: [] }),
  rule('a', 'shopper', 'GET', '/v1/things/{thingId}'),
  rule('b', 'operator', 'PUT', '/v1/things/*'),
  entry('public-route', 'listThings', {}),
]

describe('the access state', () => {
  let time = 0
  let state: AccessState
  let version = 0

  beforeEach(() => {
    time = 1_000_000
    version = 0
    state = createAccessState({ now: () => time, elapsed: () => time })
  })

  const told = (...entries: AccessEntry[]): Promise<void> => {
    version += 1
    const answer: AccessChanges = { version, entries, hasMore: false }
    return state.catchUp(async () => answer)
  }
  const outcome = (
    operation: Pick<Operation, 'id' | 'method' | 'path' | 'access'>,
    caller: Caller,
  ): string => {
    try {
      state.authorise(operation, caller)
      return 'allowed'
    } catch (error) {
      assert.ok(error instanceof AppError, String(error))
      return `${error.status} ${error.code}`
    }
  }

  test('before the first version only what the contract opens to anyone is served', () => {
    assert.equal(outcome(open, anonymous), 'allowed')
    assert.equal(outcome(open, mei), 'allowed')
    for (const operation of [own, staff])
      for (const caller of [anonymous, mei])
        assert.equal(outcome(operation, caller), '503 auth/policies-unavailable')
  })

  test('a token’s roles are nothing, grants are: at once, and gone at once', async () => {
    await told(...policy)
    assert.equal(outcome(staff, mei), '403 auth/forbidden')
    await told(entry('grant', 'mei operator', { account: 'mei', role: 'operator' }))
    assert.equal(outcome(staff, mei), 'allowed')
    assert.deepEqual(state.authorise(own, mei).roles, ['operator', 'shopper'])
    assert.equal(outcome(staff, { ...mei, id: 'li' }), '403 auth/forbidden')
    await told(entry('grant', 'mei operator', null))
    assert.equal(outcome(staff, mei), '403 auth/forbidden')
  })

  test('everyone who is signed in is a shopper; who is not is asked to', async () => {
    await told(...policy)
    assert.equal(outcome(own, { ...mei, id: 'nobody knows' }), 'allowed')
    assert.equal(outcome(own, anonymous), '401 auth/sign-in-needed')
    assert.equal(outcome(own, orders), '401 auth/sign-in-needed')
  })

  test('a rule that is changed or removed counts no more', async () => {
    await told(...policy)
    await told(rule('a', 'operator', 'GET', '/v1/things/{thingId}'))
    assert.equal(outcome(own, mei), '403 auth/forbidden')
    await told(rule('a', 'shopper', 'GET', '/v1/things/{thingId}'))
    assert.equal(outcome(own, mei), 'allowed')
    await told(entry('rule', 'a', null))
    assert.equal(outcome(own, mei), '403 auth/forbidden')
  })

  test('a public route needs nobody; what acts for an account is never one', async () => {
    await told(...policy, entry('public-route', 'getThing', {}))
    assert.equal(outcome(open, anonymous), 'allowed')
    assert.equal(outcome(own, anonymous), '401 auth/sign-in-needed')
    await told(entry('public-route', 'listThings', null), entry('public-route', 'putThing', {}))
    assert.equal(outcome(open, anonymous), '401 auth/sign-in-needed')
    assert.equal(outcome(open, mei), '403 auth/forbidden')
    assert.equal(outcome(staff, anonymous), 'allowed')
  })

  test('what is for apps is for the listed ones, whatever the policy says', async () => {
    assert.equal(outcome(internal, orders), 'allowed')
    await told(...policy, rule('c', 'shopper', '*', '/*'), entry('public-route', 'sync', {}))
    assert.equal(outcome(internal, orders), 'allowed')
    for (const caller of [anonymous, mei, { ...mei, id: 'orders' }, { ...orders, id: 'carts' }])
      assert.equal(outcome(internal, caller), '403 auth/forbidden')
  })

  test('a banned account or session gets in nowhere, until the ban ends or is lifted', async () => {
    for (const [kind, subject] of [
      ['account', 'mei'],
      ['session', session],
    ] as const) {
      await told(...policy, entry('ban', 'b', { kind, subject }, time + minute))
      assert.equal(outcome(own, mei), '403 auth/banned', kind)
      assert.equal(outcome(open, mei), '403 auth/banned', kind)
      assert.equal(outcome(own, { ...mei, id: 'li', session: '1' }), 'allowed', kind)
      time += minute - 1
      assert.equal(outcome(own, mei), '403 auth/banned', kind)
      time += 1
      await told()
      assert.equal(outcome(own, mei), 'allowed', kind)
      await told(entry('ban', 'b', { kind, subject }))
      assert.equal(outcome(own, mei), '403 auth/banned', kind)
      await told(entry('ban', 'b', null))
      assert.equal(outcome(own, mei), 'allowed', kind)
    }
  })

  test('a session that was ended, and tokens of an account from before a moment, are 401', async () => {
    const revoked = (kind: string, subject: string, notBefore: number) =>
      entry(
        'revocation',
        `${kind} ${subject}`,
        { kind, subject, notBefore: new Date(notBefore).toISOString() },
        time + minute,
      )
    await told(...policy, revoked('session', session, time))
    assert.equal(outcome(own, mei), '401 auth/session-ended')
    assert.equal(outcome(open, mei), '401 auth/session-ended')
    assert.equal(outcome(own, { ...mei, session: '1' }), 'allowed')
    await told(revoked('account', 'li', 1_000_500))
    const li = (issuedAt: number) => outcome(own, { ...mei, id: 'li', session: '1', issuedAt })
    assert.deepEqual(
      [li(999), li(1000), li(1001)],
      ['401 auth/session-ended', '401 auth/session-ended', 'allowed'],
    )
  })

  test('addresses and networks are banned in any spelling, until then', async () => {
    await told(
      entry('ban', '1', { kind: 'address', subject: '192.0.2.7' }),
      entry('ban', '2', { kind: 'address', subject: '198.51.100.0/24' }, time + minute),
      entry('ban', '3', { kind: 'address', subject: '2001:db8::/32' }),
      entry('ban', '5', { kind: 'address', subject: '::/32' }),
      entry('ban', '4', { kind: 'address', subject: '2001:db9::1' }),
    )
    const hit = ['192.0.2.7', '::ffff:192.0.2.7', '198.51.100.255', '2001:DB8:1::1', '2001:db9:0:0::1']
    const missed = ['192.0.2.8', '198.51.101.0', '2001:db9::2', 'nonsense', '']
    assert.deepEqual([...hit, ...missed].filter(state.isBannedAddress), hit)
    time += minute
    assert.equal(state.isBannedAddress('198.51.100.255'), false)
    await told(entry('ban', '1', null), entry('ban', '3', null))
    assert.deepEqual(hit.filter(state.isBannedAddress), ['2001:db9:0:0::1'])
    state.sweep()
    assert.equal(state.isBannedAddress('2001:db9::1'), true)
  })

  test('a state that identity has not confirmed for a minute allows only what is public', async () => {
    await told(...policy)
    time += minute
    assert.equal(outcome(own, mei), 'allowed')
    time += 1
    assert.equal(outcome(own, mei), '503 auth/policies-unavailable')
    assert.equal(outcome(open, anonymous), 'allowed')
    await told()
    assert.equal(outcome(own, mei), 'allowed')
  })

  test('its age counts from the question, not from an answer that was long on its way', async () => {
    await state.catchUp(async () => {
      time += minute + 1
      return { version: 1, entries: policy, hasMore: false }
    })
    assert.equal(outcome(own, mei), '503 auth/policies-unavailable')
  })

  test('an older version is not applied and confirms nothing', async () => {
    await told(...policy)
    await told(entry('rule', 'a', null))
    time += minute + 1
    await assert.rejects(
      state.catchUp(async () => ({ version: 1, entries: policy, hasMore: false })),
      /version 1 after 2/,
    )
    assert.equal(state.version(), 2)
    assert.equal(outcome(own, mei), '503 auth/policies-unavailable')
  })

  test('where its version is not of identity’s history it reads all anew, and goes by that, lower or not', async () => {
    for (const lower of [1, 5, 9]) {
      const ban = entry('ban', 'b', { kind: 'account', subject: 'mei' })
      const entries = [...policy, ban]
      await state.catchUp(async () => ({ version: 5, mark: 'lost', since: 0, entries, hasMore: false }))
      assert.equal(outcome(own, mei), '403 auth/banned')
      const asked: unknown[] = []
      await state.catchUp(async (...question) => {
        asked.push(question)
        return asked.length === 1
          ? { version: 1, mark: 'one', since: 0, entries: policy.slice(0, 2), hasMore: true }
          : { version: lower, mark: 'two', since: 1, entries: policy.slice(2), hasMore: false }
      })
      assert.deepEqual(asked, [
        [5, 'lost'],
        [1, 'one'],
      ])
      assert.deepEqual([state.version(), outcome(own, mei)], [lower, 'allowed'])
      state = createAccessState({ now: () => time, elapsed: () => time })
    }
  })

  test('where identity goes back while its pages are read, it begins again', async () => {
    const answers: AccessChanges[] = [
      {
        version: 7,
        mark: 'a',
        since: 0,
        entries: [...policy, rule('x', 'shopper', 'PUT', '/*')],
        hasMore: true,
      },
      { version: 3, mark: 'b', since: 0, entries: policy, hasMore: false },
    ]
    await state.catchUp(async () => answers.shift() as AccessChanges)
    assert.deepEqual(
      [state.version(), outcome(own, mei), outcome(staff, mei)],
      [3, 'allowed', '403 auth/forbidden'],
    )
  })

  test('a machine may what was granted to it, and is a shopper only where that was', async () => {
    const machine: Caller = { kind: 'client', id: 'press', roles: [], issuedAt: 1000 }
    const list = { ...own, access: { roles: ['shopper'] } } as const
    const granted = (role: string, value: AccessEntry['value'] = { account: 'press', role }) =>
      entry('grant', `press ${role}`, value)
    await told(...policy, granted('operator'))
    assert.deepEqual([outcome(staff, machine), outcome(list, machine)], ['allowed', '403 auth/forbidden'])
    await told(granted('shopper'))
    assert.deepEqual([outcome(list, machine), outcome(own, machine)], ['allowed', '403 auth/forbidden'])
    await told(granted('operator', null))
    assert.deepEqual([outcome(staff, machine), outcome(list, machine)], ['403 auth/forbidden', 'allowed'])
    await told(entry('ban', 'b', { kind: 'account', subject: 'press' }))
    assert.equal(outcome(open, machine), '403 auth/banned')
  })

  test('pages are applied together, or not at all', async () => {
    await told(...policy)
    const pages: Record<number, AccessChanges | undefined> = {
      1: { version: 2, entries: [entry('rule', 'a', null)], hasMore: true },
    }
    const read = async (since: number) => {
      const found = pages[since]
      if (!found) throw new Error('away')
      return found
    }
    await assert.rejects(state.catchUp(read), /away/)
    assert.deepEqual([state.version(), outcome(own, mei)], [1, 'allowed'])
    pages[2] = { version: 3, entries: [entry('public-route', 'listThings', null)], hasMore: false }
    await state.catchUp(read)
    assert.deepEqual(
      [state.version(), outcome(own, mei), outcome(open, anonymous)],
      [3, '403 auth/forbidden', '401 auth/sign-in-needed'],
    )
  })

  test('after an hour of silence everything is read anew: what is gone may have been forgotten', async () => {
    await told(...policy, entry('ban', 'b', { kind: 'account', subject: 'mei' }))
    time += 60 * minute + 1
    const asked: number[] = []
    await state.catchUp(async (since) => {
      asked.push(since)
      return { version: 9, entries: policy, hasMore: false }
    })
    assert.deepEqual([asked, outcome(own, mei)], [[0], 'allowed'])
  })

  test('kinds of entries that are not known are left alone', async () => {
    await told(...policy, entry('later', 'x', { y: 1 }))
    assert.equal(outcome(own, mei), 'allowed')
  })
})
