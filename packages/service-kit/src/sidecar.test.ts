import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { AppError } from './errors.ts'
import { type CloudEvent, createSidecar, type Sidecar } from './sidecar.ts'
import { type FakeSidecar, startFakeSidecar } from './testing/fake-sidecar.ts'
import { runInTrace } from './trace.ts'

const readThing = operation({
  app: 'things',
  id: 'readThing',
  method: 'GET',
  path: '/thing',
  summary: '',
  access: 'anyone',
  status: 200,
  response: z.object({ trace: z.string().optional() }),
})

const newEvent = (id: string): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/s',
  type: 't',
  time: '2026-11-01T08:00:00.000Z',
  datacontenttype: 'application/json',
  data: {},
})

describe('what goes through a failing sidecar', () => {
  let fake: FakeSidecar
  let sidecar: Sidecar
  /** For calls that are to succeed, whatever else the machine does. */
  let patient: Sidecar
  before(async () => {
    fake = await startFakeSidecar({ secrets: { s: 'x' } })
    sidecar = createSidecar({ port: fake.port, token: fake.token, deadlineMs: 150 })
    patient = createSidecar({ port: fake.port, token: fake.token })
  })
  afterEach(() => fake.heal())
  after(async () => {
    await Promise.all([sidecar.close(), patient.close()])
    await fake.stop()
  })

  const calls: Record<string, () => Promise<unknown>> = {
    state: () => sidecar.state.get('statestore', 'k'),
    publish: () => sidecar.publish('pubsub', 't', [newEvent('a')]),
    lock: () => sidecar.lock.acquire('lockstore', 'r', 'o', 5),
    secrets: () => sidecar.secret('s'),
    configuration: () => sidecar.configuration('configstore', ['k']),
    invoke: () => sidecar.call(readThing, {}),
  }
  for (const [block, call] of Object.entries(calls)) {
    for (const failure of ['refuse', 'hang', 'stall'] as const) {
      test(`${block}, ${failure}: unavailable, within the deadline`, async () => {
        fake.fail(block as never, failure)
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof AppError, String(error))
          assert.equal(error.kind, 'unavailable')
          return true
        })
      })
    }
  }

  test('what a rate limit of the sidecar refused is too-many, and may be asked for again in a second', async () => {
    const refused = { kind: 'too-many', status: 429, details: { retryAfterSeconds: 1 } }
    fake.fail('invoke', 'limit')
    await assert.rejects(sidecar.call(readThing, {}), { ...refused, code: 'things/too-many-requests' })
    fake.fail('state', 'limit')
    await assert.rejects(sidecar.state.get('statestore', 'k'), {
      ...refused,
      code: 'sidecar/too-many-requests',
    })
  })

  test('of a bulk, exactly what the broker took is accepted', async () => {
    fake.accept(({ id }) => id !== 'b')
    const accepted = await patient.publish('pubsub', 't', ['a', 'b', 'c'].map(newEvent))
    assert.deepEqual([...accepted], ['a', 'c'])
  })

  test('of a bulk that failed without saying of what, nothing is accepted', async () => {
    fake.fail('publish', 'refuse')
    assert.equal((await patient.publish('pubsub', 't', ['a', 'b'].map(newEvent))).size, 0)
  })

  test('an event that alone was refused fails', async () => {
    fake.accept(() => false)
    await assert.rejects(patient.publish('pubsub', 't', [newEvent('a')]), { kind: 'unavailable' })
  })

  test('a call carries the trace of the work that makes it', async () => {
    fake.serve('things', (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ trace: request.headers.traceparent }))
    })
    const id = '0123456789abcdef0123456789abcdef'
    const { trace } = await runInTrace(`00-${id}-0123456789abcdef-01`, () => patient.call(readThing, {}))
    assert.equal(trace?.split('-')[1], id)
    assert.equal((await patient.call(readThing, {})).trace, undefined)
  })

  test('a problem that cannot be read is unavailable', async () => {
    fake.serve('things', (_, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end('{')
    })
    await assert.rejects(patient.call(readThing, {}), { kind: 'unavailable', code: 'things/unavailable' })
  })

  test('it is ready once it answers, and not before', async () => {
    fake.fail('healthz', 'refuse')
    await assert.rejects(patient.ready(100), { kind: 'unavailable' })
    const waiting = patient.ready(60_000)
    fake.heal()
    await waiting
  })
})

test('of events that fill several bulks, those of the ones that were taken are accepted, though another is lost', async () => {
  const bulks: string[][] = []
  const server = createServer(async (request, response) => {
    const entries = JSON.parse(await text(request)) as { entryId: string }[]
    bulks.push(entries.map(({ entryId }) => entryId))
    if (bulks.length === 2) return request.socket.destroy()
    return response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sidecar = createSidecar({ port: (server.address() as AddressInfo).port, token: 'x' })
  try {
    const data = 'x'.repeat(1_000_000)
    const events = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ ...newEvent(id), data }))
    const accepted = await sidecar.publish('pubsub', 't', events)
    assert.equal(bulks.length, 3)
    assert.deepEqual([...accepted], [...(bulks[0] ?? []), ...(bulks[2] ?? [])])
  } finally {
    await sidecar.close()
    server.close()
  }
})

test('calls of a binding go one after another, also after one that failed, and those of another do not wait', async () => {
  const underWay = new Map<string, number>()
  const order: string[] = []
  const server = createServer(async (request, response) => {
    const binding = String(request.url?.split('/').at(-1))
    const { data } = JSON.parse(await text(request)) as { data: string }
    underWay.set(binding, (underWay.get(binding) ?? 0) + 1)
    order.push(`${binding} ${data} ${underWay.get(binding)}`)
    await pause(5)
    underWay.set(binding, 0)
    response.writeHead(data === 'bad' ? 500 : 204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sidecar = createSidecar({ port: (server.address() as AddressInfo).port, token: 'x' })
  try {
    const bind = (binding: string, data: string) => sidecar.bind(binding, 'create', data, {})
    const slow = ['1', 'bad', '2', '3'].map((data) => bind('mail', data))
    const other = bind('other', '1')
    const outcomes = await Promise.allSettled([...slow, other])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    )
    assert.deepEqual(
      order.filter((each) => each.startsWith('mail')),
      ['mail 1 1', 'mail bad 1', 'mail 2 1', 'mail 3 1'],
    )
    assert.ok(order.indexOf('other 1 1') < order.indexOf('mail 2 1'))
  } finally {
    await sidecar.close()
    server.close()
  }
})
