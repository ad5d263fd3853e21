import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { transaction } from '@caravan/service-kit/database'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createSignInLimitStore, type SignInLimitStore } from './sign-in-limit-store.ts'

const office = '203.0.113.7'
const home = '198.51.100.20'
let database: TestDatabase
let limits: SignInLimitStore
let mei: string

before(async () => {
  database = await createTestDatabase(new URL('../../migrations/', import.meta.url))
  limits = createSignInLimitStore(database.db, {
    ...{ failures: 5, addressFailures: 20, windowSeconds: 600, banSeconds: 10_800 },
  })
})
after(() => database.drop())
beforeEach(async () => {
  for (const table of ['sign_in_attempts', 'sign_in_bans', 'sign_in_holds']) await database.db(table).delete()
  mei = newEmail()
})

const newEmail = () => `${newId()}@example.com`
/** A wrong password: whether it was checked. */
const guess = async (address: string, email: string): Promise<boolean> => {
  const attempt = await limits.attempt(address, email).catch((error) => {
    assert.ok(error instanceof AppError && error.code === 'identity/too-many-failures', String(error))
  })
  await attempt?.failed()
  return attempt !== undefined
}
const guesses = async (count: number, address: string, email: () => string): Promise<number> => {
  let checked = 0
  for (let n = 0; n < count; n += 1) if (await guess(address, email())) checked += 1
  return checked
}
/** Seconds that a sign-in has to wait, with the right password too. */
const waitOf = async (address: string, email: string): Promise<number> => {
  try {
    await (await limits.attempt(address, email)).succeeded()
    return 0
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'identity/too-many-failures', String(error))
    return error.details.retryAfterSeconds ?? Number.NaN
  }
}

test('who fails too often waits there; others at the address do not, nor the owner elsewhere', async () => {
  assert.equal(await guesses(8, office, () => mei), 5)
  const wait = await waitOf(office, mei)
  assert.ok(wait > 10_700 && wait <= 10_800, `${wait} s`)
  assert.equal(await waitOf(office, newEmail()), 0)
  assert.equal(await waitOf(home, mei), 0)
})

test('an address that guesses at ever other accounts is banned, for every account', async () => {
  assert.equal(await guesses(30, office, newEmail), 20)
  const wait = await waitOf(office, mei)
  assert.ok(wait > 10_700 && wait <= 10_800, `${wait} s`)
  assert.equal(await waitOf(home, mei), 0)
})

test('people who fail at one address add up, and those who succeed do not', async () => {
  for (let person = 0; person < 3; person += 1) {
    const email = newEmail()
    assert.equal(await guesses(5, office, () => email), 5)
    assert.equal(await waitOf(office, newEmail()), 0)
  }
  for (let n = 0; n < 30; n += 1) assert.equal(await waitOf(office, mei), 0)
  await guesses(5, office, newEmail)
  assert.ok((await waitOf(office, mei)) > 10_700)
})

test('many at once do not slip by, however often', async () => {
  let checked = 0
  for (let round = 0; round < 20; round += 1) {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => guess(office, mei)))
    checked += outcomes.filter(Boolean).length
  }
  // Four times as many may be under way: their passwords may be right.
  assert.ok(checked >= 5 && checked <= 20, `${checked} were checked`)
  assert.ok((await waitOf(office, mei)) > 10_700)
})

test('failures from before the window are forgotten', async () => {
  await guesses(4, office, () => mei)
  await database.db('sign_in_attempts').update({ at: database.db.raw('NOW(3) - INTERVAL 601 SECOND') })
  assert.equal(await guesses(5, office, () => mei), 5)
  assert.equal(await waitOf(home, mei), 0)
  await database.db('sign_in_attempts').update({ at: database.db.raw('NOW(3) - INTERVAL 601 SECOND') })
  await limits.trim()
  assert.deepEqual(await database.db('sign_in_attempts'), [])
  assert.ok((await waitOf(office, mei)) > 10_700, 'what they led to is not')
})

test('who has proven to be the owner may try again; what others failed stays', async () => {
  const li = newEmail()
  await guesses(5, office, () => mei)
  await guesses(5, office, () => li)
  await transaction(database.db, (tx) => limits.forget(tx, mei))
  assert.deepEqual([await waitOf(office, mei), (await waitOf(office, li)) > 10_700], [0, true])
})
