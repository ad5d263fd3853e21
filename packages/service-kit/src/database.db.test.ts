import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { migrate, transaction } from './database.ts'
import { createTestDatabase, emptyFolder, type TestDatabase } from './testing/test-database.ts'

describe('the database', () => {
  let database: TestDatabase
  before(async () => {
    database = await createTestDatabase()
    await database.db.raw('CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB')
    await database.db('counters').insert([
      { id: 1, n: 0 },
      { id: 2, n: 0 },
    ])
  })
  after(() => database.drop())

  const count = async () => (await database.db('counters').orderBy('id')).map(({ n }) => n)

  test('times are UTC with milliseconds', async () => {
    const [[row]] = await database.db.raw(
      "SELECT CAST('2026-11-01 08:00:00.123' AS DATETIME(3)) AS at, UTC_TIMESTAMP(3) = NOW(3) AS utc",
    )
    assert.equal(row.at.toISOString(), '2026-11-01T08:00:00.123Z')
    assert.equal(row.utc, 1)
  })

  test('a transaction sees what others have committed meanwhile', async () => {
    const seen = await database.db.transaction(async (tx) => {
      const [before] = await tx('counters').where({ id: 1 })
      await database.db('counters').where({ id: 1 }).increment('n', 100)
      const [now] = await tx('counters').where({ id: 1 })
      return now.n - before.n
    })
    assert.equal(seen, 100)
    await database.db('counters').update({ n: 0 })
  })

  test('the victim of a deadlock runs again, and both have their effect once', async () => {
    let runs = 0
    let holding = 0
    const met = Promise.withResolvers<void>()
    const inOrder = (first: number, second: number) =>
      transaction(database.db, async (tx) => {
        runs += 1
        await tx('counters').where({ id: first }).increment('n', 1)
        // On the first run each waits until both hold a row that the other wants.
        holding += 1
        if (holding === 2) met.resolve()
        await met.promise
        await tx('counters').where({ id: second }).increment('n', 1)
      })
    await Promise.all([inOrder(1, 2), inOrder(2, 1)])
    assert.deepEqual(await count(), [2, 2])
    assert.equal(runs, 3)
  })

  test('a transaction that is always a victim fails after five runs, without effect', async () => {
    const before = await count()
    let runs = 0
    const work = transaction(database.db, async (tx) => {
      runs += 1
      await tx('counters').increment('n', 1)
      throw Object.assign(new Error('Deadlock found'), { code: 'ER_LOCK_DEADLOCK' })
    })
    await assert.rejects(work, /Deadlock found/)
    assert.equal(runs, 5)
    assert.deepEqual(await count(), before)
  })

  test('any other failure is thrown at once, without effect', async () => {
    const before = await count()
    let runs = 0
    const work = transaction(database.db, async (tx) => {
      runs += 1
      await tx('counters').increment('n', 1)
      await tx('counters').insert({ id: 1, n: 0 })
    })
    await assert.rejects(work, { code: 'ER_DUP_ENTRY' })
    assert.equal(runs, 1)
    assert.deepEqual(await count(), before)
  })
})

describe('migrations', () => {
  let database: TestDatabase
  let folder: URL
  before(async () => {
    database = await createTestDatabase()
    folder = await emptyFolder()
  })
  after(async () => {
    await database.drop()
    await rm(folder, { recursive: true })
  })
  const write = (name: string, sql: string) => writeFile(new URL(name, folder), sql)
  const applied = async () => (await database.db('migrations').orderBy('applied_at')).map(({ name }) => name)
  const steps = async () => (await database.db('steps').orderBy('seq')).map(({ what }) => what)

  test('replicas that start at once apply each file once, in order of name', async () => {
    await write(
      '0002-second.sql',
      "INSERT INTO steps (what) VALUES ('second; and');\nINSERT INTO steps (what)\n  VALUES ('third');\n",
    )
    await write(
      '0001-first.sql',
      "CREATE TABLE steps (seq INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20)) ENGINE=InnoDB;\nINSERT INTO steps (what) VALUES ('first');",
    )
    await write('notes.txt', 'no migration')
    await Promise.all(Array.from({ length: 4 }, () => migrate(database.open(), folder)))
    assert.deepEqual(await steps(), ['first', 'second; and', 'third'])
    assert.deepEqual(await applied(), [
      'kit/0001-kit.sql',
      'kit/0002-outbox-relay.sql',
      '0001-first.sql',
      '0002-second.sql',
    ])
  })

  test('a later start applies only what is new', async () => {
    await write('0003-third.sql', "INSERT INTO steps (what) VALUES ('fourth');")
    await migrate(database.db, folder)
    await migrate(database.db, folder)
    assert.deepEqual(await steps(), ['first', 'second; and', 'third', 'fourth'])
  })

  test('a file that fails is not applied, stops the start, and lets others try again', async () => {
    await write('0004-bad.sql', 'INSERT INTO nowhere VALUES (1);')
    await write('0005-after.sql', "INSERT INTO steps (what) VALUES ('too early');")
    await assert.rejects(migrate(database.db, folder), { code: 'ER_NO_SUCH_TABLE' })
    assert.equal((await steps()).length, 4)
    await write('0004-bad.sql', "INSERT INTO steps (what) VALUES ('fifth');")
    await migrate(database.open(), folder)
    assert.deepEqual((await steps()).slice(4), ['fifth', 'too early'])
  })
})
