import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { event } from '@caravan/contracts/event'
import { z } from 'zod'
import { AppError } from './errors.ts'
import { newId } from './ids.ts'
import { createLog } from './log.ts'
import { createConsumer, type EventMeta, subscription } from './subscription.ts'
import { eventually } from './testing/eventually.ts'
import { startApp } from './testing/start-app.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'

const stockMoved = event({
  topic: 'stock.moved',
  publisher: 'things',
  summary: '',
  data: z.object({ by: z.int() }),
  key: () => 'stock',
  example: { by: 1 },
})

describe('the inbox', () => {
  let database: TestDatabase
  let app: Awaited<ReturnType<typeof startApp>>
  let commits = 0
  let meet: (meta: EventMeta) => Promise<void>
  let leave: () => void

  before(async () => {
    database = await createTestDatabase()
    await database.db.raw('CREATE TABLE stock (amount INT NOT NULL) ENGINE=InnoDB')
    const consumer = createConsumer({
      log: createLog('things', 'silent'),
      databases: [database.db],
      afterCommit: () => {
        commits += 1
      },
    })
    const bound = subscription(stockMoved, async ({ by }, meta) => {
      await meet(meta)
      await meta.tx('stock').increment('amount', by)
      leave()
    })
    app = await startApp([], { callbacks: (router) => router.post('/events', consumer.endpoint(bound)) })
  })
  beforeEach(async () => {
    await database.db('stock').delete()
    await database.db('stock').insert({ amount: 0 })
    commits = 0
    meet = async () => {}
    leave = () => {}
  })
  after(async () => {
    await app.stop()
    await database.drop()
  })

  const deliver = async (id: string, data: unknown = { by: 5 }): Promise<unknown> => {
    const body = { specversion: '1.0', id, source: '/s', type: 'stock.moved', data }
    return (await app.request('POST', '/events', body)).body.status
  }
  const begun = (count: number) =>
    eventually(`${count} transactions have begun`, () => database.db.client.pool.numUsed() === count)
  const amount = async () => (await database.db('stock').first()).amount
  const rows = async (id: string) => (await database.db('inbox').where({ event_id: id })).length

  test('an event that comes three times has one effect, and each time the answer SUCCESS', async () => {
    const id = newId()
    for (let n = 0; n < 3; n += 1) assert.equal(await deliver(id), 'SUCCESS')
    assert.equal(await amount(), 5)
    assert.equal(await deliver(newId()), 'SUCCESS')
    assert.equal(await amount(), 10)
    assert.equal(await rows(id), 1)
    assert.ok(commits >= 2)
  })

  test('an event that comes ten times at once has one effect', async () => {
    const id = newId()
    let entered = 0
    meet = async () => {
      entered += 1
      await begun(10)
    }
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(id)))
    assert.deepEqual(new Set(answers), new Set(['SUCCESS']))
    assert.equal(await amount(), 5)
    assert.equal(entered, 1)
  })

  const faults: [string, Error, string][] = [
    ['is refused', new AppError('conflict', 'a/b', 'm'), 'DROP'],
    ['must wait', new AppError('unavailable', 'a/b', 'm'), 'RETRY'],
    ['has a defect', new TypeError('x'), 'RETRY'],
  ]
  for (const [what, fault, status] of faults) {
    test(`a handler that ${what} leaves neither effect nor inbox row, and may run again`, async () => {
      const id = newId()
      leave = () => {
        throw fault
      }
      assert.equal(await deliver(id), status)
      assert.deepEqual([await amount(), await rows(id), commits], [0, 0, 0])
      leave = () => {}
      assert.equal(await deliver(id), 'SUCCESS')
      assert.deepEqual([await amount(), await rows(id), commits], [5, 1, 1])
    })
  }

  const deliverAll = async (ids: readonly string[], bad: readonly string[] = []): Promise<string[]> => {
    const entries = ids.map((id) => ({
      entryId: `entry-${id}`,
      event: {
        ...{ specversion: '1.0', id, source: '/s', type: 'stock.moved' },
        data: { by: bad.includes(id) ? 'x' : 5 },
      },
    }))
    const { statuses } = (await app.request('POST', '/events', { entries })).body as never as {
      statuses: { entryId: string; status: string }[]
    }
    assert.deepEqual(
      statuses.map(({ entryId }) => entryId),
      entries.map(({ entryId }) => entryId),
    )
    return statuses.map(({ status }) => status)
  }

  test('the events of a delivery are handled in one transaction', async () => {
    const ids = [newId(), newId(), newId()]
    assert.deepEqual(await deliverAll(ids), ['SUCCESS', 'SUCCESS', 'SUCCESS'])
    assert.deepEqual([await amount(), commits], [15, 1])
    for (const id of ids) assert.equal(await rows(id), 1)
  })

  test('a delivery with an event that came before, and one that comes twice: each has one effect', async () => {
    const [before, fresh] = [newId(), newId()]
    await deliver(before)
    assert.deepEqual(await deliverAll([before, fresh, fresh]), ['SUCCESS', 'SUCCESS', 'SUCCESS'])
    assert.equal(await amount(), 10)
  })

  test('one bad event of a delivery is dropped by itself, and one that fails comes again by itself', async () => {
    const [good, bad, failing] = [newId(), newId(), newId()]
    meet = async ({ id }) => {
      if (id === failing) throw new AppError('unavailable', 'a/b', 'm')
    }
    assert.deepEqual(await deliverAll([good, bad, failing], [bad]), ['SUCCESS', 'DROP', 'RETRY'])
    assert.equal(await amount(), 5)
    assert.deepEqual([await rows(good), await rows(bad), await rows(failing)], [1, 0, 0])
  })

  test('when the first of two at once fails, the second has the effect', async () => {
    const id = newId()
    let entered = 0
    meet = async () => {
      entered += 1
      if (entered > 1) return
      await begun(2)
      throw new AppError('unavailable', 'a/b', 'm')
    }
    const answers = await Promise.all([deliver(id), deliver(id)])
    assert.deepEqual(answers.sort(), ['RETRY', 'SUCCESS'])
    assert.equal(await amount(), 5)
  })

  test('an event that is not valid leaves no inbox row', async () => {
    const id = newId()
    assert.equal(await deliver(id, { by: 'five' }), 'DROP')
    assert.equal(await rows(id), 0)
  })
})
