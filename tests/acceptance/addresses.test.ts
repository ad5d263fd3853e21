import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { openDoor } from '../support/door.ts'
import { linkIn } from '../support/inbox.ts'
import { mint, shop, stack } from '../support/stack.ts'

const { door } = shop
const inbox = openDoor(stack.mailUrl)

const kowloon = {
  ...{
    name: 'Chan Tai Man',
    company: 'Tai Man Trading',
    line1: '8 Nathan Road',
    city: 'Kowloon',
    country: 'HK',
  },
  phone: '+852 2345 6789',
}

test('an order goes to where a country’s own form says: Hong Kong has no postal codes; company and phone go with it', async () => {
  const shopper = mint.member()
  const items = await shop.newLines([1])
  const order = (shippingAddress: object) =>
    door('POST', '/v1/orders', { token: shopper.token, body: { items, shippingAddress } })
  for (const [fields, pointer] of [
    [{ ...kowloon, country: 'US' }, 'postalCode'],
    [{ ...kowloon, country: 'US', postalCode: '9501' }, 'postalCode'],
    [{ ...kowloon, country: 'UK' }, 'country'],
    [{ ...kowloon, city: undefined }, 'region'],
    [{ ...kowloon, phone: 'at home' }, 'phone'],
  ] as const) {
    const { status, body, text } = await order(fields)
    assert.deepEqual([status, body.errors?.[0]?.pointer], [422, `/shippingAddress/${pointer}`], text)
  }
  const { status, body, text } = await order(kowloon)
  assert.deepEqual([status, body.shippingAddress], [201, kowloon], text)
  assert.deepEqual((await shop.orderOf(shopper, body.id)).shippingAddress, kowloon)
})

test('the address book holds it as it is, and so does the export', async () => {
  const { token } = await shop.newShopper()
  const id = newId()
  const put = (body: object) => door('PUT', `/v1/me/addresses/${id}`, { token, body })
  const refused = await put({ ...kowloon, country: 'US' })
  assert.deepEqual([refused.status, refused.body.errors?.[0]?.pointer], [422, '/postalCode'], refused.text)
  assert.deepEqual((await put(kowloon)).body, { id, ...kowloon })
  assert.deepEqual((await door('GET', '/v1/me/addresses', { token })).body.data, [{ id, ...kowloon }])
  assert.deepEqual((await door('GET', '/v1/me/export', { token })).body.addresses, [{ id, ...kowloon }])
})

test('an e-mail address in a domain of another script gets its mail', async () => {
  const email = `mei-${newId()}@xn--fsqu00a.xn--fiqs8s`
  const password = newId()
  const made = await door('POST', '/v1/accounts', { body: { email, password, name: '林美' } })
  assert.deepEqual([made.status, made.body.email], [201, email], made.text)
  const token = await linkIn(inbox, email, /^Confirm/)
  assert.equal((await door('POST', '/v1/address-confirmations', { body: { token } })).status, 204)
  await shop.signIn(email, password)
  const refused = await door('POST', '/v1/accounts', {
    body: { email: 'mei@例子.中国', password, name: '林美' },
  })
  assert.deepEqual([refused.status, refused.body.errors?.[0]?.pointer], [422, '/email'])
  assert.match(refused.text, /xn--/)
})

test('one language is enough for a product, its category and its seller: it is listed, found and ordered', async () => {
  const token = await shop.asOperator()
  const mark = `Y${newId().slice(-12).toUpperCase()}`
  const [seller, category] = [newId(), `only-${mark.toLowerCase()}`]
  const put = async (path: string, body: object) => {
    const answer = await door('PUT', path, { token, body })
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  for (const [language, word] of [
    ['zh', '紫砂壶'],
    ['en', 'teapot'],
  ] as const) {
    const only = (text: string) => ({ [language]: text })
    const sku = `${mark}-${language.toUpperCase()}`
    await put(`/v1/sellers/${seller}`, { name: only('Seller'), description: only('Sells.') })
    await put(`/v1/categories/${category}`, { parent: null, name: only('Things') })
    const { id, title } = await put(`/v1/products/${newId()}`, {
      ...{ seller, category, title: only(`${word} ${mark}`), description: only(word), status: 'on-shelf' },
      ...{ pictures: [{ file: 'gaiwan-white.svg', alt: only(word) }], tags: [] },
      variants: [
        {
          ...{ sku, name: only('One'), attributes: {}, weightGrams: 1 },
          price: { amount: 100, currency: 'USD' },
        },
      ],
    })
    assert.deepEqual(title, only(`${word} ${mark}`))
    await shop.receive(sku, 1)
    const line = { sku, quantity: 1, unitPrice: { amount: 100, currency: 'USD' } }
    const order = await eventually('it can be ordered', async () => {
      const answer = await shop.tryOrder(mint.member(), [line])
      return answer.status === 201 && answer.body
    })
    assert.deepEqual(order.lines[0]?.title, title)
    const has = ({ body }: { body: { data: { id: string }[] } }) => body.data.some((each) => each.id === id)
    await eventually('search finds it', async () =>
      has(await door('GET', `/v1/search?q=${encodeURIComponent(`${word} ${mark}`)}`)),
    )
    await eventually('its category lists it', async () =>
      has(await door('GET', `/v1/products?category=${category}`)),
    )
  }
  const none = await door('PUT', `/v1/sellers/${seller}`, {
    token,
    body: { name: {}, description: { en: 'Sells.' } },
  })
  assert.deepEqual([none.status, none.body.errors?.[0]?.pointer], [422, '/name'], none.text)
})
