import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import jwt from 'jsonwebtoken'
import { mint, shop, stack } from '../support/stack.ts'

/** Signed by a key of the attacker's, which the header brings along or leads to (RFC 8725, 2.6 and 3.10). */
const injected = (id: string): Record<string, string> => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = publicKey.export({ format: 'jwk' })
  const sign = (headers: object) =>
    jwt.sign(mint.claims(id), privateKey, {
      algorithm: 'RS256',
      header: { ...mint.header, ...headers } as unknown as jwt.JwtHeader,
    })
  return {
    'of another key': sign({}),
    'with its own key in jwk': sign({ jwk }),
    'with its own key behind jku': sign({ jku: 'http://127.0.0.1:1/jwks.json' }),
    'with its own key behind x5u': sign({ x5u: 'http://127.0.0.1:1/chain.pem' }),
    'with its own key in x5c': sign({
      x5c: [publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    }),
    'with a critical extension that nobody knows': sign({ crit: ['unknown'], unknown: true }),
  }
}

const bad = (): Record<string, string> => {
  const id = newId()
  const now = Math.floor(Date.now() / 1000)
  const good = mint.sign(id)
  const [head, claims, signature = ''] = good.split('.')
  const hs256 = mint.forge(id, { alg: 'HS256' }).replace(/\.$/, '')
  const publicPem = mint.publicKey.export({ type: 'spki', format: 'pem' })
  return {
    'expired a second ago': mint.sign(id, { iat: now - 600, exp: now - 1 }),
    'expired four minutes ago, inside the sidecar’s grace': mint.sign(id, { iat: now - 900, exp: now - 240 }),
    'expired an hour ago': mint.sign(id, { iat: now - 7200, exp: now - 3600 }),
    'alg none': mint.forge(id, { alg: 'none' }),
    'HS256 with the public key as secret': `${hs256}.${createHmac('sha256', publicPem).update(hs256).digest('base64url')}`,
    'of another issuer': mint.sign(id, { iss: 'https://elsewhere.example' }),
    'for another audience': mint.sign(id, { aud: 'another-shop' }),
    'of another type': mint.sign(id, {}, { typ: 'JWT' }),
    'with an unknown key id': mint.sign(id, {}, { kid: 'unknown' }),
    'with a path for a key id': mint.sign(id, {}, { kid: '../../../../dev/null' }),
    'with SQL for a key id': mint.sign(id, {}, { kid: "' OR '1'='1" }),
    ...injected(id),
    'with altered claims': `${head}.${Buffer.from(JSON.stringify({ ...mint.claims(newId()), roles: ['operator'] })).toString('base64url')}.${signature}`,
    truncated: `${head}.${claims}.${signature.slice(0, -8)}`,
    'no token at all': 'x',
  }
}

test('a token that is not good gets 401, at the door and at the service', async () => {
  for (const [name, token] of Object.entries(bad())) {
    const answer = await shop.door('GET', '/v1/orders', { token })
    assert.equal(answer.status, 401, `${name}: ${answer.text}`)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
    assert.ok(answer.headers.get('www-authenticate'), name)

    const direct = await fetch(
      `http://127.0.0.1:${stack.process('orders').ports.app}/operations/listOrders`,
      {
        headers: {
          authorization: `Bearer ${token}`,
          'dapr-api-token': String(stack.tokens.orders?.app),
        },
      },
    )
    assert.equal(direct.status, 401, `${name}, behind the sidecar's back`)
  }
  const good = await shop.door('GET', '/v1/orders', { token: mint.member().token })
  assert.equal(good.status, 200, good.text)
})

test('what needs a member answers 401 without a token', async () => {
  for (const [method, path, body] of [
    ['GET', '/v1/me', undefined],
    ['GET', '/v1/orders', undefined],
    ['POST', '/v1/orders', {}],
    ['GET', `/v1/payments/${newId()}`, undefined],
    ['POST', `/v1/orders/${newId()}/payments`, {}],
    ['PUT', `/v1/products/${newId()}`, {}],
  ] as const) {
    const answer = await shop.door(method, path, { body })
    assert.equal(answer.status, 401, `${method} ${path}: ${answer.text}`)
  }
})

test('a member is no operator', async () => {
  const { token } = mint.member()
  const refused = await shop.door('GET', '/v1/ledger-balance', { token })
  assert.equal(refused.status, 403, refused.text)
  const allowed = await shop.door('GET', '/v1/ledger-balance', { token: await shop.asOperator() })
  assert.equal(allowed.status, 200, allowed.text)
})

test('another member’s cart, order and payment are answered as if they did not exist', async () => {
  const [line] = await shop.newLines([2])
  assert.ok(line)
  const owner = mint.member()
  const other = mint.member()
  const order = await shop.tryOrder(owner, [line])
  const payment = await shop.tryPay(owner, order.body.id, await shop.tokenise())
  assert.equal(payment.status, 201, payment.text)
  await shop.door('POST', '/v1/carts/mine/items', {
    token: owner.token,
    body: { sku: line.sku, quantity: 1 },
  })

  for (const [method, path, body] of [
    ['GET', `/v1/orders/${order.body.id}`, undefined],
    ['POST', `/v1/orders/${order.body.id}/cancellation`, undefined],
    ['POST', `/v1/orders/${order.body.id}/payments`, { paymentMethod: 'pm_x' }],
    ['GET', `/v1/payments/${payment.body.id}`, undefined],
    ['GET', `/v1/carts/${owner.id}`, undefined],
    ['POST', `/v1/carts/${owner.id}/items`, { sku: line.sku, quantity: 1 }],
    ['DELETE', `/v1/carts/${owner.id}/items/${line.sku}`, undefined],
  ] as const) {
    const stranger = await shop.door(method, path, { token: other.token, body })
    assert.equal(stranger.status, 404, `${method} ${path}: ${stranger.text}`)
  }
  const payments = await shop.door('GET', `/v1/orders/${order.body.id}/payments`, { token: other.token })
  assert.deepEqual(payments.body.data, [])
  for (const path of [
    `/v1/orders/${order.body.id}`,
    `/v1/payments/${payment.body.id}`,
    `/v1/carts/${owner.id}`,
  ]) {
    assert.equal((await shop.door('GET', path, { token: owner.token })).status, 200, path)
  }
})

test('a call that did not come through the sidecar gets 401 from every app', async () => {
  const paths: Record<string, string> = {
    identity: '/operations/getMe',
    catalog: '/operations/listProducts',
    inventory: '/operations/getAvailability?skus=ABC',
    carts: '/operations/getCart?cartId=mine',
    orders: '/operations/listOrders',
    payments: '/operations/getLedgerBalance',
    promotions: '/operations/listPromotions',
    gateway: '/dapr/subscribe',
  }
  for (const [app, path] of Object.entries(paths)) {
    for (const headers of [{}, { 'dapr-api-token': 'a guess of sixteen characters or more' }]) {
      const url = `http://127.0.0.1:${stack.process(app).ports.app}${path}`
      const answer = await fetch(url, { headers })
      assert.equal(answer.status, 401, `${app}: ${await answer.text()}`)
    }
  }
})

test('what is between apps is not at the door, whatever headers a client sends', async () => {
  const headers = { 'dapr-caller-app-id': 'orders', 'dapr-app-id': 'inventory' }
  const body = { orderId: newId(), items: [{ sku: 'ABC', quantity: 1 }], ttlSeconds: 60 }
  for (const path of ['/v1/reservations', '/v1/payment-inquiries', '/v1/anonymous-tokens', '/dapr/config']) {
    const answer = await shop.door('POST', path, { body, headers, token: mint.member().token })
    assert.equal(answer.status, 404, `${path}: ${answer.text}`)
  }
  const spoofed = await shop.door('GET', '/v1/ledger-balance', { headers })
  assert.equal(spoofed.status, 401, spoofed.text)
})
