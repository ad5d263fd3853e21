import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import jwt from 'jsonwebtoken'
import { newAddress, openDoor } from '../support/door.ts'
import { linkIn } from '../support/inbox.ts'
import type { Shopper } from '../support/shop.ts'
import { rows, shop, stack } from '../support/stack.ts'

const { door } = shop

interface SignedIn {
  readonly accessToken: string
  readonly refreshToken: string
}

const signIn = async ({ email, password }: { email: string; password: string }, headers = {}) => {
  const ask = { body: { email, password }, headers }
  const answer = await shop.persistently(() => door<SignedIn>('POST', '/v1/sessions', ask))
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}
const refresh = (refreshToken: string) => door('POST', '/v1/sessions/refresh', { body: { refreshToken } })
const sidOf = (token: string) => (jwt.decode(token) as jwt.JwtPayload).sid as string
/** As if the time in which a lost answer may be asked for again were over. */
const forgetGrace = (sessionId: string) =>
  rows(
    'identity',
    "UPDATE refresh_tokens SET used_at = '2026-01-01' WHERE session_id = ? AND used_at IS NOT NULL",
    sessionId,
  )
/** An access token that is out is refused, at the door and at the service behind it. */
const becomesRefused = async (token: string): Promise<void> => {
  await eventually('the token is refused', async () => {
    const { status, body } = await door('GET', '/v1/orders', { token })
    return status === 401 && body.code === 'auth/session-ended'
  })
}

const live = async (
  token: string,
): Promise<{ id: string; current: boolean; userAgent: string; address: string }[]> =>
  (await door('GET', '/v1/sessions', { token })).body.data

test('a refresh token is good for one refresh; the new tokens are of the same session', async () => {
  const shopper = await shop.newShopper()
  const first = await signIn(shopper)
  const second = await refresh(first.refreshToken)
  assert.equal(second.status, 200, second.text)
  assert.equal(sidOf(second.body.accessToken), sidOf(first.accessToken))
  assert.notEqual(second.body.refreshToken, first.refreshToken)
  const me = await door('GET', '/v1/me', { token: second.body.accessToken })
  assert.equal(me.body.id, shopper.id)
})

test('a refresh token that comes again later ends the whole family, and no other session', async () => {
  const shopper = await shop.newShopper()
  const [stolen, other] = [await signIn(shopper), await signIn(shopper)]
  const owner = await refresh(stolen.refreshToken)
  await forgetGrace(sidOf(stolen.accessToken))
  const thief = await refresh(stolen.refreshToken)
  assert.deepEqual([thief.status, thief.body.code], [401, 'identity/session-over'])
  assert.equal((await refresh(owner.body.refreshToken)).status, 401)
  assert.equal((await refresh(other.refreshToken)).status, 200)
})

test('fifty refreshes at once leave one live session with one good token', async () => {
  const shopper = await shop.newShopper()
  const { accessToken, refreshToken } = await signIn(shopper)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => shop.persistently(() => refresh(refreshToken))),
  )
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  const tokens = [...new Set(answers.map(({ body }) => body.refreshToken))]
  assert.equal(tokens.length, 1)
  assert.equal((await live(accessToken)).filter(({ id }) => id === sidOf(accessToken)).length, 1)
  assert.equal((await refresh(tokens[0])).status, 200)
})

test('one sees one’s sessions, from where and with what, and ends one of them, or all', async () => {
  const shopper = await shop.newShopper()
  const address = newAddress()
  const here = await signIn(shopper, { 'user-agent': 'a phone', 'x-forwarded-for': address })
  const there = await signIn(shopper, { 'user-agent': 'a laptop' })
  const list = await live(here.accessToken)
  // newShopper has signed in too.
  assert.deepEqual(
    list.map(({ userAgent, current }) => [userAgent, current]),
    [
      ['a laptop', false],
      ['a phone', true],
      [list[2]?.userAgent, false],
    ],
  )
  assert.equal(list[1]?.address, address)

  const first = (await door('GET', '/v1/sessions?limit=2', { token: here.accessToken })).body
  const rest = (await door('GET', `/v1/sessions?limit=2&after=${first.next}`, { token: here.accessToken }))
    .body
  assert.deepEqual([first.hasMore, rest.hasMore, rest.next], [true, false, undefined])
  assert.deepEqual(
    [...first.data, ...rest.data].map(({ id }) => id),
    list.map(({ id }) => id),
  )

  const stranger = await shop.newShopper()
  const foreign = await door('DELETE', `/v1/sessions/${sidOf(here.accessToken)}`, { token: stranger.token })
  assert.deepEqual([foreign.status, foreign.body.code], [404, 'identity/no-such-session'])
  assert.equal(
    (await door('DELETE', `/v1/sessions/${sidOf(there.accessToken)}`, { token: here.accessToken })).status,
    204,
  )
  assert.equal((await refresh(there.refreshToken)).status, 401)
  assert.equal((await door('DELETE', '/v1/sessions', { token: here.accessToken })).status, 204)
  assert.equal((await refresh(here.refreshToken)).status, 401)
  for (const token of [here.accessToken, there.accessToken, shopper.token]) await becomesRefused(token)
})

test('signing out here ends this session', async () => {
  const shopper = await shop.newShopper()
  const [here, there] = [await signIn(shopper), await signIn(shopper)]
  assert.equal((await door('DELETE', '/v1/sessions/current', { token: here.accessToken })).status, 204)
  await becomesRefused(here.accessToken)
  assert.equal((await refresh(here.refreshToken)).status, 401)
  assert.equal((await refresh(there.refreshToken)).status, 200)
  assert.equal((await door('GET', '/v1/me', { token: there.accessToken })).status, 200)
})

test('in a browser the refresh token lives in a cookie that no script and no other site can use', async () => {
  const { email, password } = await shop.newShopper()
  const origin = new URL(shop.url).origin
  const body = { email, password, transport: 'cookie' }
  const signedIn = await door('POST', '/v1/sessions', { body, headers: { origin } })
  assert.equal(signedIn.status, 201, signedIn.text)
  assert.ok(signedIn.body.accessToken && !('refreshToken' in signedIn.body))
  const cookieOf = ({ headers }: { headers: Headers }) => String(headers.get('set-cookie'))
  assert.match(
    cookieOf(signedIn),
    /^__Host-refresh=[\w-]{43}; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Strict$/,
  )
  const [cookie = ''] = cookieOf(signedIn).split(';')

  const ask = (headers: Record<string, string>) => door('POST', '/v1/sessions/refresh', { body: {}, headers })
  for (const headers of [{ cookie }, { cookie, origin: 'https://evil.example' }]) {
    const refused = await ask(headers as unknown as Record<string, string>)
    assert.deepEqual([refused.status, refused.body.code], [403, 'gateway/foreign-origin'])
  }
  const refreshed = await ask({ cookie, origin })
  assert.equal(refreshed.status, 200, refreshed.text)
  assert.ok(!('refreshToken' in refreshed.body))
  const [next = ''] = cookieOf(refreshed).split(';')
  assert.notEqual(next, cookie)

  const out = await door('DELETE', '/v1/sessions/current', {
    token: refreshed.body.accessToken,
    headers: { cookie: next, origin },
  })
  assert.match(cookieOf(out), /^__Host-refresh=; Path=\/; Max-Age=0;/)
  const over = await ask({ cookie: next, origin })
  assert.equal(over.status, 401)
  assert.match(cookieOf(over), /Max-Age=0/)
})

test('who fails ten times waits at that address; the colleagues go on, the owner elsewhere, and there by mail', async () => {
  const [{ email, password }, colleague] = [await shop.newShopper(), await shop.newShopper()]
  const office = { 'x-forwarded-for': newAddress() }
  const attempt = (headers: Record<string, string>, given: string) =>
    door('POST', '/v1/sessions', { body: { email, password: given }, headers })
  for (let n = 0; n < 10; n += 1) assert.equal((await attempt(office, newId())).status, 401)
  const refused = await attempt(office, newId())
  assert.deepEqual([refused.status, refused.body.code], [429, 'identity/too-many-failures'])
  const wait = Number(refused.headers.get('retry-after'))
  assert.ok(wait > 10_700 && wait <= 10_800, `${wait} s`)
  assert.equal((await attempt(office, password)).status, 429, 'not even with the right one')
  await signIn(colleague, office)
  assert.equal((await attempt({ 'x-forwarded-for': newAddress() }, password)).status, 201)

  assert.equal((await door('POST', '/v1/password-reset-mails', { body: { email } })).status, 204)
  const token = await linkIn(openDoor(stack.mailUrl), email, /^Set a new password/)
  const newPassword = newId()
  assert.equal((await door('POST', '/v1/password-resets', { body: { token, newPassword } })).status, 204)
  assert.equal((await attempt(office, newPassword)).status, 201)
})

test('who holds a token guesses no password quicker than who signs in, and the token stays good', async () => {
  const { email, password, token } = await shop.newShopper()
  const from = (address: string) => ({ token, headers: { 'x-forwarded-for': address } })
  const [cafe, home] = [newAddress(), newAddress()]
  const change = (address: string, given: string) =>
    door('PUT', '/v1/me/password', { ...from(address), body: { password: given, newPassword: password } })
  const close = (address: string, given: string) =>
    door('POST', '/v1/me/closure', { ...from(address), body: { password: given } })
  for (let n = 0; n < 5; n += 1)
    for (const guess of [change, close]) {
      const wrong = await guess(cafe, newId())
      assert.deepEqual([wrong.status, wrong.body.code], [422, 'identity/wrong-password'], wrong.text)
    }
  const signIn = { body: { email, password }, headers: { 'x-forwarded-for': cafe } }
  for (const refused of [
    await change(cafe, password),
    await close(cafe, password),
    await door('POST', '/v1/sessions', signIn),
  ]) {
    assert.deepEqual([refused.status, refused.body.code], [429, 'identity/too-many-failures'], refused.text)
    const wait = Number(refused.headers.get('retry-after'))
    assert.ok(wait > 10_000 && wait <= 10_800, `${wait} s`)
  }
  assert.equal((await door('GET', '/v1/me', from(cafe))).status, 200)
  assert.equal((await change(home, password)).status, 204)
})

test('guesses from many addresses of one network wait for that account, and the owner does not', async () => {
  const { email, password } = await shop.newShopper()
  const network = newAddress().replace(/\.\d+$/, '')
  const from = (host: number, guess: string, who = email) =>
    door('POST', '/v1/sessions', {
      body: { email: who, password: guess },
      headers: { 'x-forwarded-for': `${network}.${host}` },
    })
  for (let host = 1; host <= 10; host += 1) assert.equal((await from(host, newId())).status, 401)
  assert.equal((await from(11, newId())).status, 429)
  assert.equal(
    (await from(12, newId(), `nobody-${newId()}@example.com`)).status,
    401,
    'another account is free',
  )
  const owner = await door('POST', '/v1/sessions', {
    body: { email, password },
    headers: { 'x-forwarded-for': newAddress() },
  })
  assert.equal(owner.status, 201, owner.text)
})

test('twenty at once from one address that know their passwords sign in, at most a moment later', async () => {
  const shoppers: Shopper[] = []
  while (shoppers.length < 20) shoppers.push(await shop.newShopper())
  const headers = { 'x-forwarded-for': newAddress() }
  const enter = async ({ email, password }: Shopper): Promise<boolean> => {
    const answer = await door('POST', '/v1/sessions', { body: { email, password }, headers })
    if (answer.status === 201) return true
    // Hashing takes its time; but nobody is told of guesses, which cost hours.
    assert.ok([429, 503].includes(answer.status), answer.text)
    assert.ok(Number(answer.headers.get('retry-after')) <= 5, answer.text)
    return false
  }
  await Promise.all(shoppers.map((shopper) => eventually('signed in', () => enter(shopper))))
})

test('a shop without an outside provider says so', async () => {
  for (const [path, body] of [
    ['/v1/outside-sign-ins', undefined],
    ['/v1/outside-sign-ins/completions', { answer: 'code=1&state=2', binding: 'x' }],
  ] as const) {
    const answer = await door('POST', path, { body })
    assert.deepEqual([answer.status, answer.body.code], [404, 'identity/no-outside-provider'])
  }
})
