import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { anonymous, createAuthenticator } from './authenticate.ts'
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
  test('a good token names its member, session and moment, and the header to pass on; its roles are nothing', async () => {
    const session = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
    const issuedAt = Math.floor(Date.now() / 1000) - 5
    const header = ours.bearer({ sub: 'account-7', roles: ['operator'], sid: session, iat: issuedAt })
    assert.deepEqual(await authenticator()(header), {
      kind: 'member',
      id: 'account-7',
      roles: [],
      session,
      issuedAt,
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
