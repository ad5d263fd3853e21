import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect, type Database, migrate, transaction } from './database.ts'
import { asAppError } from './errors.ts'
import { statementTimeouts } from './metrics.ts'
import { eventually } from './testing/eventually.ts'
import { createTestDatabase, emptyFolder, type TestDatabase } from './testing/test-database.ts'

/** A way to the server on which, once it is silent, nothing passes any more. */
const openWay = async (url: URL) => {
  const sockets: Socket[] = []
  let silent = false
  const server = createServer((from) => {
    const to = dial(Number(url.port), url.hostname)
    sockets.push(from, to)
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const)
      a.on('data', (bytes) => !silent && b.write(bytes)).on('error', () => b.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    silence: (): void => {
      silent = true
    },
    heal: (): void => {
      silent = false
    },
    close: (): void => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('a statement', () => {
  let database: TestDatabase
  let db: Database
  before(async () => {
    database = await createTestDatabase()
    db = database.open({ statementSeconds: 1, size: 1 })
    await db.raw('CREATE TABLE things (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB')
    await db('things').insert(Array.from({ length: 1000 }, (_, id) => ({ id, n: 0 })))
  })
  after(() => database.drop())

  const counted = async () => (await statementTimeouts.get()).values[0]?.value ?? 0
  /** Resolves with how long it took, in milliseconds, to fail as it must. */
  const givenUp = async (work: () => Promise<unknown>): Promise<number> => {
    const [before, start] = [await counted(), performance.now()]
    const error = await work().then(
      () => assert.fail('it was done'),
      (thrown) => thrown,
    )
    const { kind, code } = asAppError(error) ?? {}
    assert.deepEqual([kind, code], ['unavailable', 'database/unavailable'], String(error))
    assert.equal((await counted()) - before, 1)
    return performance.now() - start
  }
  const others = async () => {
    const [rows] = await database.db.raw('SELECT id FROM information_schema.processlist WHERE info LIKE ?', [
      '%things a JOIN%JOIN things d%',
    ])
    return rows.length - 1
  }

  test('that takes too long is given up by the server too, as unavailable, and another is done', async () => {
    const took = await givenUp(() =>
      db.raw(
        'SELECT COUNT(*) FROM things a JOIN things b JOIN things c JOIN things d WHERE a.n + b.n + c.n + d.n > 9',
      ),
    )
    assert.ok(took >= 900, `${took} ms`)
    // The server tells the client first, and then that it is done.
    await eventually('nothing like it runs', async () => (await others()) === 0)
    assert.equal((await db('things').where({ id: 1 })).length, 1)
  })

  test('that waits for a lock is given up, its transaction has no effect, and the lock is free for others', async () => {
    const held = Promise.withResolvers<void>()
    const isHeld = Promise.withResolvers<void>()
    const holder = transaction(database.db, async (tx) => {
      await tx('things').where({ id: 1 }).update({ n: 1 })
      isHeld.resolve()
      await held.promise
    })
    await isHeld.promise
    try {
      await givenUp(() =>
        transaction(db, async (tx) => {
          await tx('things').where({ id: 2 }).update({ n: 2 })
          await tx('things').where({ id: 1 }).update({ n: 2 })
        }),
      )
    } finally {
      held.resolve()
      await holder
    }
    await transaction(db, (tx) => tx('things').whereIn('id', [1, 2]).update({ n: 3 }))
    assert.deepEqual(await db('things').whereIn('id', [1, 2]).pluck('n'), [3, 3])
  })

  test('that the server never answers is given up, and its connection is not used again', async () => {
    const way = await openWay(new URL(database.url))
    const remote = connect(way.url, { statementSeconds: 1, size: 1 })
    try {
      assert.equal((await remote('things').where({ id: 3 })).length, 1)
      way.silence()
      await givenUp(() => remote('things').where({ id: 3 }).update({ n: 1 }))
      way.heal()
      assert.equal((await remote('things').where({ id: 3 })).length, 1)
    } finally {
      await remote.destroy()
      way.close()
    }
  })

  test('of a migration has no deadline; those after it have', async () => {
    const folder = await emptyFolder()
    try {
      // One that is ended early does not fail: MariaDB lets it be over.
      await writeFile(new URL('0001-slow.sql', folder), 'DO SLEEP(4);')
      const start = performance.now()
      await migrate(db, folder)
      const took = performance.now() - start
      assert.ok(took >= 3900, `${took} ms`)
    } finally {
      await rm(folder, { recursive: true })
    }
    await givenUp(() =>
      db.raw('SELECT COUNT(*) FROM things a JOIN things b JOIN things c WHERE a.n + b.n + c.n > 99'),
    )
  })
})
