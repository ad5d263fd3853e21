import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { shippingAddress } from '../support/shop.ts'
import { mint, shop } from '../support/stack.ts'

// One thing, written in more than one way: what it is counts, not how it was written.

/** As documented. */
const maxBytes = 262_144

const bilingual = (value: string) => ({ en: value, zh: value })

const productOf = async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const { body } = await shop.door('GET', '/v1/products?limit=1')
  const { seller, category } = body.data[0]
  const price = { amount: 100, currency: 'USD' }
  const variant = (index: number, name = 'One') => ({
    ...{ sku: `S-${newId().slice(-12).toUpperCase()}-${index}`, name: bilingual(name), attributes: {} },
    ...{ price, weightGrams: 1 },
  })
  return {
    variant,
    content: {
      ...{ seller, category, title: bilingual('Spelled'), description: bilingual('Made by a test.') },
      ...{ pictures: [], tags: [], status: 'on-shelf' },
    },
  }
}

test('an id in capitals is the same id: in a path, a query and a body, for the page cache and the audit log', async () => {
  const token = await shop.asOperator()
  const { content, variant } = await productOf()
  const [id, path] = [newId(), (of: string) => `/v1/products/${of}`]
  const only = variant(0)
  const { sku } = only
  const product = { ...content, seller: content.seller.toUpperCase(), variants: [only] }
  const put = await shop.door('PUT', path(id.toUpperCase()), { token, body: product })
  assert.deepEqual([put.status, put.body.id, put.body.seller], [200, id, content.seller], put.text)
  for (const spelled of [id, id.toUpperCase()])
    assert.equal((await shop.door('GET', path(spelled))).body.version, 1)
  const edited = { ...product, title: bilingual('Edited') }
  assert.equal((await shop.door('PUT', path(id.toUpperCase()), { token, body: edited })).status, 200)
  for (const spelled of [id, id.toUpperCase()])
    assert.equal((await shop.door('GET', path(spelled))).body.version, 2, spelled)
  const ofSeller = await shop.door('GET', `/v1/products?seller=${content.seller.toUpperCase()}`)
  assert.ok(
    ofSeller.body.data.some((each: { id: string }) => each.id === id),
    ofSeller.text,
  )

  const adjustment = newId()
  const body = { delta: 10, reason: 'A delivery' }
  for (const spelled of [adjustment, adjustment.toUpperCase()]) {
    const adjusted = await shop.door('PUT', `/v1/stock/${sku}/adjustments/${spelled}`, {
      ...{ token, body },
    })
    assert.deepEqual([adjusted.status, adjusted.body.received], [200, 10], adjusted.text)
  }

  const object = path(id)
  await eventually('both edits are in the audit log under the one path', async () => {
    const { body: log } = await shop.door('GET', `/v1/audit-entries?object=${encodeURIComponent(object)}`, {
      token,
    })
    return log.data.filter((each: { outcome: string }) => each.outcome === '200').length === 2
  })
})

test('an order that comes again as the same JSON written otherwise gets its kept answer, another order does not', async () => {
  const [line] = await shop.newLines([5])
  assert.ok(line)
  const shopper = mint.member()
  const key = newId()
  const place = (raw: string) => shop.door('POST', '/v1/orders', { token: shopper.token, key, raw })
  const order = { items: [line], shippingAddress }
  const first = await place(JSON.stringify(order))
  assert.equal(first.status, 201, first.text)

  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).reverse()
    return Object.fromEntries(entries.map(([name, each]) => [name, reversed(each)]))
  }
  const escaped = JSON.stringify(order).replace(
    /[a-z](?=[a-z]*":)/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  for (const same of [
    JSON.stringify(order, null, 2),
    JSON.stringify(reversed(order)),
    escaped,
    `\ufeff${JSON.stringify(order)}`,
  ]) {
    const again = await place(same)
    assert.deepEqual(
      [again.status, again.body, again.headers.get('idempotent-replayed')],
      [201, first.body, 'true'],
      same,
    )
  }
  const other = await place(JSON.stringify({ ...order, items: [{ ...line, quantity: 2 }] }))
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency/key-reused'])
  assert.equal((await shop.stockOf(line.sku)).reserved, 1)
})

test('a valid product of just the documented size is taken, one of a byte more is 413 at the door', async () => {
  const token = await shop.asOperator()
  const { content, variant } = await productOf()
  const product = (variants: number) => ({
    ...content,
    description: bilingual('茶'.repeat(4000)),
    variants: Array.from({ length: variants }, (_, index) => ({
      ...variant(index, '茶'.repeat(120)),
      attributes: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`a${at}`, '茶'.repeat(80)])),
    })),
  })
  const body = JSON.stringify(product(40))
  const [bytes, path] = [Buffer.byteLength(body), `/v1/products/${newId()}`]
  assert.ok(bytes > 137_000 && bytes < maxBytes, String(bytes))
  const fits = await shop.door('PUT', path, { token, raw: body + ' '.repeat(maxBytes - bytes) })
  assert.equal(fits.status, 200, fits.text.slice(0, 300))
  const over = await shop.door('PUT', path, { token, raw: body + ' '.repeat(maxBytes - bytes + 1) })
  assert.deepEqual([over.status, over.body.code], [413, 'request/too-large'])
})

test('what is not UTF-8 is refused at every door, and stored nowhere', async () => {
  const token = (await shop.newShopper()).token
  const latin1 = Buffer.from(JSON.stringify({ name: 'José', locale: 'en' }), 'latin1')
  const put = (raw: Buffer, headers = {}) => shop.door('PUT', '/v1/me', { token, raw, headers })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const post = (raw: Buffer | string, headers = {}) =>
    shop.door('POST', '/v1/oauth2/token', { raw, headers: { ...form, ...headers } })
  const grant = 'grant_type=client_credentials'
  for (const [answer, status, code] of [
    [await put(latin1), 400, 'request/not-utf-8'],
    [
      await put(latin1, { 'content-type': 'application/json; charset=iso-8859-1' }),
      415,
      'request/other-charset',
    ],
    [await put(gzipSync(latin1), { 'content-encoding': 'gzip' }), 415, 'request/encoded'],
    [await shop.door('GET', '/v1/search?q=Caf%E9'), 400, 'request/not-utf-8'],
    [await shop.door('GET', '/v1/search?q=100%'), 400, 'request/not-utf-8'],
    [await post(`${grant}&client_id=Caf%E9&client_secret=x`), 400, 'identity/invalid-request'],
    [
      await post(Buffer.from(`${grant}&client_id=é&client_secret=x`, 'latin1')),
      400,
      'identity/invalid-request',
    ],
    [
      await post(grant, { authorization: `Basic ${Buffer.from('é:x', 'latin1').toString('base64')}` }),
      400,
      'request/not-utf-8',
    ],
    [
      await post(grant, { 'content-type': `${form['content-type']}; charset=iso-8859-1` }),
      415,
      'request/other-charset',
    ],
  ] as const) {
    assert.deepEqual([answer.status, answer.body?.code], [status, code], answer.text)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
  }
  const marked = Buffer.concat([
    Buffer.from([0xef, 0xbb, 0xbf]),
    Buffer.from('{"name":"José","locale":"en"}'),
  ])
  const taken = await put(marked)
  assert.deepEqual([taken.status, taken.body.name], [200, 'José'], taken.text)
})
