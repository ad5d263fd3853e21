import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { newAddress, openDoor } from '../support/door.ts'
import { linkIn } from '../support/inbox.ts'
import { shippingAddress } from '../support/shop.ts'
import { rows, shop, stack } from '../support/stack.ts'

const { door } = shop
const inbox = openDoor(stack.mailUrl)

const session = async (email: string, password: string) => {
  const answer = await door('POST', '/v1/sessions', { body: { email, password } })
  assert.equal(answer.status, 201, answer.text)
  return answer.body as { accessToken: string; refreshToken: string }
}
const refresh = (refreshToken: string) => door('POST', '/v1/sessions/refresh', { body: { refreshToken } })
const me = async (token: string) => (await door('GET', '/v1/me', { token })).body

test('the link of the mail confirms the address', async () => {
  const shopper = await shop.newShopper()
  assert.equal((await me(shopper.token)).confirmedAt, undefined)
  const token = await linkIn(inbox, shopper.email, /^Confirm/)
  const forged = `${token.slice(0, -2)}AA`
  const refused = await door('POST', '/v1/address-confirmations', { body: { token: forged } })
  assert.deepEqual([refused.status, refused.body.code], [422, 'identity/link-over'])
  for (const _ of [1, 2]) {
    const confirmed = await door('POST', '/v1/address-confirmations', { body: { token } })
    assert.equal(confirmed.status, 204, confirmed.text)
  }
  assert.ok(Date.parse((await me(shopper.token)).confirmedAt) <= Date.now())
})

test('a confirmation is good for nothing else', async () => {
  const shopper = await shop.newShopper()
  const token = await linkIn(inbox, shopper.email, /^Confirm/)
  const refused = await door('POST', '/v1/password-resets', { body: { token, newPassword: newId() } })
  assert.deepEqual([refused.status, refused.body.code], [422, 'identity/link-over'])
})

test('a new password by mail: every session ends, the link is over, and an unknown address gets the same answer', async () => {
  const { email, password } = await shop.newShopper()
  const old = await session(email, password)
  const asked = await door('POST', '/v1/password-reset-mails', { body: { email } })
  const unknown = await door('POST', '/v1/password-reset-mails', {
    body: { email: `nobody-${newId()}@example.com` },
  })
  assert.deepEqual([asked.status, asked.text], [204, ''])
  assert.deepEqual([unknown.status, unknown.text], [asked.status, asked.text])

  const token = await linkIn(inbox, email, /^Set a new password/)
  const newPassword = newId()
  assert.equal((await door('POST', '/v1/password-resets', { body: { token, newPassword } })).status, 204)
  assert.equal(
    (await door('POST', '/v1/password-resets', { body: { token, newPassword: newId() } })).status,
    422,
  )
  assert.equal((await refresh(old.refreshToken)).status, 401)
  const headers = { 'x-forwarded-for': newAddress() }
  assert.equal((await door('POST', '/v1/sessions', { body: { email, password }, headers })).status, 401)
  const { accessToken } = await session(email, newPassword)
  assert.ok((await me(accessToken)).confirmedAt, 'the mail showed whose address it is')
})

test('changing the password needs the old one and ends the other sessions only', async () => {
  const { email, password } = await shop.newShopper()
  const [here, there] = [await session(email, password), await session(email, password)]
  const change = (given: string, newPassword: string) =>
    door('PUT', '/v1/me/password', { token: here.accessToken, body: { password: given, newPassword } })
  const wrong = await change(newId(), newId())
  assert.deepEqual(
    [wrong.status, wrong.body.code, wrong.body.errors[0].pointer],
    [422, 'identity/wrong-password', '/password'],
  )
  const newPassword = newId()
  assert.equal((await change(password, newPassword)).status, 204)
  assert.equal((await refresh(here.refreshToken)).status, 200)
  assert.equal((await refresh(there.refreshToken)).status, 401)
  await session(email, newPassword)
})

test('a hash with other parameters is made anew at the next sign-in', async () => {
  const { id, email, password } = await shop.newShopper()
  const argon2 = await import('@node-rs/argon2')
  const weak = await argon2.hash(password, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
  await rows('identity', 'UPDATE accounts SET password_hash = ? WHERE id = ?', weak, id)
  for (const _ of [1, 2]) await session(email, password)
  const [row] = await rows<{ password_hash: string }>(
    'identity',
    'SELECT password_hash FROM accounts WHERE id = ?',
    id,
  )
  assert.match(String(row?.password_hash), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('profile and addresses are one’s own to change', async () => {
  const { token, ...shopper } = await shop.newShopper()
  const changed = await door('PUT', '/v1/me', { token, body: { name: '林美', locale: 'zh' } })
  assert.deepEqual([changed.status, changed.body.name, changed.body.locale], [200, '林美', 'zh'])
  const change = (more: object) =>
    door('PUT', '/v1/me', { token, body: { name: '林美', locale: 'zh', ...more } })
  for (const field of ['roles', 'id', 'confirmedAt', 'passwordHash']) {
    const refused = await change({ [field]: 'x' })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, `/${field}`])
  }
  // What `GET` gives is taken back; what only the shop writes is not to be changed.
  for (const [field, value] of Object.entries({
    email: 'another@caravan.example',
    id: newId(),
    roles: ['operator'],
    confirmedAt: new Date().toISOString(),
  })) {
    const refused = await change({ [field]: value })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, `/${field}`], refused.text)
    assert.deepEqual(await me(token), changed.body)
  }

  const [first, second] = [newId(), newId()]
  for (const id of [first, second, second]) {
    const saved = await door('PUT', `/v1/me/addresses/${id}`, { token, body: shippingAddress })
    assert.deepEqual([saved.status, saved.body], [200, { id, ...shippingAddress }], saved.text)
  }
  const stranger = await shop.newShopper()
  await door('DELETE', `/v1/me/addresses/${first}`, { token: stranger.token })
  const list = async () =>
    (await door('GET', '/v1/me/addresses', { token })).body.data.map(({ id }: { id: string }) => id)
  assert.deepEqual((await list()).sort(), [first, second].sort())
  for (const _ of [1, 2])
    assert.equal((await door('DELETE', `/v1/me/addresses/${first}`, { token })).status, 204)
  assert.deepEqual(await list(), [second])

  const all = await door('GET', '/v1/me/export', { token })
  assert.deepEqual([all.body.account.email, all.body.addresses.length], [shopper.email, 1])
  assert.doesNotMatch(all.text, /argon2|hash/i)
})

test('the twenty-first address is refused, also of many that are saved at once', async () => {
  const { token } = await shop.newShopper()
  const answers = await Promise.all(
    Array.from({ length: 25 }, () =>
      shop.persistently(() => door('PUT', `/v1/me/addresses/${newId()}`, { token, body: shippingAddress })),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 20)
  const refused = answers.filter(({ status }) => status !== 200)
  for (const { status, body } of refused)
    assert.deepEqual([status, body.code], [409, 'identity/address-book-full'])
})

const addressOf = async (orderId: string): Promise<Record<string, string>> => {
  const [row] = await rows<{ shipping_address: Record<string, string> | string }>(
    'orders',
    'SELECT shipping_address FROM orders WHERE id = ?',
    orderId,
  )
  const stored = row?.shipping_address ?? {}
  return typeof stored === 'string' ? JSON.parse(stored) : stored
}
const closure = ({ token, password }: { token: string; password: string }) =>
  door('POST', '/v1/me/closure', { token, body: { password } })

test('a closed account’s token is refused by every write from the answer on, and no order of it begins', async () => {
  const lines = await shop.newLines([100])
  for (let round = 0; round < 5; round += 1) {
    const shopper = await shop.newShopper()
    const { token } = shopper
    const order = await shop.placeOrder(shopper, lines)
    // Some are under way while the account is closed.
    const racing = Promise.all(Array.from({ length: 5 }, () => shop.tryOrder(shopper, lines)))
    assert.equal((await closure(shopper)).status, 204)
    const writes = await Promise.all([
      shop.tryOrder(shopper, lines),
      shop.tryPay(shopper, order.id, await shop.tokenise()),
      shop.cancel(shopper, order.id),
      door('POST', '/v1/carts/mine/items', { token, body: { sku: lines[0]?.sku, quantity: 1 } }),
      door('PUT', `/v1/me/addresses/${newId()}`, { token, body: shippingAddress }),
      closure(shopper),
    ])
    for (const { status, body } of writes) assert.deepEqual([status, body.code], [401, 'auth/session-ended'])
    for (const { status } of await racing) assert.ok([201, 401].includes(status), String(status))
    // Whatever was placed in that instant is known as a closed account's.
    await eventually('orders heard of it', async () => {
      const [row] = await rows<{ n: number }>(
        'orders',
        'SELECT COUNT(*) AS n FROM shoppers WHERE account_id = ? AND closed_at IS NOT NULL',
        shopper.id,
      )
      return Number(row?.n) === 1
    })
  }
})

test('who closes the account is gone; an order keeps its address until it is over', async () => {
  const shopper = await shop.newShopper()
  const lines = await shop.newLines([5])
  const order = await shop.placeOrder(shopper, lines)
  const paid = await shop.placeOrder(shopper, lines)
  await shop.pay(shopper, paid.id)
  await shop.settled(shopper, paid.id)
  await door('POST', '/v1/carts/mine/items', {
    token: shopper.token,
    body: { sku: lines[0]?.sku, quantity: 1 },
  })
  assert.equal((await closure({ ...shopper, password: 'a wrong passphrase' })).status, 422)
  await shop.cancel(shopper, order.id)
  const administrator = await shop.asOperator()
  const role = `/v1/accounts/${shopper.id}/roles/seller`
  assert.equal((await door('PUT', role, { token: administrator })).status, 204)
  assert.equal((await closure(shopper)).status, 204)
  const regranted = await door('PUT', role, { token: administrator })
  assert.deepEqual([regranted.status, regranted.body.code], [404, 'identity/account-not-found'])
  const grants = await door('GET', `/v1/accounts/${shopper.id}/roles`, { token: administrator })
  assert.deepEqual(grants.body, { data: [] })
  await eventually('its tokens are refused everywhere', async () => {
    const { status, body } = await door('GET', '/v1/orders', { token: shopper.token })
    return status === 401 && body.code === 'auth/session-ended'
  })
  const again = await door('POST', '/v1/sessions', {
    headers: { 'x-forwarded-for': newAddress() },
    body: { email: shopper.email, password: shopper.password },
  })
  assert.equal(again.status, 401)
  for (const table of ['accounts', 'sessions', 'addresses', 'mail_links']) {
    const column = table === 'accounts' ? 'id' : 'account_id'
    const [left] = await rows<{ n: number }>(
      'identity',
      `SELECT COUNT(*) AS n FROM ${table} WHERE ${column} = ?`,
      shopper.id,
    )
    assert.equal(Number(left?.n), 0, table)
  }
  const address = await eventually('the cancelled order’s address is the country', async () => {
    const stored = await addressOf(order.id)
    return stored.name !== shippingAddress.name && stored
  })
  assert.deepEqual(address, {
    name: '-',
    line1: '-',
    city: '-',
    postalCode: '-',
    country: shippingAddress.country,
  })
  assert.deepEqual(await addressOf(paid.id), shippingAddress, 'it is still being delivered')
  const taken = await door('POST', '/v1/accounts', {
    body: { email: shopper.email, password: newId(), name: 'Another' },
  })
  assert.equal(taken.status, 201, 'the address is free again')
})
