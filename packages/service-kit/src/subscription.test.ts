import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { event } from '@caravan/contracts/event'
import { z } from 'zod'
import { AppError, type ErrorKind } from './errors.ts'
import { createLog } from './log.ts'
import { createConsumer, type EventMeta, subscription } from './subscription.ts'
import { startApp } from './testing/start-app.ts'
import { currentTrace } from './trace.ts'

const thingMade = event({
  topic: 'thing.made',
  publisher: 'things',
  summary: '',
  data: z.object({ n: z.int() }),
  key: ({ n }) => String(n),
  example: { n: 1 },
})

describe('a subscription', () => {
  let app: Awaited<ReturnType<typeof startApp>>
  let handle: (data: { n: number }, meta: EventMeta) => Promise<void>
  before(async () => {
    const log = createLog('things', 'silent')
    const consumer = createConsumer({ log, databases: undefined, afterCommit: () => {} })
    const bound = subscription(thingMade, (data, meta) => handle(data, meta))
    app = await startApp([], { callbacks: (router) => router.post('/events', consumer.endpoint(bound)) })
  })
  after(() => app.stop())

  let count = 0
  const newEvent = (more: object = {}) => {
    count += 1
    return {
      specversion: '1.0',
      id: `event-${count}`,
      source: '/s',
      type: 'thing.made',
      data: { n: 1 },
      ...more,
    }
  }
  const deliver = async (body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/cloudevents+json' }
    const answer = await app.request('POST', '/events', body, headers)
    assert.equal(answer.status, 200)
    return answer.body.status
  }
  const throwing = (error: unknown) => () => Promise.reject(error)

  test('hands over the data, the id, the time and the trace, and answers SUCCESS', async () => {
    const traceId = '0123456789abcdef0123456789abcdef'
    const seen: unknown[] = []
    handle = async (data, { id, time }) => void seen.push(data, id, time, currentTrace()?.traceId)
    const time = '2026-11-01T08:00:00.000Z'
    const sent = newEvent({
      data: { n: 3, added: 'later' },
      time,
      traceparent: `00-${traceId}-0123456789abcdef-01`,
    })
    assert.equal(await deliver(sent), 'SUCCESS')
    assert.deepEqual(seen, [{ n: 3 }, sent.id, time, traceId])
  })

  const answers: Record<ErrorKind, string> = {
    unavailable: 'RETRY',
    'too-many': 'RETRY',
    invalid: 'DROP',
    unauthenticated: 'DROP',
    forbidden: 'DROP',
    'not-found': 'DROP',
    conflict: 'DROP',
  }
  for (const [kind, status] of Object.entries(answers)) {
    test(`a handler that throws ${kind}: ${status}`, async () => {
      handle = throwing(new AppError(kind as ErrorKind, 'a/b', 'm'))
      assert.equal(await deliver(newEvent()), status)
    })
  }

  test('a lost database: RETRY, however often', async () => {
    handle = throwing(Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect' }))
    const sent = newEvent()
    for (let n = 0; n < 300; n += 1) assert.equal(await deliver(sent), 'RETRY')
  })

  test('a defect of ours: RETRY for a while, then DROP, and each event has its own patience', async () => {
    handle = throwing(new TypeError('x is not a function'))
    const poison = newEvent()
    let deliveries = 1
    while ((await deliver(poison)) === 'RETRY') {
      deliveries += 1
      assert.ok(deliveries < 1000, 'it is retried for ever')
    }
    assert.ok(deliveries >= 20, `given up after ${deliveries}`)
    assert.equal(await deliver(newEvent()), 'RETRY')
  })

  test('another service’s answer that breaks its contract is no fault of the event: RETRY', async () => {
    handle = async () => void z.object({ a: z.string() }).parse({})
    assert.equal(await deliver(newEvent()), 'RETRY')
  })

  test('data that does not match the event’s schema: DROP, and no handler sees it', async () => {
    handle = () => assert.fail('handled')
    for (const data of [{ n: 'one' }, {}, null, undefined])
      assert.equal(await deliver(newEvent({ data })), 'DROP')
  })

  test('what is no CloudEvent: DROP', async () => {
    handle = () => assert.fail('handled')
    const bad = [
      '{',
      '',
      '[]',
      'null',
      newEvent({ id: '' }),
      newEvent({ id: 'x'.repeat(65) }),
      newEvent({ id: 'é' }),
    ]
    for (const body of bad) assert.equal(await deliver(body), 'DROP', JSON.stringify(body))
  })
})
