import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { before, describe, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import {
  type FirstRole,
  invokedPath,
  isPublic,
  type Operation,
  parametersOf,
  publicPath,
  roles,
} from '@caravan/contracts/operation'
import { addressHeader } from '@caravan/service-kit/client'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import jwt from 'jsonwebtoken'
import { sampleOf } from '../contract/samples.ts'
import { sameAccess } from '../support/access.ts'
import { newAddress } from '../support/door.ts'
import type { Shopper } from '../support/shop.ts'
import { mint, shop, stack } from '../support/stack.ts'

/** The default policy as it is promised: what a role may beside what every shopper may. */
const inherits: Record<FirstRole, readonly FirstRole[]> = {
  shopper: [],
  seller: [],
  support: [],
  'catalogue-manager': [],
  finance: [],
  operator: ['seller', 'support', 'catalogue-manager', 'finance'],
  administrator: ['operator', 'seller', 'support', 'catalogue-manager', 'finance'],
}

/** Served from what all share: nobody looks who asks. */
const shared = new Set(['listProducts', 'getProduct', 'searchProducts', 'listCategories', 'getSeller'])
/** Each about one order of the owner: for everyone else there is none. */
const owned = new Set(['getOrder', 'cancelOrder', 'payOrder', 'getPayment', 'listOrderDocuments'])
/** Lists in which it is for the owner only. */
const lists = new Set(['listOrders', 'listPayments'])

/** They would end the callers of all that follows: strangers of the same standing call them. */
const ending = new Set(['endCurrentSession', 'endAllSessions'])

const set = async (path: string, body?: unknown, method = 'PUT'): Promise<string> => {
  const asked = { token: await shop.asOperator(), body, key: method === 'POST' ? randomUUID() : null }
  const answer = await shop.persistently(() => shop.door(method, path, asked))
  // What is gone may have been taken by a try whose answer was lost.
  assert.ok(answer.status < 300 || (method === 'DELETE' && answer.status === 404), answer.text)
  return String(answer.body?.id)
}
const ban = (kind: string, subject: string) =>
  set('/v1/access/bans', { kind, subject, reason: 'A test' }, 'POST')
const codeOf = async (path: string, token?: string, method = 'GET'): Promise<string> => {
  const { status, body } = await shop.door(method, path, token ? { token } : {})
  return status < 300 ? String(status) : `${status} ${body?.code}`
}
const becomes = async (expected: string, path: string, token?: string) => {
  await eventually(`${path} is ${expected}`, async () => (await codeOf(path, token)) === expected)
  // The door knew it; the others learn it by themselves.
  await sameAccess(stack)
}

describe('every operation, for everyone', () => {
  let owner: Shopper
  let orderId = ''
  let paymentId = ''
  const callers = new Map<string, string | undefined>()

  before(async () => {
    const [line] = await shop.newLines([5])
    assert.ok(line)
    owner = await shop.newShopper()
    orderId = (await shop.placeOrder(owner, [line])).id
    paymentId = (await shop.pay(owner, orderId)).id
    callers.set('anonymous', undefined)
    for (const role of roles) {
      const { id, token } = await shop.newShopper()
      if (role !== 'shopper') await set(`/v1/accounts/${id}/roles/${role}`)
      callers.set(role, token)
    }
    const banned = await shop.newShopper()
    await ban('account', banned.id)
    callers.set('banned', banned.token)
    const now = Math.floor(Date.now() / 1000)
    callers.set('expired', mint.sign(owner.id, { iat: now - 700, exp: now - 1 }))
    callers.set('owner', owner.token)
    await becomes('403 auth/banned', '/v1/me', banned.token)
    await sameAccess(stack)
  })

  const tokenOf = ({ id }: Operation, caller: string): string | undefined =>
    ending.has(id) && !['anonymous', 'banned', 'expired'].includes(caller)
      ? mint.member().token
      : callers.get(caller)

  const requestOf = (operation: Operation) => {
    const sample = sampleOf(operation)
    const params = {
      ...sample.params,
      ...(owned.has(operation.id) || lists.has(operation.id) ? { orderId, paymentId } : {}),
    }
    const named = parametersOf(operation).map((name): [string, string] => [
      name,
      String(params[name as never]),
    ])
    const url = (path: string, query: URLSearchParams) => (query.size > 0 ? `${path}?${query}` : path)
    return {
      path: url(publicPath(operation, params), new URLSearchParams(sample.query)),
      invoked: url(
        invokedPath(operation),
        new URLSearchParams([...named, ...Object.entries(sample.query ?? {})]),
      ),
      body: sample.body ?? (operation.body ? {} : undefined),
    }
  }

  /** As the contract says: `in`, or the refusal. */
  const expected = ({ access, id }: Operation, caller: string, isDoor: boolean): string => {
    if (typeof access === 'object' && 'apps' in access) {
      if (isDoor) return '404'
      return caller === 'expired' ? '401 auth/invalid-token' : '403 auth/forbidden'
    }
    if (isDoor && shared.has(id)) return 'in'
    if (caller === 'banned') return '403 auth/banned'
    if (caller === 'expired') return '401 auth/invalid-token'
    if (access === 'anyone') return 'in'
    if (caller === 'anonymous') return '401 auth/sign-in-needed'
    if (access !== 'member') {
      const held = caller === 'owner' ? [] : [caller, ...inherits[caller as FirstRole]]
      const may = caller === 'administrator' || access.roles.some((role) => held.includes(role))
      return may ? 'in' : '403 auth/forbidden'
    }
    return owned.has(id) && caller !== 'owner' ? '404' : 'in'
  }

  const found = (status: number, code: unknown): string => {
    assert.ok(status < 500, `${status} ${code}`)
    if (typeof code === 'string' && code.startsWith('auth/')) return `${status} ${code}`
    return status === 404 || status === 405 ? '404' : 'in'
  }
  const compare = (
    operation: Operation,
    caller: string,
    [wanted, got]: readonly [wanted: string, got: string],
    text: string,
  ): void => {
    // What is sampled need not be there: not to be found is to be let in, but where it is somebody's.
    const fine = wanted === got || (wanted === 'in' && got === '404' && !owned.has(operation.id))
    assert.ok(fine, `${operation.id} as ${caller}: ${got}, not ${wanted}`)
    if (caller === 'owner' || !(owned.has(operation.id) || lists.has(operation.id))) return
    for (const secret of [orderId, paymentId])
      assert.ok(!text.includes(secret), `${operation.id} tells ${caller} of it: ${text}`)
  }

  test('the live routes are those of the contracts', async () => {
    const { body } = await shop.door('GET', '/openapi.json')
    const live = Object.entries(body.paths as object).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const listed = operations.filter(isPublic).map(({ method, path }) => `${method} ${path}`)
    assert.deepEqual(live.sort(), listed.sort())
  })

  for (const operation of operations as readonly Operation[]) {
    test(`${operation.id} at the door`, async () => {
      const { path, body } = requestOf(operation)
      for (const caller of callers.keys()) {
        const token = tokenOf(operation, caller)
        const key = operation.idempotent ? randomUUID() : null
        // Wrong passwords of one address would ban it.
        const headers = { 'x-forwarded-for': newAddress() }
        const by = { ...(token ? { token } : {}), body, key, headers }
        const answer = await shop.door(operation.method, path, by)
        const got = found(answer.status, answer.body?.code)
        compare(operation, caller, [expected(operation, caller, true), got], answer.text)
      }
    })

    test(`${operation.id} at ${operation.app}, for whoever got past the door`, async () => {
      const { invoked, body } = requestOf(operation)
      for (const caller of callers.keys()) {
        const token = tokenOf(operation, caller)
        const response = await fetch(`http://127.0.0.1:${stack.process(operation.app).ports.app}${invoked}`, {
          method: operation.method,
          headers: {
            'dapr-api-token': String(stack.tokens[operation.app]?.app),
            [addressHeader]: newAddress(),
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...(operation.idempotent ? { 'idempotency-key': randomUUID() } : {}),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: body === undefined ? null : JSON.stringify(body),
        })
        const text = await response.text()
        const code = text.startsWith('{') ? JSON.parse(text).code : undefined
        assert.notEqual(code, 'request/no-such-route')
        const got = found(response.status, code)
        compare(operation, caller, [expected(operation, caller, false), got], text)
      }
    })
  }
})

test('what a token says of roles counts for nothing', async () => {
  const { id } = await shop.newShopper()
  const token = mint.sign(id, { roles: ['operator', 'administrator'] })
  assert.equal(await codeOf('/v1/access/rules', token), '403 auth/forbidden')
})

test('a role that an administrator makes may what its rules and parents say, and is shown at its account', async () => {
  const { id, token } = await shop.newShopper()
  const role = `role-${newId().slice(-12)}`
  await set(`/v1/access/roles/${role}`, { parents: ['finance'] })
  const rule = { role, method: 'GET' }
  await set(`/v1/access/rules/${newId()}`, { ...rule, effect: 'allow', path: '/v1/dead-letters/*' })
  await set(`/v1/access/rules/${newId()}`, {
    ...rule,
    effect: 'deny',
    path: '^/v1/dead-letters/(carts|orders)$',
  })
  await set(`/v1/accounts/${id}/roles/${role}`)
  await becomes('200', '/v1/ledger-balance', token)
  assert.equal(await codeOf('/v1/dead-letters/payments', token), '200')
  assert.equal(await codeOf('/v1/dead-letters/carts', token), '403 auth/forbidden')
  assert.deepEqual((await shop.door('GET', '/v1/me', { token })).body.roles, [role, 'shopper'].sort())
  const { body } = await shop.door('GET', `/v1/accounts/${id}/roles`, { token: await shop.asOperator() })
  assert.deepEqual(body, { data: [role] })

  const used = await shop.door('DELETE', `/v1/access/roles/${role}`, { token: await shop.asOperator() })
  assert.deepEqual([used.status, used.body.code], [409, 'identity/role-in-use'])
})

test('an account is told what it may use, so that a menu shows nothing else', async () => {
  const permissions = async (token: string): Promise<string[]> =>
    (await shop.door('GET', '/v1/me/permissions', { token })).body.data
  const all = operations.filter(isPublic)
  const own = all.filter(({ access }) => access === 'anyone' || access === 'member')
  const ids = (of: readonly { id: string }[]) => of.map(({ id }) => id).sort()
  assert.deepEqual((await permissions((await shop.newShopper()).token)).sort(), ids(own))
  assert.deepEqual((await permissions(await shop.asOperator())).sort(), ids(all))
})

test('a session that is banned is refused, another of the account is not', async () => {
  const { email, password, token: another } = await shop.newShopper()
  const token = await shop.signIn(email, password)
  const { sid } = jwt.decode(token) as { sid: string }
  const banId = await ban('session', sid)
  await becomes('403 auth/banned', '/v1/me', token)
  assert.equal(await codeOf('/v1/me', another), '200')
  await set(`/v1/access/bans/${banId}`, undefined, 'DELETE')
  await becomes('200', '/v1/me', token)
})

test('a banned account cannot sign in, and can again when the ban is over', async () => {
  const { id, email, password, token } = await shop.newShopper()
  const banUntil = async (ms: number) => {
    const until = new Date(Date.now() + ms).toISOString()
    const body = { kind: 'account', subject: id, reason: 'A test', until }
    return (await shop.door('POST', '/v1/access/bans', { token: await shop.asOperator(), body })).status
  }
  assert.equal(await banUntil(3_600_000), 201)
  await becomes('403 auth/banned', '/v1/me', token)
  const answer = await shop.door('POST', '/v1/sessions', { body: { email, password } })
  assert.deepEqual([answer.status, answer.body.code], [403, 'auth/banned'])
  const list = await shop.door('GET', '/v1/access/bans?limit=100', { token: await shop.asOperator() })
  assert.ok(list.body.data.some((each: { subject: string }) => each.subject === id))
  await eventually('it ends soon', async () => (await banUntil(5000)) === 201)
  await becomes('200', '/v1/me', token)
  assert.ok(await shop.signIn(email, password))
})

test('a ban that is over when it is asked for is refused, and the one that holds goes on', async () => {
  const { id, token } = await shop.newShopper()
  const banId = await ban('account', id)
  await becomes('403 auth/banned', '/v1/me', token)
  const until = new Date(Date.now() - 1000).toISOString()
  const body = { kind: 'account', subject: id, reason: 'A test', until }
  const refused = await shop.door('POST', '/v1/access/bans', { token: await shop.asOperator(), body })
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.errors[0].pointer],
    [422, 'identity/ban-over', '/until'],
  )
  assert.equal(await codeOf('/v1/me', token), '403 auth/banned')
  await set(`/v1/access/bans/${banId}`, undefined, 'DELETE')
  await becomes('200', '/v1/me', token)
})

test('a ban that is replaced by a shorter one ends with that', async () => {
  const { id, token } = await shop.newShopper()
  await ban('account', id)
  await becomes('403 auth/banned', '/v1/me', token)
  await eventually('it ends soon', async () => {
    const until = new Date(Date.now() + 2000).toISOString()
    const body = { kind: 'account', subject: id, reason: 'A test', until }
    const { status, text } = await shop.door('POST', '/v1/access/bans', {
      token: await shop.asOperator(),
      body,
    })
    // On a busy machine it may be over before it is asked for.
    assert.ok([201, 422, 503].includes(status), text)
    return status === 201
  })
  await becomes('200', '/v1/me', token)
})

test('who or what is not there gets no role and no ban', async () => {
  const token = await shop.asOperator()
  const nobody = newId()
  const role = await shop.door('PUT', `/v1/accounts/${nobody}/roles/support`, { token })
  assert.deepEqual([role.status, role.body.code], [404, 'identity/account-not-found'])
  for (const [kind, code] of [
    ['account', 'identity/account-not-found'],
    ['session', 'identity/no-such-session'],
  ]) {
    const body = { kind, subject: nobody, reason: 'A test' }
    const refused = await shop.door('POST', '/v1/access/bans', { token, body })
    assert.deepEqual([refused.status, refused.body.code], [404, code])
  }
})

test('a banned address gets nothing at the door, cached pages neither; others do', async () => {
  const from = (localAddress: string, path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      httpRequest(new URL(path, shop.url), { localAddress }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
  const pages = ['/v1/categories', '/docs', '/v1/orders', '/v1/nothing']
  assert.equal(await from('127.7.1.9', '/v1/categories'), 200)
  const banId = await ban('address', '127.7.1.0/24')
  await eventually('the network is out', async () => (await from('127.7.1.9', '/v1/categories')) === 403)
  for (const page of pages) assert.equal(await from('127.7.1.255', page), 403)
  assert.equal(await from('127.7.2.1', '/v1/categories'), 200)
  await set(`/v1/access/bans/${banId}`, undefined, 'DELETE')
  await eventually('it is back', async () => (await from('127.7.1.9', '/v1/categories')) === 200)
})

test('what would end in a locked or senseless shop is refused', async () => {
  const token = await shop.asOperator()
  const { id } = (await shop.door('GET', '/v1/me', { token })).body
  const deny = { role: 'shopper', effect: 'deny', method: '*', path: '/*' }
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await shop.door(method, path, { token, body })
    return `${answer.status} ${answer.body?.code}`
  }
  const reason = 'A test'
  assert.equal(await ask('PUT', `/v1/access/rules/${newId()}`, deny), '409 identity/locks-out-administrators')
  assert.equal(
    await ask('PUT', `/v1/access/rules/${newId()}`, { ...deny, role: 'nobody' }),
    '409 identity/unknown-role',
  )
  assert.equal(
    await ask('PUT', `/v1/access/rules/${newId()}`, { ...deny, path: '^(a+)+$' }),
    '422 identity/invalid-request',
  )
  assert.equal(
    await ask('PUT', '/v1/access/roles/finance', { parents: ['administrator'] }),
    '409 identity/role-circle',
  )
  assert.equal(
    await ask('PUT', '/v1/access/roles/seller', { parents: ['seller'] }),
    '409 identity/role-circle',
  )
  assert.equal(await ask('PUT', '/v1/access/public-routes/placeOrder'), '409 identity/needs-account')
  assert.equal(await ask('PUT', '/v1/access/public-routes/reserve'), '404 identity/operation-not-found')
  assert.equal(await ask('DELETE', '/v1/access/public-routes/getKeys'), '409 identity/stays-public')
  const wide = { kind: 'address', subject: '10.0.0.0/7', reason }
  assert.equal(await ask('POST', '/v1/access/bans', wide), '422 identity/network-too-wide')
  const mixed = { kind: 'account', subject: '10.0.0.1', reason }
  assert.equal(await ask('POST', '/v1/access/bans', mixed), '422 identity/invalid-request')

  const operator = await shop.newShopper()
  await set(`/v1/accounts/${operator.id}/roles/operator`)
  await becomes('200', '/v1/access/bans', operator.token)
  const coup = await shop.door('POST', '/v1/access/bans', {
    ...{ token: operator.token, body: { kind: 'account', subject: id, reason } },
  })
  assert.deepEqual([coup.status, coup.body.code], [403, 'auth/forbidden'])
})

test('lists come in parts that together are the whole', async () => {
  const token = await shop.asOperator()
  const ids: string[] = []
  let after = ''
  do {
    const { body } = await shop.door('GET', `/v1/access/rules?limit=20${after && `&after=${after}`}`, {
      token,
    })
    ids.push(...body.data.map((each: { id: string }) => each.id))
    after = body.next ?? ''
    assert.equal(body.hasMore, after !== '')
  } while (after)
  assert.ok(ids.length > 40)
  assert.deepEqual(ids, [...new Set(ids)].sort())
})
