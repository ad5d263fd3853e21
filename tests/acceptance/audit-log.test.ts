import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry } from '@caravan/contracts/audit'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { newAddress } from '../support/door.ts'
import { rows, shop } from '../support/stack.ts'

const { door } = shop
type Entry = AuditEntry & { seq: number; hash: string }

const entries = async (query: Record<string, string>): Promise<Entry[]> => {
  const token = await shop.asOperator()
  const answer = await door<{ data: Entry[] }>('GET', `/v1/audit-entries?${new URLSearchParams(query)}`, {
    token,
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data
}
const check = async (): Promise<{ entries: number; brokenAt?: number }> =>
  (await door('GET', '/v1/audit-log-check', { token: await shop.asOperator() })).body

test('signing in, failing to, and a new password are in it: who, from where, with what outcome, and no password', async () => {
  const { id, email, password } = await shop.newShopper()
  const address = newAddress()
  const signIn = (guess: string) =>
    door('POST', '/v1/sessions', {
      body: { email, password: guess },
      headers: { 'x-forwarded-for': address },
    })
  const [wrong, newPassword] = [newId(), newId()]
  const refused = await signIn(wrong)
  const { accessToken: token } = (await signIn(password)).body
  await door('PUT', '/v1/me/password', { token, body: { password, newPassword } })

  const found = await eventually('the entries are there', async () => {
    const own = await entries({ actor: id })
    return own.length >= 5 && own.toReversed()
  })
  assert.deepEqual(
    // newShopper registered and signed in.
    found.map(({ action, outcome }) => `${action} ${outcome}`),
    [
      'createAccount 201',
      'createSession 201',
      'createSession 401',
      'createSession 201',
      'changePassword 204',
    ],
  )
  const failure = found[2]
  assert.deepEqual([failure?.address, failure?.object], [address, '/v1/sessions'])
  assert.equal(failure?.traceId, refused.body.traceId)
  for (const secret of [password, wrong, newPassword]) assert.ok(!JSON.stringify(found).includes(secret))
})

test('what an operator does elsewhere is in it before it is done and after', async () => {
  const [line] = await shop.newLines([3])
  const path = `/v1/stock/${line?.sku}/adjustments/${newId()}`
  const body = { delta: 2, reason: 'a delivery' }
  assert.equal((await door('PUT', path, { token: await shop.asOperator(), body })).status, 200)
  const found = await eventually('both entries are there', async () => {
    const all = await entries({ object: path })
    return all.length === 2 && all.toReversed()
  })
  const { id } = (await door('GET', '/v1/me', { token: await shop.asOperator() })).body
  assert.deepEqual(
    found.map(({ actor, action, outcome }) => [actor, action, outcome]),
    [
      [id, 'adjustStock', 'started'],
      [id, 'adjustStock', '200'],
    ],
  )
})

test('a ban and a role are in it by name', async () => {
  const { id } = await shop.newShopper()
  const token = await shop.asOperator()
  const until = new Date(Date.now() + 3_600_000).toISOString()
  const body = { kind: 'account', subject: id, reason: 'A test', until }
  const banned = await door('POST', '/v1/access/bans', { token, body })
  assert.equal(banned.status, 201, banned.text)
  await door('DELETE', `/v1/access/bans/${banned.body.id}`, { token })
  await door('PUT', `/v1/accounts/${id}/roles/support`, { token })
  const about = async (object: string) => (await entries({ object })).map(({ action }) => action).toReversed()
  assert.deepEqual(await about(`ban account ${id}`), ['ban set', 'ban removed'])
  assert.deepEqual(await about(`grant ${id} support`), ['grant set'])
})

test('an edit of an entry shows, where it is', async () => {
  await shop.newShopper()
  const whole = await check()
  assert.ok(whole.entries > 0 && whole.brokenAt === undefined, JSON.stringify(whole))
  const entry = (await entries({ limit: '3' }))[2]
  await rows('identity', "UPDATE audit_entries SET outcome = '299' WHERE seq = ?", entry?.seq)
  assert.equal((await check()).brokenAt, entry?.seq)
  await rows('identity', 'UPDATE audit_entries SET outcome = ? WHERE seq = ?', entry?.outcome, entry?.seq)
  assert.equal((await check()).brokenAt, undefined)
})

test('it is paged, and for operators only', async () => {
  const token = await shop.asOperator()
  const first = await door('GET', '/v1/audit-entries?limit=2', { token })
  assert.equal(first.body.hasMore, true)
  const second = await door('GET', `/v1/audit-entries?limit=2&before=${first.body.next}`, { token })
  assert.ok(second.body.data[0].seq < first.body.data[1].seq)
  const { token: member } = await shop.newShopper()
  assert.equal((await door('GET', '/v1/audit-entries', { token: member })).status, 403)
})
