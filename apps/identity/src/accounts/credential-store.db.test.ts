import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Fact, Outbox } from '@caravan/service-kit/outbox'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { defaultAccess } from '../access/access-defaults.ts'
import { createAccessStore } from '../access/access-store.ts'
import { createSessionStore } from '../sessions/session-store.ts'
import { createSignInLimitStore } from '../sessions/sign-in-limit-store.ts'
import { createAccountStore, type StoredAccount } from './account-store.ts'
import { createCredentialStore } from './credential-store.ts'
import { createMailLinkStore } from './mail-link-store.ts'
import { createOutsideIdentityStore } from './outside-identity-store.ts'

const about = { userAgent: 'a browser', address: '203.0.113.7' }
let database: TestDatabase
let told: Fact[] = []
const outbox = {
  add: async (_: unknown, facts: readonly Fact[]) => void told.push(...facts),
  wake: () => undefined,
} as unknown as Outbox

const storesOn = ({ db }: TestDatabase) => {
  const accounts = createAccountStore(db)
  const access = createAccessStore({ db, outbox, tokenSeconds: 300 })
  const links = createMailLinkStore(db, 'a secret of the test')
  const sessions = createSessionStore(db, { secret: 'another one', sessionDays: 30, access, outbox })
  const identities = createOutsideIdentityStore(db)
  const limits = createSignInLimitStore(db, {
    ...{ failures: 3, addressFailures: 30, windowSeconds: 600, banSeconds: 10_800 },
  })
  const parts = { db, outbox, access, accounts, links, sessions, identities, limits }
  return { ...parts, credentials: createCredentialStore(parts) }
}
let stores: ReturnType<typeof storesOn>

before(async () => {
  database = await createTestDatabase(new URL('../../migrations/', import.meta.url))
  stores = storesOn(database)
  await stores.access.seed(defaultAccess(operations))
})
after(() => database.drop())
beforeEach(async () => {
  await database.db('access_entries').where({ kind: 'grant' }).delete()
  await database.db('accounts').delete()
  await stores.access.appointFirst((await register()).id)
  told = []
})

const register = async (): Promise<StoredAccount> => {
  const id = newId()
  const account: StoredAccount = {
    ...{ id, email: `${id}@example.com`, name: 'Mei', locale: 'en', passwordHash: '$argon2id$x' },
    ...{ roles: ['member'], createdAt: new Date().toISOString() },
  }
  await stores.credentials.register(account)
  return account
}
const grant = (account: string, role: string) =>
  stores.access.set(
    account,
    { kind: 'grant', id: `${account} ${role}`, value: { account, role } },
    stores.access.known('account', account),
  )
const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : String(error))
/** Columns that name an account, of every table that has one, and those of the access state that do. */
const tracesOf = async (id: string): Promise<string[]> => {
  const [columns] = await database.db.raw(
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND DATA_TYPE IN ('char', 'varchar', 'json', 'longtext', 'text')`,
  )
  const found: string[] = []
  for (const { t, c } of columns) {
    const [[row]] = await database.db.raw('SELECT COUNT(*) AS n FROM ?? WHERE ?? LIKE ?', [t, c, `%${id}%`])
    if (row.n > 0) found.push(`${t}.${c}`)
  }
  return [...new Set(found.map((each) => each.toLowerCase()))].sort()
}

test('nothing is left of a closed account but the end of its tokens, and of what it was there is told', async () => {
  const { id, email } = await register()
  await grant(id, 'seller')
  const { sessionId } = await stores.sessions.open(id, about)
  const at = new Date().toISOString()
  for (const [kind, subject] of [
    ['account', id],
    ['session', sessionId],
  ] as const)
    await stores.access.set(id, {
      ...{ kind: 'ban', id: `${kind} ${subject}` },
      value: { kind, subject, reason: 'x', by: id, at },
    })
  await stores.links.request(id, 'reset')
  await stores.identities.link({ issuer: 'https://login.example', subject: 'mei' }, id)
  for (let n = 0; n < 3; n += 1) await (await stores.limits.attempt(about.address, email)).failed()
  const { version } = await stores.access.changesSince(0)
  told = []

  await stores.credentials.close(id)
  assert.deepEqual(await tracesOf(id), ['access_entries.id', 'access_entries.value'])
  const { entries } = await stores.access.changesSince(version)
  assert.deepEqual(
    entries.map(({ kind, id: of, value }) => `${kind} ${of} ${value === null ? 'gone' : 'holds'}`).sort(),
    [
      `ban account ${id} gone`,
      `ban session ${sessionId} gone`,
      `grant ${id} seller gone`,
      `revocation account ${id} holds`,
      `revocation session ${sessionId} holds`,
    ].sort(),
  )
  assert.deepEqual(
    told.map(({ definition }) => definition.topic).filter((topic) => topic === 'account.closed').length,
    1,
  )
  await (await stores.limits.attempt(about.address, email)).succeeded()

  told = []
  await stores.credentials.close(id)
  assert.deepEqual(told, [], 'a repeat changes nothing')
})

test('of two administrators who close their accounts at once one is left', async () => {
  const [first] = await database.db('accounts')
  const { id } = await register()
  await grant(id, 'administrator')
  const outcomes = await Promise.allSettled(
    [first.id, id].map((account: string) => stores.credentials.close(account)),
  )
  const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  assert.deepEqual(
    refused.map(({ reason }) => codeOf(reason)),
    ['identity/locks-out-administrators'],
  )
  assert.equal((await database.db('accounts')).length, 1)
})

test('a role that is granted, and a session that is opened, while the account closes do not outlive it', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { id } = await register()
    const outcomes = await Promise.allSettled([
      stores.sessions.open(id, about),
      grant(id, 'seller'),
      stores.credentials.close(id),
      grant(id, 'finance'),
      stores.sessions.open(id, about),
    ])
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    for (const { reason } of refused)
      assert.match(codeOf(reason), /^identity\/account-(gone|not-found)$/, String(reason))
    assert.deepEqual(await stores.access.grantsOf(id), [])
    assert.deepEqual(await database.db('sessions').where({ account_id: id }), [])
  }
})

test('a new password by mail is the account’s, and wrong ones of before hold its owner up no more', async () => {
  const { id, email } = await register()
  for (let n = 0; n < 3; n += 1) await (await stores.limits.attempt(about.address, email)).failed()
  await assert.rejects(stores.limits.attempt(about.address, email), /wrong passwords/)
  await stores.links.request(id, 'reset')
  const due = await stores.links.lease(10)
  const token = due.find((mail) => mail.email === email && mail.purpose === 'reset')?.token
  await stores.credentials.resetPassword(String(token), '$argon2id$new')
  assert.equal((await stores.accounts.findById(id))?.passwordHash, '$argon2id$new')
  await (await stores.limits.attempt(about.address, email)).succeeded()
})

test('an identity of an outside provider is not linked to an account that is gone', async () => {
  const identity = { issuer: 'https://login.example', subject: newId() }
  await assert.rejects(stores.identities.link(identity, newId()), (error) => {
    return codeOf(error) === 'identity/account-gone'
  })
  assert.equal(await transaction(database.db, (tx) => stores.accounts.lock(tx, newId())), undefined)
})
