import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { comparedMembers } from '@caravan/contracts/taking-back'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { promotionContent } from '../contract/samples.ts'
import { sameAccess } from '../support/access.ts'
import { shippingAddress } from '../support/shop.ts'
import { shop, stack } from '../support/stack.ts'

const text = (value: string) => ({ en: value, zh: value })
const mark = randomBytes(5).toString('hex')
const sellerId = newId()
const promotionId = newId()
/** The first path is of a promotion that there is, any other of none. */
const promotionIds = [promotionId]

interface Resource {
  /** Under an id that is new each time, where ids are the caller's. */
  readonly path: () => string
  readonly content: (edition: number) => object
  /** It is there from the beginning. */
  readonly isBorn?: true
  /** How it is read by whoever edits it, where that is not its path alone. */
  readonly query?: string
}

/** One of each that is replaced, by the operation that does it. */
const resources: Readonly<Record<string, Resource>> = {
  putProduct: {
    path: () => `/v1/products/${newId()}`,
    query: '?status=any',
    content: (edition) => ({
      ...{
        seller: sellerId,
        category: `of-${mark}`,
        title: text('A thing'),
        description: text('Made by a test.'),
      },
      ...{ pictures: [], tags: [`edition-${edition}`], status: 'off-shelf' },
      variants: [
        {
          ...{
            sku: `P-${newId().slice(-12).toUpperCase()}`,
            name: text('One'),
            attributes: { b: '1', a: '2' },
          },
          ...{ price: { amount: 100, currency: 'USD' }, weightGrams: 1 },
        },
      ],
    }),
  },
  putCategory: {
    path: () => `/v1/categories/c-${newId()}`,
    content: (edition) => ({ parent: null, name: text(`Edition ${edition}`) }),
  },
  putSeller: {
    path: () => `/v1/sellers/${newId()}`,
    content: (edition) => ({ name: text(`Edition ${edition}`), description: text('Sells.') }),
  },
  putPromotion: {
    path: () => `/v1/promotions/${newId()}`,
    content: (edition) => ({ ...promotionContent, priority: edition }),
  },
  putCode: {
    path: () => `/v1/promotions/${promotionIds.pop() ?? newId()}/codes/P-${newId().slice(-12).toUpperCase()}`,
    content: (edition) => ({ status: 'active', uses: edition }),
  },
  putPricing: {
    path: () => '/v1/pricing',
    content: (edition) => ({
      markets: [],
      taxZones: [
        {
          places: [{ country: 'AQ' }],
          rates: [{ taxClass: 'standard', name: { en: 'None' }, ratePpm: edition }],
        },
      ],
    }),
    isBorn: true,
  },
  putRule: {
    path: () => `/v1/access/rules/test.${newId()}`,
    content: (edition) => ({
      role: 'support',
      effect: 'allow',
      method: 'GET',
      path: `/v1/nothing/${edition}`,
    }),
  },
  // One set of parents for each edition up to 31.
  putRole: {
    path: () => `/v1/access/roles/role-${newId().slice(-12)}`,
    content: (edition) => ({
      parents: ['seller', 'support', 'catalogue-manager', 'finance', 'operator'].filter(
        (_, bit) => (edition >> bit) & 1,
      ),
    }),
  },
  putAddress: {
    path: () => `/v1/me/addresses/${newId()}`,
    content: (edition) => ({ ...shippingAddress, line1: `${edition} Long Road` }),
  },
  putInvoicing: {
    path: () => '/v1/invoicing',
    content: (edition) => ({ timeZone: 'UTC', language: 'en', payment: text(`Edition ${edition}`) }),
    isBorn: true,
  },
  putMe: {
    path: () => '/v1/me',
    content: (edition) => ({ name: `Edition ${edition}`, locale: 'en' }),
    isBorn: true,
  },
}

let token = ''
before(async () => {
  const shopper = await shop.newShopper()
  const by = { token: await shop.asOperator() }
  const path = `/v1/accounts/${shopper.id}/roles/administrator`
  assert.equal((await shop.door('PUT', path, by)).status, 204)
  token = shopper.token
  await eventually(
    'the role counts',
    async () => (await shop.door('GET', '/v1/access/roles', { token })).status === 200,
  )
  await sameAccess(stack)
  const put = async (path: string, body: object) =>
    assert.equal((await shop.door('PUT', path, { ...by, body })).status, 200)
  await put(`/v1/categories/of-${mark}`, { parent: null, name: text('Tests') })
  await put(`/v1/promotions/${promotionId}`, promotionContent)
  await put(`/v1/sellers/${sellerId}`, { name: text('Tester'), description: text('Tests.') })
})

/** A value of the same kind that is another. */
const otherThan = (value: unknown): unknown => {
  if (Array.isArray(value)) return [...value, 'operator']
  const text = String(value)
  if (/^\d{4}-.*Z$/.test(text)) return new Date(0).toISOString()
  return /^[\da-f-]{36}$/.test(text) ? newId() : `x-${text}`
}

/** The members that the path of an operation repeats. */
const namedIn = (operation: string): string[] => {
  const { body } = operations.find(({ id }) => id === operation) ?? {}
  return Object.keys((body && comparedMembers(body)?.named) ?? {})
}

/** What a busy machine answers with "try again" is asked again. */
const ask = (method: string, path: string, more: { body?: object; headers?: Record<string, string> } = {}) =>
  shop.persistently(() => shop.door(method, path, { token, ...more }))
const put = (path: string, body: object, headers: Record<string, string> = {}) =>
  ask('PUT', path, { body, headers })
const other = `"${'x'.repeat(43)}"`

test('every replacement is held to its conditions here', () => {
  const tagged = operations.filter(({ method, tagged }) => method === 'PUT' && tagged).map(({ id }) => id)
  assert.deepEqual(Object.keys(resources).sort(), tagged.sort())
})

/** Those that a `DELETE` at the same path ends. */
const deletable = new Set(
  operations
    .filter(({ method, path }) =>
      operations.some((op) => op.method === 'DELETE' && method === 'PUT' && op.path === path),
    )
    .map(({ id }) => id),
)

for (const [id, { path: newPath, content, isBorn, query = '' }] of Object.entries(resources)) {
  describe(id, () => {
    const path = newPath()
    const read = async () => {
      const { status, body, headers, text } = await ask('GET', path + query)
      assert.equal(status, 200, text)
      const etag = String(headers.get('etag'))
      assert.match(etag, /^"[\w-]{43}"$/)
      return { body, etag }
    }
    const refused = async (headers: Record<string, string>) => {
      const known = await read()
      const answer = await put(path, content(30), headers)
      assert.deepEqual([answer.status, answer.body.code], [412, 'request/precondition-failed'], answer.text)
      assert.deepEqual(await read(), known)
    }

    test('what is not there is made once by those who want it not to be there, and by nobody who knows one', async () => {
      if (isBorn) return
      for (const tags of ['*', other])
        assert.equal((await put(path, content(1), { 'if-match': tags })).status, 412)
      assert.equal((await ask('GET', path + query)).status, 404)
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => put(path, content(1), { 'if-none-match': '*' })),
      )
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)])
    })

    test('what was read can be sent back as it is, and changes nothing', async () => {
      const { body, etag } = await read()
      const again = await put(path, body, { 'if-match': etag })
      assert.deepEqual([again.status, again.body], [200, body], again.text)
      assert.equal(again.headers.get('etag'), etag)
      assert.deepEqual(await read(), { body, etag })
    })

    test('what only the shop writes is refused where it is another, but for what each write moves on', async () => {
      const { body, etag } = await read()
      const owned = Object.keys(body).filter((name) => !(name in content(1)))
      assert.ok(owned.length > 0)
      for (const name of owned) {
        if (['version', 'updatedAt'].includes(name)) continue
        for (const headers of [{}, { 'if-match': etag }] as Record<string, string>[]) {
          const refused = await put(path, { ...body, [name]: otherThan(body[name]) }, headers)
          assert.deepEqual(
            [refused.status, refused.body.errors?.[0].pointer],
            [422, `/${name}`],
            refused.text,
          )
        }
      }
      // Of what is not there yet its name is known.
      for (const name of namedIn(id)) {
        const refused = await put(newPath(), { ...content(1), [name]: body[name] })
        assert.deepEqual([refused.status, refused.body.errors?.[0].pointer], [422, `/${name}`], refused.text)
      }
      assert.deepEqual(await read(), { body, etag })
      if (!('version' in body)) return
      const old = { ...body, version: body.version + 7, updatedAt: new Date(0).toISOString() }
      assert.deepEqual((await put(path, old, { 'if-match': etag })).body, body)
    })

    test('an edit of what somebody else has edited since is refused', async () => {
      const { etag } = await read()
      const edited = await put(path, content(2), { 'if-match': `${other}, ${etag}` })
      assert.equal(edited.status, 200, edited.text)
      assert.equal(edited.headers.get('etag'), (await read()).etag)
      assert.notEqual((await read()).etag, etag)
      await refused({ 'if-match': etag })
      await refused({ 'if-match': other })
      await refused({ 'if-none-match': '*' })
      const now = (await read()).etag
      await refused({ 'if-match': `W/${now}` })
      await refused({ 'if-none-match': `W/${now}` })
      assert.equal((await put(path, content(3), { 'if-match': '*' })).status, 200)
      assert.equal((await put(path, content(4), { 'if-none-match': etag })).status, 200)
      assert.equal((await put(path, content(5), { 'if-match': 'unquoted' })).status, 400)
      assert.equal((await put(path, content(6))).status, 200)
    })

    test('of many who edit the same, one is done', async () => {
      const { etag } = await read()
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => put(path, content(11 + 2 * n), { 'if-match': etag })),
      )
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)])
    })

    test('what is not as it was when it was read is not deleted', async () => {
      if (!deletable.has(id)) return
      const remove = (headers: Record<string, string>) => ask('DELETE', path, { headers })
      const { body, etag } = await read()
      assert.equal((await put(path, content(7))).status, 200)
      const now = (await read()).etag
      for (const headers of [{ 'if-match': etag }, { 'if-none-match': now }] as Record<string, string>[]) {
        const refused = await remove(headers)
        assert.deepEqual([refused.status, refused.body.code], [412, 'request/precondition-failed'])
      }
      assert.equal((await remove({ 'if-match': 'unquoted' })).status, 400)
      assert.notDeepEqual((await read()).body, body)
      const answers = await Promise.all(Array.from({ length: 4 }, () => remove({ 'if-match': now })))
      const [done, ...others] = answers.map(({ status }) => status).sort()
      assert.equal(done, 204)
      for (const status of others) assert.ok([404, 412].includes(status), String(status))
      assert.equal((await ask('GET', path)).status, 404)
    })
  })
}
