import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decideAccess } from '@caravan/contracts/access'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import jwt from 'jsonwebtoken'
import { get } from '../contract/ask.ts'
import { sameAccess } from '../support/access.ts'
import { logLines } from '../support/log-lines.ts'
import { startOutsideSidecar } from '../support/outside-sidecar.ts'
import { shop, stack } from '../support/stack.ts'

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
  assert.ok(list.text.includes(client.id) && !list.text.includes(client.secret), list.text)
  for (const _ of [1, 2])
    assert.equal((await door('DELETE', `/v1/clients/${client.id}`, { token })).status, 204)
  assert.equal((await ask(grant, basic(client))).status, 401)
})

test('every machine is in the list, page by page, the newest first', async () => {
  const made: string[] = []
  while (made.length < 5) made.unshift((await newClient()).id)
  const token = await shop.asOperator()
  const seen: string[] = []
  for (let after = ''; ; ) {
    const { status, body, text } = await door('GET', `/v1/clients?limit=2${after}`, { token })
    assert.equal(status, 200, text)
    assert.ok(body.data.length <= 2 && body.hasMore === (body.next !== undefined), text)
    seen.push(...body.data.map(({ id }: { id: string }) => id))
    if (!body.hasMore) break
    after = `&after=${body.next}`
  }
  assert.deepEqual(seen, [...new Set(seen)].sort().reverse())
  assert.deepEqual(
    seen.filter((id) => made.includes(id)),
    made,
  )
  assert.equal((await door('GET', '/v1/clients?after=x', { token })).status, 422)
})

test('a machine has the roles that were granted to its id, at once, in the audit log, until it is banned or goes', async () => {
  const client = await newClient()
  const administrator = await shop.asOperator()
  const { access_token: token } = (await ask(grant, basic(client))).body
  const change = async (method: string, path: string, body?: unknown) => {
    const answer = await door(method, path, { token: administrator, body })
    assert.ok(answer.status < 300, answer.text)
    return answer.body
  }
  const slug = `machine-${client.id}`.slice(0, 40)
  const name = { en: 'Tea', zh: '茶' }
  const editing = async () => {
    const { status, body } = await door('PUT', `/v1/categories/${slug}`, {
      token,
      body: { parent: null, name },
    })
    return status < 300 ? 'allowed' : String(body.code)
  }
  const becomes = async (expected: string) => {
    await eventually(`editing is ${expected}`, async () => (await editing()) === expected)
    // The door knew it; the others learn it by themselves.
    await sameAccess(stack)
  }
  const roles = `/v1/accounts/${client.id}/roles`

  assert.equal(await editing(), 'auth/forbidden')
  await change('PUT', `${roles}/catalogue-manager`)
  await becomes('allowed')
  assert.deepEqual(await change('GET', roles), { data: ['catalogue-manager'] })
  const issuedAt = (jwt.decode(token) as jwt.JwtPayload).iat
  for (const [operationId, outcome] of [
    ['putCategory', 'allowed'],
    ['listOrders', 'forbidden'],
  ]) {
    const body = { account: client.id, issuedAt, operationId }
    assert.deepEqual(await get(decideAccess, { body }, { through: 'payments' }), { outcome })
  }
  const done = await eventually('what it did is in the audit log', async () => {
    const { data } = await change('GET', `/v1/audit-entries?actor=${client.id}&action=putCategory`)
    return data.some(({ outcome }: { outcome: string }) => outcome === '200') && data
  })
  assert.equal(done[0].object, `/v1/categories/${slug}`)

  const ban = await change('POST', '/v1/access/bans', {
    ...{ kind: 'account', subject: client.id, reason: 'A test' },
  })
  await becomes('auth/banned')
  assert.equal((await ask(grant, basic(client))).status, 403)
  await change('DELETE', `/v1/access/bans/${ban.id}`)
  await becomes('allowed')
  await change('DELETE', `${roles}/catalogue-manager`)
  await becomes('auth/forbidden')

  await change('PUT', `${roles}/catalogue-manager`)
  await becomes('allowed')
  await change('DELETE', `/v1/clients/${client.id}`)
  await becomes('auth/session-ended')
  assert.deepEqual(await change('GET', roles), { data: [] })
  assert.equal((await door('PUT', `${roles}/support`, { token: administrator })).status, 404)
})

/** What docs/operations.md tells those who run a machine, for this shop instead of the example's. */
const machineYaml = (): string => {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const [, yaml] = /<!-- machine -->\n```yaml\n([\s\S]+?)```/.exec(text) ?? []
  assert.ok(yaml)
  return yaml.replaceAll('https://shop.example', shop.url)
}
const tokensAsked = () =>
  logLines('identity').filter(
    ({ msg, route }) => msg === 'request' && route === 'POST /operations/issueToken',
  )

test('the sidecar of an outside machine fetches its token once, and puts it on its calls to the shop', async (t) => {
  const client = await newClient()
  const before = tokensAsked().length
  const secrets = { 'shop-client-id': client.id, 'shop-client-secret': client.secret }
  const { port } = await startOutsideSidecar(t, { yaml: machineYaml(), secrets })
  const call = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/shop/method${path}`)
    const text = await answer.text()
    return { status: answer.status, body: text && JSON.parse(text) }
  }
  for (let n = 0; n < 5; n += 1) {
    const products = await call('/v1/products?limit=1')
    assert.deepEqual([products.status, products.body.data.length], [200, 1])
  }
  // Known by its own name: it is not asked to sign in, as who has no token is.
  assert.equal((await door('GET', '/v1/ledger-balance')).body.code, 'auth/sign-in-needed')
  const refused = await call('/v1/ledger-balance')
  assert.deepEqual([refused.status, refused.body.code], [403, 'auth/forbidden'])
  await eventually('identity has logged that it gave a token', () => tokensAsked().length > before)
  assert.equal(tokensAsked().length - before, 1)
})
