import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { mint, rows, shop } from '../support/stack.ts'

const { door } = shop
const ok = (answer: { status: number; text: string }, status = 200) =>
  assert.equal(answer.status, status, answer.text.slice(0, 500))

// The contract counts characters, of which each kind takes another number of bytes in a column.
for (const [kind, character] of [
  ['one byte', 'x'],
  ['three bytes', '汉'],
  ['four bytes', '𠮷'],
] as const)
  test(`what the contract takes at its longest is kept whole, in characters of ${kind}`, async () => {
    const long = (max: number) => character.repeat(max)
    const token = await shop.asOperator()
    const seller = newId()
    const names = { name: { en: long(120), zh: long(120) }, description: { en: long(2000), zh: long(2000) } }
    ok(await door('PUT', `/v1/sellers/${seller}`, { token, body: names }))
    const slug = `l-${newId()}`.padEnd(60, 'x')
    ok(
      await door('PUT', `/v1/categories/${slug}`, {
        token,
        body: { parent: null, name: { en: long(80), zh: long(80) } },
      }),
    )
    const sku = `L${newId().toUpperCase()}`.padEnd(40, '0')
    const both = (max: number) => ({ en: long(max), zh: long(max) })
    const content = {
      ...{ seller, category: slug, title: both(160), description: both(4000), status: 'on-shelf' },
      pictures: [{ file: 'gaiwan-white.svg', alt: both(200) }],
      variants: [
        {
          ...{ sku, name: both(120), weightGrams: 1_000_000 },
          attributes: { [long(40)]: long(80) },
          price: { amount: 99_999_999, currency: 'USD' },
        },
      ],
      tags: [long(40)],
    }
    const product = await shop.putProduct(newId(), content)
    assert.partialDeepStrictEqual(product, content)

    const id = newId()
    const reason = long(200)
    ok(await door('PUT', `/v1/stock/${sku}/adjustments/${id}`, { token, body: { delta: 1_000_000, reason } }))
    const [kept] = await rows<{ reason: string }>(
      'inventory',
      'SELECT reason FROM adjustments WHERE id = ?',
      id,
    )
    assert.equal(kept?.reason, reason)

    const password = newId()
    const email = `${newId()}${'a'.repeat(28)}@${`${'b'.repeat(61)}.`.repeat(3)}com`
    assert.deepEqual([email.indexOf('@'), email.length], [64, 254])
    const made = await door('POST', '/v1/accounts', { body: { email, password, name: long(100) } })
    ok(made, 201)
    assert.deepEqual([made.body.email, made.body.name], [email, long(100)])
    const address = {
      ...{ name: long(100), company: long(100), line1: long(200), line2: long(200), city: long(100) },
      ...{ region: long(100), postalCode: long(20), country: 'HK', phone: '+852 2345 6789 ext. 123456' },
    }
    const own = await shop.signIn(email, password)
    const saved = await door('PUT', `/v1/me/addresses/${id}`, { token: own, body: address })
    ok(saved)
    assert.deepEqual(saved.body, { id, ...address })
    const [line] = await shop.newLines([1])
    const shopper = mint.member()
    const order = await door('POST', '/v1/orders', {
      token: shopper.token,
      key: 'k'.repeat(255),
      body: { items: [line], shippingAddress: address },
    })
    ok(order, 201)
    assert.deepEqual(order.body.shippingAddress, address)
  })
