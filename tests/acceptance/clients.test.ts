import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'
import { shop } from '../support/stack.ts'

const { door } = shop
const newClient = async () => {
  const answer = await door('POST', '/v1/clients', {
    token: await shop.asOperator(),
    body: { name: 'warehouse' },
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.body as { id: string; secret: string }
}
const ask = (form: Record<string, string> | [string, string][], headers: Record<string, string> = {}) =>
  door('POST', '/v1/oauth2/token', {
    raw: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })
const grant = { grant_type: 'client_credentials' }
const basic = ({ id, secret }: { id: string; secret: string }) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

test('a machine gets a token in its own name, by Basic or in the body, where the discovery document says', async () => {
  const client = await newClient()
  const discovery = await door('GET', '/.well-known/openid-configuration')
  assert.equal(new URL(discovery.body.token_endpoint).pathname, '/v1/oauth2/token')
  for (const answer of [
    await ask(grant, basic(client)),
    await ask({ ...grant, client_id: client.id, client_secret: client.secret, audience: 'ignored' }),
  ]) {
    assert.equal(answer.status, 200, answer.text)
    const { access_token, token_type, expires_in } = answer.body
    assert.ok(token_type === 'Bearer' && expires_in > 0)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { sub, client_id } = jwt.decode(access_token) as jwt.JwtPayload
    assert.deepEqual([sub, client_id], [client.id, client.id])
    const products = await door('GET', '/v1/products', { token: access_token })
    assert.equal(products.status, 200, products.text)
    for (const path of ['/v1/me', '/v1/ledger-balance']) {
      const refused = await door('GET', path, { token: access_token })
      assert.equal(refused.status, 403, `${path}: a machine is nobody’s account and has no role`)
    }
  }
})

test('what is no good request is refused as RFC 6749 says', async () => {
  const { id, secret } = await newClient()
  const credentials = { client_id: id, client_secret: secret }
  for (const [form, status, error] of [
    [{ ...grant, client_id: id, client_secret: newId() }, 401, 'invalid_client'],
    [{ ...grant, client_id: newId(), client_secret: secret }, 401, 'invalid_client'],
    [{ ...credentials, grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [credentials, 400, 'invalid_request'],
    [grant, 400, 'invalid_request'],
    [
      [...Object.entries({ ...grant, ...credentials }), ['client_id', id] as [string, string]],
      400,
      'invalid_request',
    ],
  ] as const) {
    const answer = await ask(form as Record<string, string>)
    assert.deepEqual([answer.status, answer.body.error], [status, error], answer.text)
  }
  const both = await ask({ ...grant, ...credentials }, basic({ id, secret }))
  assert.deepEqual([both.status, both.body.error], [400, 'invalid_request'])
})

test('a machine that was taken out gets none, and its secret is nowhere', async () => {
  const client = await newClient()
  const token = await shop.asOperator()
  const list = await door('GET', '/v1/clients', { token })
  assert.ok(list.text.includes(client.id) && !list.text.includes(client.secret))
  for (const _ of [1, 2])
    assert.equal((await door('DELETE', `/v1/clients/${client.id}`, { token })).status, 204)
  assert.equal((await ask(grant, basic(client))).status, 401)
})
