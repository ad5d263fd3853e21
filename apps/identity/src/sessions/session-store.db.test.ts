import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createSessionStore, type SessionStore } from './session-store.ts'

const about = { userAgent: 'a browser', address: '203.0.113.7' }

describe('sessions', () => {
  let database: TestDatabase
  let sessions: SessionStore
  const revoked: string[] = []

  before(async () => {
    database = await createTestDatabase(new URL('../../migrations/', import.meta.url))
    sessions = createSessionStore(database.db, {
      ...{ secret: 'a secret of the test', sessionDays: 30 },
      access: { revokeSessions: async (_, ids) => void revoked.push(...ids) },
      outbox: { wake: () => {} },
    })
  })
  after(() => database.drop())

  const newAccount = async (): Promise<string> => {
    const id = newId()
    await database.db('accounts').insert({
      ...{ id, email: `${id}@example.com`, name: 'Mei', password_hash: '$argon2id$x', roles: '["member"]' },
      created_at: new Date(),
    })
    return id
  }
  const forgetGrace = () =>
    database.db('refresh_tokens').whereNotNull('used_at').update({ used_at: '2026-01-01' })
  const refreshed = async (token: string) => {
    const result = await sessions.refresh(token)
    assert.ok(result.outcome === 'refreshed', result.outcome)
    return result
  }

  test('a refresh token is good for one refresh, and its successor for the next', async () => {
    const account = await newAccount()
    const opened = await sessions.open(account, about)
    const second = await refreshed(opened.refreshToken)
    const third = await refreshed(second.refreshToken)
    assert.equal(new Set([opened.refreshToken, second.refreshToken, third.refreshToken]).size, 3)
    assert.deepEqual([third.accountId, third.sessionId], [account, opened.sessionId])
  })

  test('no token is stored, only its hash', async () => {
    const { refreshToken } = await sessions.open(await newAccount(), about)
    const rows = await database.db('refresh_tokens')
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(refreshToken.slice(0, 20)))
  })

  test('50 refreshes at once have one outcome: the same successor, and one live session', async () => {
    const account = await newAccount()
    const { refreshToken } = await sessions.open(account, about)
    const results = await Promise.all(Array.from({ length: 50 }, () => refreshed(refreshToken)))
    assert.equal(new Set(results.map((result) => result.refreshToken)).size, 1)
    assert.equal((await sessions.list(account, 100)).length, 1)
    await refreshed(String(results[0]?.refreshToken))
  })

  test('a token that comes again later ends its session, for thief and owner', async () => {
    const account = await newAccount()
    const stolen = await sessions.open(account, about)
    const other = await sessions.open(account, about)
    const owner = await refreshed(stolen.refreshToken)
    await forgetGrace()
    assert.equal((await sessions.refresh(stolen.refreshToken)).outcome, 'reused')
    assert.deepEqual(revoked, [stolen.sessionId], 'its tokens that are out end too')
    assert.equal((await sessions.refresh(owner.refreshToken)).outcome, 'unknown')
    assert.deepEqual(
      (await sessions.list(account, 100)).map(({ id }) => id),
      [other.sessionId],
    )
  })

  test('a token whose successor was used already has no grace', async () => {
    const { refreshToken } = await sessions.open(await newAccount(), about)
    const next = await refreshed(refreshToken)
    await refreshed(next.refreshToken)
    assert.equal((await sessions.refresh(refreshToken)).outcome, 'reused')
  })

  test('an ended or expired session refreshes no more', async () => {
    const account = await newAccount()
    const [first, second, third] = [
      await sessions.open(account, about),
      await sessions.open(account, about),
      await sessions.open(account, about),
    ]
    assert.equal(await sessions.endOne(account, first.sessionId, 'logout'), true)
    assert.equal(await sessions.endOne(account, first.sessionId, 'logout'), false)
    assert.equal(await sessions.endOne(await newAccount(), second.sessionId, 'logout'), false)
    await database.db('sessions').where({ id: second.sessionId }).update({ expires_at: '2026-01-01' })
    assert.deepEqual(
      await sessions.endAll(account, 'logout').then((ids) => ids.includes(third.sessionId)),
      true,
    )
    for (const { refreshToken } of [first, second, third])
      assert.equal((await sessions.refresh(refreshToken)).outcome, 'unknown')
    assert.deepEqual(await sessions.list(account, 100), [])
  })
})
