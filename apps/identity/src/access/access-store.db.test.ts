import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, beforeEach, test } from 'node:test'
import type { AccessChanges, AccessEntry } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Fact } from '@caravan/service-kit/outbox'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { defaultAccess } from './access-defaults.ts'
import type { Entry } from './access-entry-store.ts'
import { type AccessStore, createAccessStore, type Deed } from './access-store.ts'

const migrations = new URL('../../migrations/', import.meta.url)
let database: TestDatabase
let store: AccessStore
let told: number[]
let deeds: Deed[]
let boss: string

before(async () => {
  database = await createTestDatabase(migrations)
})
after(() => database.drop())

beforeEach(async () => {
  told = []
  deeds = []
  for (const table of ['access_entries', 'accounts', 'clients']) await database.db(table).delete()
  boss = await newAccount()
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

const newAccount = async (roles = '["member"]'): Promise<string> => {
  const id = newId()
  await database.db('accounts').insert({
    ...{ id, email: `${id}@example.com`, name: 'x', password_hash: '$argon2id$x', roles },
    created_at: new Date(),
  })
  return id
}

const newClient = async (): Promise<string> => {
  const id = newId()
  await database.db('clients').insert({ id, name: 'warehouse', secret_hash: 'x'.repeat(64) })
  return id
}

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
  const [id, other] = [await newAccount('["member", "operator"]'), await newAccount()]
  const move = readFileSync(new URL('0004-access.sql', migrations), 'utf8')
    .split(/;\s*$/m)
    .find((statement) => statement.includes("SELECT 'grant'"))
  await database.db.raw(String(move))
  assert.deepEqual((await store.find('grant', `${id} operator`))?.value, { account: id, role: 'operator' })
  assert.deepEqual(await store.grantsOf(other), [])
})

test('a change has the next version, is told as an event, and is all that is read after the version before', async () => {
  const was = await version()
  await store.set(boss, rule('mine', 'support'))
  const { entries, mark, ...rest } = await store.changesSince(was)
  assert.deepEqual(rest, { since: was, version: was + 1, hasMore: false })
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
  const change = async (writer: number) => {
    for (let n = writer; n < 60; n += 6)
      await (n % 3 === 0
        ? store.set(boss, grant(newId(), 'seller'))
        : store.set(boss, rule(`r${n % 7}`, 'seller', 'allow', `/v1/${n}`)))
  }
  await Promise.all(Array.from({ length: 6 }, (_, writer) => change(writer)))
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

  await store.set(boss, grant(await newAccount(), 'administrator'))
  await store.set(boss, { kind: 'ban', id: `account ${boss}`, value })
  await store.remove(boss, 'grant', `${boss} administrator`)
})

test('two administrators who remove each other at once: one is left', async () => {
  const other = await newAccount()
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
  await Promise.all([start(await newAccount()), start(await newAccount())])
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
    await store.forget(tx, account, account)
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
  for (const [id, hours] of [
    ['account over', 1.9],
    ['account long over', 2.1],
  ] as const) {
    await store.set(boss, { kind: 'ban', id, value, expiresAt: past(-1) })
    await database
      .db('access_entries')
      .where({ id })
      .update({ expires_at: new Date(past(hours)) })
  }
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
    (await store.grantsOf(one)).map(({ value }) => value.role),
    ['finance', 'seller'],
  )
  const [first] = await store.list('role', 1)
  const [second] = await store.list('role', 1, first?.id)
  assert.deepEqual([first?.id, second?.id], ['administrator', 'catalogue-manager'])
})

/** A replica, as far as it holds entries that count. */
const newReplica = () => {
  let [since, mark]: [number, string | undefined] = [0, undefined]
  let held = new Map<string, string | undefined>()
  return {
    version: () => since,
    catchUp: async (): Promise<void> => {
      let answer: AccessChanges
      do {
        answer = await store.changesSince(since, mark)
        if (answer.since === 0) held = new Map()
        for (const { kind, id, value, expiresAt } of answer.entries)
          if (value) held.set(`${kind} ${id}`, expiresAt)
          else held.delete(`${kind} ${id}`)
        ;[since, mark] = [answer.version, answer.mark]
      } while (answer.hasMore)
    },
    holds: (key: string): boolean => {
      const until = held.get(key)
      return held.has(key) && (until === undefined || Date.parse(until) > Date.now())
    },
    keys: () => [...held.keys()].sort(),
  }
}

const banOf = (subject: string, expiresAt?: string): Entry<'ban'> => ({
  ...{ kind: 'ban', id: `account ${subject}` },
  value: { kind: 'account', subject, reason: 'x', by: boss, at: new Date().toISOString() },
  ...(expiresAt ? { expiresAt } : {}),
})

for (const [what, ms] of [
  ['is over when it is made', -1000],
  ['was over hours before', -9 * 3_600_000],
  ['is over before it is read', 30],
] as const)
  test(`a ban that ${what} ends the one that it replaces, on replicas that hold that`, async () => {
    const account = await newAccount()
    const [early, late] = [newReplica(), newReplica()]
    await store.set(boss, banOf(account))
    await early.catchUp()
    assert.ok(early.holds(`ban account ${account}`))
    const end = new Date(Date.now() + ms).toISOString()
    await store.set(boss, banOf(account, end))
    await eventually('it is over', async () => (await store.find('ban', `account ${account}`)) === undefined)
    await store.trim()
    for (const replica of [early, late]) {
      await replica.catchUp()
      assert.equal(replica.holds(`ban account ${account}`), false)
    }
  })

test('a database that went back to a back-up is followed, however far its versions have come since', async () => {
  const tables = ['access_version', 'access_history', 'access_entries']
  const [kept, undone] = [await newAccount(), await newAccount()]
  await store.set(boss, banOf(kept))
  const backUp = await Promise.all(tables.map((table) => database.db(table)))
  const restore = async () => {
    for (const [index, table] of tables.entries()) {
      await database.db(table).delete()
      const rows = (backUp[index] ?? []).map(({ version, ...row }) => ({ ...row, version: Number(version) }))
      for (const row of rows) await database.db(table).insert(row)
    }
  }
  const at = Number((await database.db('access_version').first('version')).version)
  for (const later of [-1, 0, 1]) {
    const replica = newReplica()
    await store.set(boss, banOf(undone))
    await store.remove(boss, 'ban', `account ${kept}`)
    await replica.catchUp()
    assert.deepEqual([replica.version(), replica.holds(`ban account ${undone}`)], [at + 2, true])
    assert.equal(replica.holds(`ban account ${kept}`), false)
    await restore()
    for (let n = 0; n < 2 + later; n += 1) await store.set(boss, rule(`new-${n}`, 'seller'))
    await replica.catchUp()
    assert.equal(replica.version(), at + 2 + later)
    assert.deepEqual(
      [replica.holds(`ban account ${kept}`), replica.holds(`ban account ${undone}`)],
      [true, false],
    )
    const fresh = newReplica()
    await fresh.catchUp()
    assert.deepEqual(replica.keys(), fresh.keys())
    await restore()
  }
})

test('a replica whose version is remembered no more reads all; the current one is remembered for ever', async () => {
  const was = await store.changesSince(0)
  await store.set(boss, rule('new', 'seller'))
  await database.db('access_history').update({ at: new Date(Date.now() - 3 * 3_600_000) })
  await store.trim()
  assert.equal((await store.changesSince(was.version, was.mark)).since, 0)
  const now = await store.changesSince(was.version)
  assert.equal((await store.changesSince(now.version, now.mark)).since, now.version)
  assert.equal((await store.changesSince(now.version + 9)).since, 0, 'it is ahead')
})

test('what an account or a machine has of roles and bans goes with it, and is told', async () => {
  const session = newId()
  for (const id of [await newAccount(), await newClient()]) {
    const replica = newReplica()
    await store.set(boss, grant(id, 'seller'))
    await store.set(boss, grant(id, 'finance'))
    await store.set(boss, banOf(id))
    await store.set(boss, {
      ...{ kind: 'ban', id: `session ${session}` },
      value: { ...banOf(session).value, kind: 'session' },
    })
    await replica.catchUp()
    deeds = []
    await assert.rejects(
      transaction(database.db, async (tx) => {
        await store.forget(tx, boss, id, [session])
        throw new Error('rolled back')
      }),
    )
    assert.equal((await store.grantsOf(id)).length, 2)
    deeds = []
    await transaction(database.db, (tx) => store.forget(tx, boss, id, [session]))
    await replica.catchUp()
    assert.deepEqual(
      replica.keys().filter((key) => key.includes(id) || key.includes(session)),
      [`revocation account ${id}`],
    )
    assert.deepEqual(
      deeds.map(({ by, what, id: of }) => [by, what, of]),
      [`${id} finance`, `${id} seller`, `account ${id}`, `session ${session}`].map((of) => [
        boss,
        'removed',
        of,
      ]),
    )
  }
})

test('the last administrator cannot go, whatever ghosts and machines have the role', async () => {
  await store.set(boss, grant(newId(), 'administrator'))
  const machine = await newClient()
  await store.set(boss, grant(machine, 'administrator'))
  await refused('identity/locks-out-administrators', () =>
    transaction(database.db, (tx) => store.forget(tx, boss, boss)),
  )
  await transaction(database.db, (tx) => store.forget(tx, boss, machine))
  assert.deepEqual(await store.grantsOf(machine), [], 'a machine can go, for it is not counted')
  await refused('identity/locks-out-administrators', () =>
    store.remove(boss, 'grant', `${boss} administrator`),
  )
  await store.set(boss, grant(await newAccount(), 'administrator'))
  await transaction(database.db, (tx) => store.forget(tx, boss, boss))
})

test('ghosts do not keep the shop from its first administrator', async () => {
  await database.db('accounts').where({ id: boss }).delete()
  const operator = await newAccount()
  await store.appointFirst(operator)
  assert.deepEqual(
    (await store.grantsOf(operator)).map(({ value }) => value.role),
    ['administrator', 'operator'],
  )
})

test('ghosts that were left are dropped and told; what is of somebody stays', async () => {
  const [ghost, client, gone] = [newId(), await newClient(), newId()]
  const replica = newReplica()
  await store.set(boss, grant(client, 'seller'))
  await store.set(boss, banOf(client))
  const address = { ...banOf('198.51.100.7').value, kind: 'address' } as const
  await store.set(boss, { kind: 'ban', id: 'address 198.51.100.7', value: address })
  await replica.catchUp()
  const before = replica.keys()
  await store.dropOrphans()
  assert.equal(await version(), replica.version(), 'nothing to do is no version')
  await store.set(boss, grant(ghost, 'seller'))
  await store.set(boss, banOf(ghost))
  const ended = { ...banOf(gone).value, kind: 'session' } as const
  await store.set(boss, { kind: 'ban', id: `session ${gone}`, value: ended })
  await replica.catchUp()
  await Promise.all([store.dropOrphans(), store.dropOrphans()])
  await replica.catchUp()
  assert.deepEqual(replica.keys(), before)
})

test('who is not there is given no role and not banned; a machine is there', async () => {
  const id = newId()
  await refused('identity/account-not-found', () =>
    store.set(boss, grant(id, 'seller'), store.known('account', id)),
  )
  await refused('identity/no-such-session', () => store.set(boss, banOf(id), store.known('session', id)))
  const client = await newClient()
  await store.set(boss, grant(client, 'seller'), store.known('account', client))
})
