import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { event } from '@caravan/contracts/event'
import { z } from 'zod'
import { type Database, transaction } from './database.ts'
import { createLog } from './log.ts'
import { createOutbox, fact } from './outbox.ts'
import { createSidecar, type Sidecar } from './sidecar.ts'
import { eventually } from './testing/eventually.ts'
import { type FakeSidecar, startFakeSidecar } from './testing/fake-sidecar.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'
import { runInTrace } from './trace.ts'

const stepTaken = event({
  topic: 'step.taken',
  publisher: 'things',
  summary: '',
  data: z.object({ key: z.string(), n: z.int() }),
  key: ({ key }) => key,
  example: { key: 'a', n: 1 },
})
type Step = { key: string; n: number }
const log = createLog('things', 'silent')

describe('the outbox', () => {
  let database: TestDatabase
  let fake: FakeSidecar
  let sidecar: Sidecar
  const stops: (() => Promise<void>)[] = []

  before(async () => {
    database = await createTestDatabase()
  })
  beforeEach(async () => {
    fake = await startFakeSidecar()
    sidecar = createSidecar({ port: fake.port, token: fake.token })
    await database.db('outbox').delete()
  })
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
    await sidecar.close()
    await fake.stop()
  })
  after(() => database.drop())

  const relay = (name = 'things', db: Database = database.db, publish = sidecar.publish) => {
    const outbox = createOutbox({ name, db, sidecar: { publish }, log })
    return { ...outbox, run: () => void stops.push(outbox.start()) }
  }
  const write = (outbox: Pick<ReturnType<typeof relay>, 'add'>, steps: Step[], db = database.db) =>
    transaction(db, (tx) =>
      outbox.add(
        tx,
        steps.map((step) => fact(stepTaken, step)),
      ),
    )
  const steps = (key: string, count: number): Step[] => Array.from({ length: count }, (_, n) => ({ key, n }))
  const arrived = () => fake.publishedTo('step.taken').map(({ data }) => data as Step)
  const pending = async () => {
    const [row] = await database.db('outbox').where({ sent: false }).count({ count: '*' })
    return Number(row?.count)
  }
  const allSent = () => eventually('all is sent', async () => (await pending()) === 0)

  test('publishes a fact after its commit, as a CloudEvent with the trace it was written in', async () => {
    const outbox = relay()
    outbox.run()
    const id = '0123456789abcdef0123456789abcdef'
    await runInTrace(`00-${id}-0123456789abcdef-01`, () => write(outbox, [{ key: 'a', n: 1 }]))
    outbox.wake()
    await allSent()
    const [published, ...more] = fake.published
    assert.deepEqual(more, [])
    assert.deepEqual([published?.pubsub, published?.topic], ['pubsub', 'step.taken'])
    const { id: eventId, time, traceparent, traceid, ...rest } = published?.event ?? ({} as never)
    assert.deepEqual(rest, {
      specversion: '1.0',
      source: '/things',
      type: 'step.taken',
      datacontenttype: 'application/json',
      partitionkey: 'a',
      data: { key: 'a', n: 1 },
    })
    const [row] = await database.db('outbox').where({ id: eventId })
    assert.ok(row)
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time)
    assert.equal(traceparent?.split('-')[1], id)
    assert.equal(traceid, traceparent)
  })

  test('publishes nothing before the commit and nothing after a rollback', async () => {
    const outbox = relay()
    outbox.run()
    const undone = transaction(database.db, async (tx) => {
      await outbox.add(tx, [fact(stepTaken, { key: 'undone', n: 1 })])
      // Another fact is written and sent meanwhile: the relay runs, and passes over the one that is not committed.
      await write(outbox, [{ key: 'other', n: 1 }])
      outbox.wake()
      await eventually('the other is published', () => arrived().length === 1)
      throw new Error('undo')
    })
    await assert.rejects(undone, /undo/)
    await write(outbox, [{ key: 'other', n: 2 }])
    outbox.wake()
    await allSent()
    assert.deepEqual(arrived(), [
      { key: 'other', n: 1 },
      { key: 'other', n: 2 },
    ])
  })

  for (const failure of ['refuse', 'forget'] as const) {
    test(`loses nothing while the broker is down (${failure})`, async () => {
      const outbox = relay()
      fake.fail('publish', failure)
      outbox.run()
      for (let n = 0; n < 10; n += 1)
        await write(
          outbox,
          ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, n })),
        )
      outbox.wake()
      await eventually(
        'it was tried',
        async () => (await database.db('outbox').where('attempts', '>', 0)).length,
      )
      assert.equal(await pending(), 50)
      fake.heal()
      await allSent()
      const seen = new Set(arrived().map(({ key, n }) => `${key}${n}`))
      assert.equal(seen.size, 50)
      if (failure === 'refuse') assert.equal(arrived().length, 50)
      else assert.ok(arrived().length > 50, 'what the broker took before its answer was lost comes twice')
    })
  }

  test('an event that the broker refuses holds back those of its key, and no others', async () => {
    const outbox = relay()
    fake.accept(({ data }) => (data as Step).key !== 'held')
    await write(outbox, [...steps('held', 3), ...steps('free', 3)])
    outbox.run()
    await eventually('the others are sent', async () => (await pending()) === 3)
    assert.deepEqual(arrived(), steps('free', 3))
    await eventually(
      'it was tried',
      async () => (await database.db('outbox').where('attempts', '>', 0)).length,
    )
    assert.equal((await database.db('outbox').where('attempts', '>', 0)).length, 1)
    fake.heal()
    await allSent()
    assert.deepEqual(arrived(), [...steps('free', 3), ...steps('held', 3)])
  })

  test('three relays send 1,000 events of 20 keys once each, every key in the order of writing', async () => {
    const relays = ['one', 'two', 'three'].map((name) => relay(name, database.open()))
    for (const each of relays) each.run()
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`)
    await Promise.all(
      keys.map(async (key) => {
        for (const step of steps(key, 50)) {
          const writer = relays[step.n % 3] ?? assert.fail()
          await write(writer, [step])
          writer.wake()
        }
      }),
    )
    await allSent()
    assert.equal(arrived().length, 1000)
    for (const key of keys)
      assert.deepEqual(
        arrived().filter((step) => step.key === key),
        steps(key, 50),
      )
    const senders = new Set(fake.published.map(({ event }) => event.source))
    assert.ok(senders.size > 1, 'only one relay ever sent: this test shows nothing')
  })

  const expireLeases = () =>
    database.db('outbox').where({ sent: false }).update({ claimed_until: '2000-01-01' })

  for (const died of ['after it published', 'before it published'] as const) {
    test(`what a relay wrote is sent by another when it died ${died}: not before its lease is over, and under the same id`, async () => {
      let reached = false
      const dying = relay('dying', database.open(), async (...args) => {
        if (died === 'after it published') await sidecar.publish(...args)
        reached = true
        return new Promise(() => {})
      })
      await write(dying, steps('a', 2))
      void dying.start()
      await eventually('it was sending', () => reached)
      const heirDb = database.open()
      const heir = relay('heir', heirDb)
      let looks = 0
      heirDb.on('query', ({ sql }: { sql: string }) => {
        if (sql.includes('SKIP LOCKED')) looks += 1
      })
      heir.run()
      await eventually('the heir has looked and rests', () => looks > 0 && heirDb.client.pool.numUsed() === 0)
      const before = died === 'after it published' ? [0] : []
      assert.deepEqual(
        arrived().map(({ n }) => n),
        before,
        'a lease that is not over is respected',
      )
      await expireLeases()
      await allSent()
      assert.deepEqual(
        arrived().map(({ n }) => n),
        [...before, 0, 1],
      )
      if (before.length > 0) assert.equal(fake.published[0]?.event.id, fake.published[1]?.event.id)
    })
  }

  test('what others left is claimed while this relay never rests', async () => {
    const outbox = relay()
    await write(relay('gone', database.open()), [{ key: 'left', n: 1 }])
    await expireLeases()
    let n = 0
    outbox.run()
    await eventually('the other is sent too', async () => {
      n += 1
      await write(outbox, [{ key: 'busy', n }])
      outbox.wake()
      return arrived().some(({ key }) => key === 'left')
    })
  })

  test('finds what is pending by index, among 100,000 rows that are sent', async () => {
    const db = database.open({ size: 1 })
    let reads = 0
    await write(relay(), [{ key: 'old', n: 0 }])
    await db('outbox').update({ sent: true })
    for (let rows = 1; rows < 100_000; rows *= 2)
      await db.raw(
        `INSERT INTO outbox (id, topic, event_key, data, sent)
         SELECT UUID(), topic, CONCAT('old-', FLOOR(RAND() * 1000)), data, TRUE FROM outbox`,
      )
    await db.raw('ANALYZE TABLE outbox')
    const done = relay('things', db, async (_pubsub, _topic, events) => {
      if (reads === 0) {
        const [counters] = await db.raw("SHOW SESSION STATUS LIKE 'Handler_read%'")
        for (const { Value } of counters) reads += Number(Value)
      }
      return new Set(events.map(({ id }) => id))
    })
    for (const writer of [relay(), done])
      for (let n = 0; n < 10; n += 1)
        await write(
          writer,
          Array.from({ length: 20 }, (_, key) => ({ key: `key-${key}-${writer === done}`, n })),
        )
    await db('outbox')
      .where({ sent: false })
      .andWhereRaw("event_key LIKE '%false'")
      .update({ claimed_until: '2000-01-01' })

    const selects = new Map<string, { sql: string; bindings: string[] }>()
    db.on('query', (query: { sql: string; bindings: string[] }) => {
      if (!query.sql.startsWith('SELECT o.seq')) return
      selects.set(query.sql.includes('SKIP LOCKED') ? 'claim' : 'own', query)
    })
    await db.raw('FLUSH STATUS')
    done.run()
    await eventually('all is sent', async () => selects.size === 2 && (await pending()) === 0)
    assert.ok(reads > 0 && reads < 3000, `${reads} rows were read to find the oldest of each key`)

    for (const [what, index] of [
      // Where as little is pending as here, those that begin with `sent` are as good: the rows that are read say so.
      ['own', /^pending(_of_relay)?$/],
      ['claim', /^(pending|age)$/],
    ] as const) {
      const { sql, bindings } = selects.get(what) ?? assert.fail(`no ${what}`)
      const [plan] = await db.raw(`EXPLAIN ${sql}`, bindings)
      const indexOf = new Map(plan.map((row: { table: string; key: string }) => [row.table, String(row.key)]))
      assert.match(String(indexOf.get('o')), index)
      assert.match(String(indexOf.get('e')), /^pending/)
    }
  })
})
