import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, beforeEach, test } from 'node:test'
import type { AccessEntry } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Fact } from '@caravan/service-kit/outbox'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { defaultAccess } from './access-defaults.ts'
import { type AccessStore, createAccessStore, type Deed, type Entry } from './access-store.ts'

const migrations = new URL('../../migrations/', import.meta.url)
let database: TestDatabase
let store: AccessStore
let told: number[]
let deeds: Deed[]
const boss = newId()

before(async () => {
  database = await createTestDatabase(migrations)
})
after(() => database.drop())

beforeEach(async () => {
  told = []
  deeds = []
  await database.db.raw('DELETE FROM access_entries')
  store = createAccessStore({
    db: database.db,
    outbox: {
      add: async (_, facts: readonly Fact[]) => {
        told.push(...facts.map(({ data }) => (data as { version: number }).version))
      },
      wake: () => undefined,
    },
    tokenSeconds: 900,
    audit: async (_, deed) => {
      deeds.push(deed)
    },
  })
  await store.seed(defaultAccess(operations))
  await store.appointFirst(boss)
})

const rule = (
  id: string,
  role: string,
  effect: 'allow' | 'deny' = 'allow',
  path = '/v1/x',
): Entry<'rule'> => ({
  ...{ kind: 'rule', id },
  value: { role, effect, method: '*', path },
})
const grant = (account: string, role: string): Entry<'grant'> => ({
  ...{ kind: 'grant', id: `${account} ${role}` },
  value: { account, role },
})
const version = async () => (await store.changesSince(0)).version
const refused = async (code: string, work: () => Promise<unknown>) => {
  const was = await version()
  await assert.rejects(work(), (error) => error instanceof AppError && error.code === code)
  assert.equal(await version(), was, 'nothing was written')
}

test('operators of before are operators still: their roles are grants', async () => {
  const [id, other] = [newId(), newId()]
  for (const [account, roles] of [
    [id, '["member", "operator"]'],
    [other, '["member"]'],
  ]) {
    await database.db.raw(
      `INSERT INTO accounts (id, email, name, password_hash, roles, created_at) VALUES (?, ?, 'x', '$argon2id$x', ?, NOW(3))`,
      [String(account), `${account}@example.com`, String(roles)],
    )
  }
  const move = readFileSync(new URL('0004-access.sql', migrations), 'utf8')
    .split(/;\s*$/m)
    .find((statement) => statement.includes("SELECT 'grant'"))
  await database.db.raw(String(move))
  assert.deepEqual((await store.find('grant', `${id} operator`))?.value, { account: id, role: 'operator' })
  assert.deepEqual(await store.list('grant', 10, '', other), [])
})

test('a change has the next version, is told as an event, and is all that is read after the version before', async () => {
  const was = await version()
  await store.set(boss, rule('mine', 'support'))
  const { entries, ...rest } = await store.changesSince(was)
  assert.deepEqual(rest, { version: was + 1, hasMore: false })
  assert.deepEqual(entries, [{ kind: 'rule', id: 'mine', value: rule('mine', 'support').value }])
  assert.equal(told.at(-1), was + 1)
  assert.equal(await store.remove(boss, 'rule', 'mine'), true)
  assert.deepEqual((await store.changesSince(was)).entries, [{ kind: 'rule', id: 'mine', value: null }])
  assert.equal(await store.remove(boss, 'rule', 'mine'), false)
  assert.equal(await version(), was + 2)
  assert.deepEqual(
    deeds.map(({ by, what, kind, id }) => [by, what, kind, id]),
    [
      [boss, 'set', 'rule', 'mine'],
      [boss, 'removed', 'rule', 'mine'],
    ],
  )
})

test('who follows the versions while many change at once misses none', async () => {
  const seen = new Map<string, AccessEntry['value']>()
  let since = 0
  let done = false
  const follow = async () => {
    const answer = await store.changesSince(since)
    assert.ok(answer.version >= since)
    for (const { kind, id, value } of answer.entries) seen.set(`${kind} ${id}`, value)
    since = answer.version
  }
  const following = (async () => {
    while (!done) await follow()
  })()
  const was = await version()
  const changes = Array.from({ length: 60 }, (_, n) =>
    n % 3 === 0
      ? store.set(boss, grant(newId(), 'seller'))
      : store.set(boss, rule(`r${n % 7}`, 'seller', 'allow', `/v1/${n}`)),
  )
  await Promise.all(changes)
  done = true
  await following
  await follow()
  assert.equal(since, was + 60)
  const all = await store.changesSince(0)
  assert.deepEqual(new Map(all.entries.map(({ kind, id, value }) => [`${kind} ${id}`, value])), seen)
})

test('many entries are read in parts, a version never in two', async () => {
  const ban = (n: number): Entry<'ban'> => ({
    ...{ kind: 'ban', id: `account ${n}` },
    value: { kind: 'account', subject: String(n), reason: 'x', by: boss, at: new Date().toISOString() },
  })
  const was = await version()
  await store.seed(Array.from({ length: 6000 }, (_, n) => ban(n)))
  await store.seed(Array.from({ length: 100 }, (_, n) => ban(6000 + n)))
  const first = await store.changesSince(was)
  assert.deepEqual([first.version, first.entries.length, first.hasMore], [was + 1, 6000, true])
  const second = await store.changesSince(first.version)
  assert.deepEqual([second.version, second.entries.length, second.hasMore], [was + 2, 100, false])
  assert.deepEqual(first.entries[0]?.value, { kind: 'account', subject: '0' })
})

test('what only administrators can undo is not done when none is left', async () => {
  const code = 'identity/locks-out-administrators'
  await refused(code, () => store.remove(boss, 'grant', `${boss} administrator`))
  await refused(code, () => store.set(boss, rule('no', 'administrator', 'deny', '/v1/access/*')))
  await refused(code, () => store.set(boss, rule('no', 'seller', 'deny', '^/v1/access/.*$')))
  await refused(code, () => store.set(boss, rule('no', 'shopper', 'deny', '/*')))
  const value = {
    kind: 'account',
    subject: boss,
    reason: 'x',
    by: boss,
    at: new Date().toISOString(),
  } as const
  await refused(code, () => store.set(boss, { kind: 'ban', id: `account ${boss}`, value }))
  assert.deepEqual(deeds, [])
  await store.remove(boss, 'rule', 'administrator.all')
  await refused(code, () => store.remove(boss, 'rule', 'administrator.putRule'))

  await store.set(boss, grant(newId(), 'administrator'))
  await store.set(boss, { kind: 'ban', id: `account ${boss}`, value })
  await store.remove(boss, 'grant', `${boss} administrator`)
})

test('two administrators who remove each other at once: one is left', async () => {
  const other = newId()
  await store.set(boss, grant(other, 'administrator'))
  const outcomes = await Promise.allSettled(
    [boss, other].map((account) => store.remove(boss, 'grant', `${account} administrator`)),
  )
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('the default policy comes once: what was changed or removed stays so, what is new is added', async () => {
  await store.set(boss, rule('finance.listLedgerEntries', 'support'))
  await store.remove(boss, 'rule', 'finance.getLedgerBalance')
  await store.remove(boss, 'public-route', 'getProduct')
  const was = await version()
  await store.seed(defaultAccess(operations))
  await store.appointFirst(newId())
  assert.equal(await version(), was)
  assert.equal((await store.find('rule', 'finance.listLedgerEntries'))?.value.role, 'support')
  assert.equal(await store.find('rule', 'finance.getLedgerBalance'), undefined)
  assert.equal(await store.find('public-route', 'getProduct'), undefined)
  await store.seed([...defaultAccess(operations), { kind: 'role', id: 'later', value: { parents: [] } }])
  assert.ok(await store.find('role', 'later'))
})

test('two replicas that start at once make one default policy and one first administrator', async () => {
  await database.db.raw('DELETE FROM access_entries')
  const start = async (account: string) => {
    await store.seed(defaultAccess(operations))
    await store.appointFirst(account)
  }
  await Promise.all([start(newId()), start(newId())])
  const grants = await store.list('grant', 10)
  assert.deepEqual(grants.map(({ value }) => value.role).sort(), ['administrator', 'operator'])
  assert.equal(new Set(grants.map(({ value }) => value.account)).size, 1)
})

test('a revocation is part of its transaction, and over when no token of its time can live', async () => {
  const [session, account] = [newId(), newId()]
  const was = await version()
  await assert.rejects(
    transaction(database.db, async (tx) => {
      await store.revokeSessions(tx, [session])
      throw new Error('rolled back')
    }),
  )
  assert.equal(await version(), was)
  const start = Date.now()
  await transaction(database.db, async (tx) => {
    await store.revokeSessions(tx, [session])
    await store.revokeAccount(tx, account)
  })
  const { entries } = await store.changesSince(was)
  assert.deepEqual(
    entries.map(({ kind, id }) => [kind, id]),
    [
      ['revocation', `session ${session}`],
      ['revocation', `account ${account}`],
    ],
  )
  for (const { expiresAt, value } of entries) {
    assert.ok(Date.parse(String(value?.notBefore)) >= start)
    assert.ok(Date.parse(String(expiresAt)) >= start + 900_000)
  }
})

test('what is over is told no more, and deleted two hours later; what was removed is remembered', async () => {
  const past = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  const value = { kind: 'account', subject: 'x', reason: 'x', by: boss, at: past(9) } as const
  await store.set(boss, { kind: 'ban', id: 'account over', value, expiresAt: past(1.9) })
  await store.set(boss, { kind: 'ban', id: 'account long over', value, expiresAt: past(2.1) })
  await store.set(boss, { kind: 'ban', id: 'account lifted', value })
  await store.remove(boss, 'ban', 'account lifted')
  await store.set(boss, rule('gone', 'seller'))
  await store.remove(boss, 'rule', 'gone')
  await store.trim()
  const [rows] = await database.db.raw("SELECT id FROM access_entries WHERE kind = 'ban' ORDER BY id")
  assert.deepEqual(
    rows.map(({ id }: { id: string }) => id),
    ['account lifted', 'account over'],
  )
  const { entries } = await store.changesSince(0)
  assert.deepEqual(
    entries.filter(({ kind }) => kind === 'ban').map(({ id }) => id),
    ['account lifted'],
  )
  assert.ok(entries.some(({ id, value: left }) => id === 'gone' && left === null))
  assert.deepEqual(await store.list('ban', 10), [])
})

test('lists go by id, in parts, of one account where asked', async () => {
  const [one, two] = [newId(), newId()]
  for (const account of [one, two])
    for (const role of ['seller', 'finance']) await store.set(boss, grant(account, role))
  assert.deepEqual(
    (await store.list('grant', 10, '', `${one} `)).map(({ value }) => value.role),
    ['finance', 'seller'],
  )
  const [first] = await store.list('role', 1)
  const [second] = await store.list('role', 1, first?.id)
  assert.deepEqual([first?.id, second?.id], ['administrator', 'catalogue-manager'])
})
