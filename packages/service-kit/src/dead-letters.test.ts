import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { event } from '@caravan/contracts/event'
import { z } from 'zod'
import { createDeadLetters } from './dead-letters.ts'
import { AppError } from './errors.ts'
import { createLog } from './log.ts'
import { createSidecar } from './sidecar.ts'
import { createConsumer, subscription } from './subscription.ts'
import { startFakeSidecar } from './testing/fake-sidecar.ts'
import { startApp } from './testing/start-app.ts'

const thingMade = event({
  topic: 'thing.made',
  publisher: 'things',
  summary: '',
  data: z.object({ n: z.int() }),
  key: ({ n }) => String(n),
  example: { n: 1 },
})

const start = async () => {
  const fake = await startFakeSidecar()
  const sidecar = createSidecar({ port: fake.port, token: fake.token })
  const log = createLog('things', 'silent')
  const handled: number[] = []
  let fault: Error | undefined
  const subscriptions = [
    subscription(thingMade, async ({ n }) => {
      if (fault) throw fault
      handled.push(n)
    }),
  ]
  const consumer = createConsumer({ log, databases: undefined, afterCommit: () => {} })
  const box = createDeadLetters({ name: 'things', sidecar, log, consumer, subscriptions })
  const operator = { kind: 'member', id: 'o', roles: ['operator'] } as const
  const app = await startApp(box.routes, {
    authenticate: async (header) => (header ? { ...operator, roles: [] } : operator),
    callbacks: (router) => router.post('/dead-letters', box.endpoint),
  })
  return {
    fake,
    sidecar,
    app,
    handled,
    break: (error: Error | undefined) => {
      fault = error
    },
    /** As the sidecar does: in bulk, raw. */
    deliver: async (...given: (object | string | Buffer)[]): Promise<unknown> => {
      const entries = given.map((each, index) => ({
        entryId: String(index),
        event: Buffer.from(
          typeof each === 'string' || Buffer.isBuffer(each) ? each : JSON.stringify(each),
        ).toString('base64'),
      }))
      const { body } = await app.request('POST', '/dead-letters', { entries })
      const statuses = (body.statuses as { status: string }[]).map(({ status }) => status)
      return statuses.length === 1 ? statuses[0] : statuses
    },
    replay: (id: string) =>
      app.request('POST', `/operations/replayThingsDeadLetter?eventId=${encodeURIComponent(id)}`),
    discard: (id: string) =>
      app.request('DELETE', `/operations/discardThingsDeadLetter?eventId=${encodeURIComponent(id)}`),
    list: async () =>
      (await app.request('GET', '/operations/listThingsDeadLetters')).body.data as {
        id: string
        topic: string
        event: unknown
      }[],
    stop: async () => {
      await app.stop()
      await sidecar.close()
      await fake.stop()
    },
  }
}

const letter = (id: string, more: object = {}) => ({
  id,
  source: '/s',
  type: 'thing.made',
  data: { n: 7 },
  ...more,
})

describe('dead letters', () => {
  let box: Awaited<ReturnType<typeof start>>
  beforeEach(async () => {
    await box?.stop()
    box = await start()
  })
  after(() => box.stop())

  test('are kept once, listed oldest first, with the whole event', async () => {
    assert.deepEqual(await box.list(), [])
    for (const id of ['b', 'a', 'b']) assert.equal(await box.deliver(letter(id)), 'SUCCESS')
    const listed = await box.list()
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['b', 'a'],
    )
    assert.partialDeepStrictEqual(listed[0], { topic: 'thing.made', event: letter('b') })
  })

  test('that come at the same time are all kept', async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `e-${n}`)
    const statuses = await Promise.all(ids.map((id) => box.deliver(letter(id))))
    assert.deepEqual(new Set(statuses), new Set(['SUCCESS']))
    assert.deepEqual((await box.list()).map(({ id }) => id).sort(), ids.sort())
  })

  test('are handled and removed by a replay', async () => {
    await box.deliver(letter('a'))
    await box.deliver(letter('b', { data: { n: 8 } }))
    assert.equal((await box.replay('a')).status, 204)
    assert.deepEqual(box.handled, [7])
    assert.deepEqual(
      (await box.list()).map(({ id }) => id),
      ['b'],
    )
    const again = await box.replay('a')
    assert.deepEqual([again.status, again.body.code], [404, 'dead-letters/not-found'])
  })

  test('stay when the replay fails', async () => {
    await box.deliver(letter('a'))
    box.break(new AppError('conflict', 'a/b', 'still no such thing'))
    const failed = await box.replay('a')
    assert.deepEqual([failed.status, failed.body.code], [409, 'dead-letters/replay-failed'])
    assert.match(String(failed.body.detail), /still no such thing/)
    assert.equal((await box.list()).length, 1)
    box.break(undefined)
    assert.equal((await box.replay('a')).status, 204)
    assert.deepEqual(await box.list(), [])
  })

  test('are given up by a discard', async () => {
    await box.deliver(letter('a'))
    await box.deliver(letter('b'))
    assert.equal((await box.discard('a')).status, 204)
    assert.deepEqual(
      (await box.list()).map(({ id }) => id),
      ['b'],
    )
    assert.equal((await box.discard('a')).status, 404)
    assert.deepEqual(box.handled, [])
  })

  test('that nothing here handles cannot be replayed', async () => {
    await box.deliver(letter('a', { type: 'other.made' }))
    const refused = await box.replay('a')
    assert.deepEqual([refused.status, refused.body.code], [409, 'dead-letters/not-replayable'])
  })

  const malformed: Record<string, string | Buffer> = {
    'text that is no JSON': '{not json',
    'nothing at all': '',
    'JSON text': '"text"',
    'JSON of another kind': '[1, 2]',
    'an event without an id': JSON.stringify({ ...letter('x'), id: undefined }),
    'an event whose id is a number': JSON.stringify({ ...letter('x'), id: 7 }),
    'an event with an id that no inbox holds': JSON.stringify(letter('x'.repeat(65))),
    'an event with an id in another script': JSON.stringify(letter('订单')),
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    'an event larger than any of the shop’s': JSON.stringify(letter('x', { data: 'x'.repeat(5_000_000) })),
    'a text larger than daprd takes': '语'.repeat(2_000_000),
  }
  for (const [what, text] of Object.entries(malformed))
    test(`that are ${what} are kept too, once, by their beginning, and can be discarded`, async () => {
      for (let n = 0; n < 2; n += 1) assert.equal(await box.deliver(text), 'SUCCESS')
      const [kept, ...more] = await box.list()
      assert.ok(kept)
      assert.deepEqual(more, [])
      assert.equal(kept.topic, 'unreadable')
      const shown = (kept.event as { data: string }).data
      const came = typeof text === 'string' ? text : text.toString('latin1')
      assert.ok(shown.length <= 20_000 && came.startsWith(shown.slice(0, 10)), shown.slice(0, 100))
      const replayed = await box.replay(kept.id)
      assert.deepEqual([replayed.status, replayed.body.code], [409, 'dead-letters/not-replayable'])
      assert.equal((await box.discard(kept.id)).status, 204)
      assert.deepEqual(await box.list(), [])
    })

  test('are shown as they came, with attributes that nobody here knows', async () => {
    const event = letter('a', { subject: 's', comexampleothervalue: 5, dataschema: 'urn:x' })
    await box.deliver(event)
    assert.deepEqual((await box.list())[0]?.event, event)
  })

  test('are told apart by their sources where two have one id', async () => {
    const statuses = await box.deliver(
      letter('a'),
      letter('a', { source: '/other' }),
      letter('a', { type: 'other.made' }),
      letter('a'),
    )
    assert.deepEqual(statuses, Array(4).fill('SUCCESS'))
    const listed = await box.list()
    assert.equal(new Set(listed.map(({ id }) => id)).size, 3)
    for (const { id } of listed) assert.equal((await box.discard(id)).status, 204)
  })

  for (const id of ['order/1', 'a+b', 'x?y=1&z#%2F', '../..', '.', "o'Neil\\", '0'])
    test(`with the id ${id} can be replayed, and discarded, by the name that they are listed under and by that id`, async () => {
      await box.deliver(letter(id))
      const [listed] = await box.list()
      assert.ok(listed)
      assert.match(listed.id, /^[\w~@:+-][\w.~@:+-]*$/, 'it stands in a path as it is')
      assert.equal((await box.replay(listed.id)).status, 204)
      assert.deepEqual(box.handled, [7])
      await box.deliver(letter(id))
      assert.equal((await box.discard(listed.id)).status, 204)
      if (/^[^./]/.test(id)) {
        await box.deliver(letter(id))
        assert.equal((await box.discard(id)).status, 204)
      }
      assert.deepEqual(await box.list(), [])
    })

  test('stay with the broker when the box has no room for so large a one, which others still find', async () => {
    const large = (id: string) => letter(id, { data: { n: 7, text: 'é'.repeat(260_000) } })
    const statuses = (await box.deliver(...Array.from({ length: 8 }, (_, n) => large(`e-${n}`)))) as string[]
    const kept = statuses.filter((status) => status === 'SUCCESS').length
    assert.deepEqual(statuses.toSorted(), [...Array(8 - kept).fill('RETRY'), ...Array(kept).fill('SUCCESS')])
    assert.equal(kept, 5)
    assert.equal(await box.deliver(letter('small')), 'SUCCESS')
    const [first] = await box.list()
    assert.equal((await box.replay(String(first?.id))).status, 204)
    assert.equal(await box.deliver(large('e-9')), 'SUCCESS')
  })

  test('stay with the broker when the box is full, until there is room', async () => {
    const kept = Array.from({ length: 499 }, (_, n) => {
      const event = letter(`e-${n}`)
      return { id: event.id, topic: event.type, keptAt: '2026-11-01T08:00:00.000Z', event }
    })
    await box.sidecar.state.save('statestore', 'dead-letters', kept)
    assert.equal(await box.deliver(letter('e-499')), 'SUCCESS')
    assert.equal(await box.deliver(letter('e-500')), 'RETRY')
    assert.equal(await box.deliver(letter('e-0')), 'SUCCESS')
    assert.equal((await box.list()).length, 500)
    await box.discard('e-0')
    assert.equal(await box.deliver(letter('e-500')), 'SUCCESS')
    assert.equal((await box.list()).at(-1)?.id, 'e-500')
  })

  test('stay with the broker when the store fails', async () => {
    for (const failure of ['refuse', 'forget'] as const) {
      box.fake.fail('state', failure)
      assert.equal(await box.deliver(letter('a')), 'RETRY')
      box.fake.heal()
    }
    assert.equal(await box.deliver(letter('a')), 'SUCCESS')
    assert.equal((await box.list()).length, 1)
  })

  test('are for operators only', async () => {
    const member = { authorization: 'member' }
    for (const [method, path] of [
      ['GET', 'listThingsDeadLetters'],
      ['POST', 'replayThingsDeadLetter?eventId=a'],
      ['DELETE', 'discardThingsDeadLetter?eventId=a'],
    ] as const)
      assert.equal((await box.app.request(method, `/operations/${path}`, undefined, member)).status, 403)
  })
})
