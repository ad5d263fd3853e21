import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Access } from '@caravan/contracts/operation'
import { anonymous, authorise, type Caller, createAuthenticator } from './authenticate.ts'
import { AppError } from './errors.ts'
import { createTokenIssuer, issuer, kid } from './testing/token-issuer.ts'

const ours = createTokenIssuer()
const theirs = createTokenIssuer()
const authenticator = () => createAuthenticator(ours.keys, { issuer })
const now = () => Math.floor(Date.now() / 1000)
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const payload = (header: string) => header.split('.')[1] ?? ''

const refused = (work: Promise<unknown>) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.status, error.code], [401, 'auth/invalid-token'])
    return true
  })

describe('authenticate', () => {
  test('a good token names its member, with roles and the header to pass on', async () => {
    const header = ours.bearer({ sub: 'account-7', roles: ['member', 'operator'] })
    assert.deepEqual(await authenticator()(header), {
      kind: 'member',
      id: 'account-7',
      roles: ['member', 'operator'],
      authorization: header,
    })
  })

  test('no token is the anonymous caller, and so is the gateway’s anonymous token', async () => {
    assert.deepEqual(await authenticator()(undefined), anonymous)
    const caller = await authenticator()(ours.bearer({ sub: 'anonymous', roles: ['operator'] }))
    assert.deepEqual([caller.kind, caller.roles], ['anonymous', []])
  })

  const hmac = (alg: string, secret: string | Buffer) => {
    const text = `${encode({ alg, typ: 'at+jwt', kid })}.${payload(ours.bearer())}`
    return `Bearer ${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const pem = ours.publicKey.export({ type: 'spki', format: 'pem' })
  const good = ours.bearer()
  const [head = '', , signature = ''] = good.split('.')
  const bad: Record<string, string> = {
    'expired by one second': ours.bearer({ exp: now() - 1 }),
    'expired just now': ours.bearer({ exp: now() }),
    'without an expiry': ours.bearer({ exp: undefined }),
    'not valid before a minute': ours.bearer({ nbf: now() + 60 }),
    'without a subject': ours.bearer({ sub: undefined }),
    'of another issuer': ours.bearer({ iss: 'http://other.example' }),
    'for another audience': ours.bearer({ aud: 'other' }),
    'of the type of an id token': ours.bearer({}, { typ: 'JWT' }),
    'without a type': ours.bearer({}, { typ: undefined }),
    'with an unknown key id': ours.bearer({}, { kid: 'key-2' }),
    'without a key id': ours.bearer({}, { kid: undefined }),
    'signed by another key under our key id': theirs.bearer(),
    'signed with RS512': ours.bearer({}, { alg: 'RS512' }),
    'unsigned (alg none)': `Bearer ${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload(good)}.`,
    'alg none with the signature kept': `Bearer ${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload(good)}.${signature}`,
    'HS256 signed with the public key': hmac('HS256', pem),
    'signed with the public key, said to be RS256': hmac('RS256', pem),
    'tampered with': `${head}.${encode({ ...JSON.parse(Buffer.from(payload(good), 'base64url').toString()), roles: ['operator'] })}.${signature}`,
    'cut off': good.slice(0, -1),
    'with more behind it': `${good}, ${good}`,
    'under another scheme': good.replace('Bearer', 'Basic'),
    'no token at all': 'Bearer x',
  }
  for (const [what, header] of Object.entries(bad)) {
    test(`refuses a token ${what}`, () => refused(authenticator()(header)))
  }

  test('a verified token is remembered, and expires all the same', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    let asked = 0
    const authenticate = createAuthenticator(
      (id) => {
        asked += 1
        return ours.keys(id)
      },
      { issuer },
    )
    const header = ours.bearer({ exp: now() + 60 })
    await authenticate(header)
    t.mock.timers.tick(59_999)
    await authenticate(header)
    assert.equal(asked, 1)
    t.mock.timers.tick(1)
    await refused(authenticate(header))
    assert.equal(asked, 2)
  })

  test('a refused token is not remembered as good', async () => {
    const authenticate = authenticator()
    await authenticate(good)
    await refused(authenticate(theirs.bearer()))
    await refused(authenticate(bad['tampered with']))
  })
})

describe('authorise', () => {
  const member: Caller = { kind: 'member', id: 'a', roles: ['member'] }
  const operator: Caller = { kind: 'member', id: 'b', roles: ['member', 'operator'] }
  const orders: Caller = { kind: 'app', id: 'orders', roles: [] }
  const forged: Caller = { kind: 'member', id: 'orders', roles: ['operator'] }
  const staff: Access = { roles: ['operator'] }
  const internal: Access = { apps: ['orders'] }

  const outcome = (access: Access, caller: Caller): number | 'allowed' => {
    try {
      authorise(access, caller)
      return 'allowed'
    } catch (error) {
      assert.ok(error instanceof AppError, String(error))
      return error.status
    }
  }
  const table: [string, Access, Caller, number | 'allowed'][] = [
    ['anyone', 'anyone', anonymous, 'allowed'],
    ['a member', 'member', member, 'allowed'],
    ['a member, without a token', 'member', anonymous, 401],
    ['a member, from an app', 'member', orders, 401],
    ['staff', staff, operator, 'allowed'],
    ['staff, as a member', staff, member, 403],
    ['staff, without a token', staff, anonymous, 401],
    ['staff, from an app', staff, orders, 401],
    ['no role at all', { roles: [] }, operator, 403],
    ['an app', internal, orders, 'allowed'],
    ['another app', { apps: ['payments'] }, orders, 403],
    ['no app at all', { apps: [] }, orders, 403],
    ['an app, as an account of its name', internal, forged, 403],
    ['an app, as an operator', internal, operator, 403],
    ['an app, without a token', internal, anonymous, 403],
  ]
  for (const [what, access, caller, expected] of table) {
    test(`${what}: ${expected}`, () => assert.equal(outcome(access, caller), expected))
  }

  test('what is not said is denied', () => {
    for (const access of [undefined, null, {}, 'everyone', { role: ['operator'] }])
      assert.throws(() => authorise(access as never, operator))
  })
})
