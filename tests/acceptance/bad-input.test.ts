import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { sql } from '../support/books.ts'
import { shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'

test('bad input gets the right problem, with a pointer to the field, and writes nothing', async () => {
  const [line] = await shop.newLines([10])
  assert.ok(line)
  const shopper = mint.member()
  const good = { items: [line], shippingAddress }
  const withLine = (changes: object) => ({ ...good, items: [{ ...line, ...changes }] })
  const { sku: _, ...noSku } = line

  const cases: Record<
    string,
    {
      body?: unknown
      raw?: string
      headers?: Record<string, string>
      key?: null
      status: number
      code: string
      pointer?: string
    }
  > = {
    'no body': { raw: '', status: 400, code: 'request/malformed-json', pointer: '' },
    'broken JSON': { raw: '{"items": [', status: 400, code: 'request/malformed-json', pointer: '' },
    'not JSON': {
      raw: 'a=b',
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 'request/not-json',
    },
    '10 MB': {
      raw: JSON.stringify({ ...good, pad: 'x'.repeat(10_000_000) }),
      status: 413,
      code: 'request/too-large',
    },
    'no key': { body: good, key: null, status: 400, code: 'idempotency/key-missing' },
    'no items': { body: { shippingAddress }, status: 422, code: 'orders/invalid-request', pointer: '/items' },
    'empty items': {
      body: { ...good, items: [] },
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items',
    },
    '101 items': {
      body: { ...good, items: Array(101).fill(line) },
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items',
    },
    'missing SKU': {
      body: { ...good, items: [noSku] },
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/sku',
    },
    'negative quantity': {
      body: withLine({ quantity: -1 }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/quantity',
    },
    'zero quantity': {
      body: withLine({ quantity: 0 }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/quantity',
    },
    'huge quantity': {
      body: withLine({ quantity: 1e15 }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/quantity',
    },
    'float quantity': {
      body: withLine({ quantity: 1.5 }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/quantity',
    },
    'text quantity': {
      body: withLine({ quantity: '1' }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/quantity',
    },
    'unknown field': {
      body: { ...good, total: 1 },
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/total',
    },
    'unknown field inside': {
      body: withLine({ discount: 1 }),
      status: 422,
      code: 'orders/invalid-request',
      pointer: '/items/0/discount',
    },
    'too many in all lines of one SKU': {
      body: {
        ...good,
        items: [
          { ...line, quantity: 600 },
          { ...line, quantity: 600 },
        ],
      },
      status: 422,
      code: 'orders/too-many',
      pointer: '/items/1/quantity',
    },
    'unknown SKU': {
      body: withLine({ sku: 'NO-SUCH-SKU' }),
      status: 422,
      code: 'orders/unknown-sku',
      pointer: '/items/0/sku',
    },
    'changed price': {
      body: withLine({ unitPrice: { amount: 1, currency: 'USD' } }),
      status: 409,
      code: 'orders/price-changed',
      pointer: '/items/0/unitPrice',
    },
    'other currency': {
      body: withLine({ unitPrice: { ...line.unitPrice, currency: 'EUR' } }),
      status: 409,
      code: 'orders/price-changed',
      pointer: '/items/0/unitPrice',
    },
  }
  for (const [name, { status, code, pointer, ...ask }] of Object.entries(cases)) {
    const answer = await shop.door('POST', '/v1/orders', { token: shopper.token, ...ask })
    assert.equal(answer.status, status, `${name}: ${answer.text}`)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/, name)
    assert.equal(answer.body.code, code, name)
    assert.equal(answer.body.status, status, name)
    assert.match(answer.body.traceId, /^[0-9a-f]{32}$/, name)
    if (pointer !== undefined) {
      assert.ok(
        answer.body.errors?.some((error: { pointer: string }) => error.pointer === pointer),
        `${name}: ${answer.text}`,
      )
    }
  }
  assert.deepEqual(await sql('orders', 'SELECT id FROM orders WHERE account_id = ?', [shopper.id]), [])
  assert.deepEqual(await shop.stockOf(line.sku), {
    sku: line.sku,
    received: 10,
    available: 10,
    reserved: 0,
    sold: 0,
  })
})

test('a changed price comes with the price of now', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const stale = { ...line, unitPrice: { amount: line.unitPrice.amount - 1, currency: 'USD' } }
  const answer = await shop.tryOrder(mint.member(), [stale])
  assert.equal(answer.status, 409, answer.text)
  assert.deepEqual(answer.body.prices, [{ sku: line.sku, unitPrice: line.unitPrice }])
})

test('ids, paging and queries are checked too', async () => {
  const { token } = mint.member()
  for (const [path, pointer] of [
    ['/v1/orders/not-a-uuid', 'params/orderId'],
    ['/v1/orders?limit=0', 'query/limit'],
    ['/v1/orders?limit=101', 'query/limit'],
    ['/v1/orders?page=2', 'query/page'],
    ['/v1/search', 'query/q'],
    ['/v1/products/42', 'params/productId'],
  ] as const) {
    const answer = await shop.door('GET', path, { token })
    assert.equal(answer.status, 422, `${path}: ${answer.text}`)
    assert.equal(answer.body.errors[0].pointer, pointer, path)
  }
  assert.equal((await shop.door('GET', '/v1/no-such-thing', { token })).status, 404)
  const wrong = await shop.door('DELETE', '/v1/orders', { token })
  assert.equal(wrong.status, 405)
  assert.match(String(wrong.headers.get('allow')), /GET/)
})

test('text that a database, an event or a mail would not hold is 422 with a pointer, and so is a name that cannot be seen', async () => {
  const { token } = await shop.newShopper()
  const address = `/v1/me/addresses/${newId()}`
  const account = {
    email: `${newId()}@example.com`,
    password: 'a long passphrase',
    name: 'Mei',
    locale: 'en',
  }
  const asked = async (method: string, path: string, body: object) => shop.door(method, path, { token, body })
  for (const bad of ['X\ud83d', 'a\u0000b', '   ', '\u200b\u3164', 'a\u202eb', 'a\nb'])
    for (const [method, path, body, pointer] of [
      ['PUT', address, { ...shippingAddress, name: bad }, '/name'],
      ['PUT', address, { ...shippingAddress, city: bad }, '/city'],
      ['PUT', '/v1/me', { name: bad, locale: 'en' }, '/name'],
      ['POST', '/v1/accounts', { ...account, name: bad }, '/name'],
    ] as const) {
      const answer = await asked(method, path, body)
      const pointers = answer.body.errors?.map((each: { pointer: string }) => each.pointer)
      assert.deepEqual([answer.status, pointers], [422, [pointer]], `${JSON.stringify(bad)}: ${answer.text}`)
    }
  const half = await asked('POST', '/v1/accounts', { ...account, password: 'a long passphrase\ud83d' })
  assert.deepEqual([half.status, half.body.errors[0].pointer], [422, '/password'])
  const found = await shop.door('GET', `/v1/search?q=${encodeURIComponent('\u3164')}`)
  assert.deepEqual([found.status, found.body.errors[0].pointer], [422, 'query/q'])
  assert.deepEqual((await shop.door('GET', '/v1/me/addresses', { token })).body.data, [])
})
