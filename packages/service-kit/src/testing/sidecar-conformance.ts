import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { contentDigest, isWhole } from '../content-digest.ts'
import { AppError } from '../errors.ts'
import { maxEventBytes } from '../outbox.ts'
import { type CloudEvent, createSidecar, type Sidecar } from '../sidecar.ts'
import { eventually } from './eventually.ts'

export const app = 'conformance'
export const token = 'a-token-of-the-sidecar'
export const secrets = { known: 'a secret of a test' }
export const items = { limit: '5' }
export const topic = 'something.happened'

const picture = '<svg/>'.repeat(20_000)

/** A sidecar with the app, token, secrets and items above, and `conformanceApp` behind the app id. */
export interface Target {
  readonly port: number
  readonly received: () => readonly Partial<CloudEvent>[]
  readonly stop: () => Promise<void>
}

/** What is invoked, and in a real sidecar also what gets the events. */
export const conformanceApp = (): { listener: RequestListener; received: Partial<CloudEvent>[] } => {
  const received: Partial<CloudEvent>[] = []
  const listener: RequestListener = async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const reply = (status: number, type: string, value: unknown) =>
      response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value))
    const { method, url = '', headers } = request
    if (url === '/dapr/subscribe')
      return reply(200, 'application/json', [{ pubsubname: 'pubsub', topic, route: '/events' }])
    if (url === '/events') {
      received.push(JSON.parse(body))
      return reply(200, 'application/json', { status: 'SUCCESS' })
    }
    if (url === '/operations/refuses') {
      const problem = {
        type: 'urn:x',
        title: 'Conflict',
        status: 409,
        code: 'other/no',
        detail: 'No',
        left: 3,
      }
      return reply(409, 'application/problem+json', problem)
    }
    if (url === '/operations/broken') return reply(500, 'text/plain', 'a stack trace')
    if (url === '/operations/hangs') return
    if (url.startsWith('/pictures/')) {
      response.writeHead(200, { 'content-type': 'image/svg+xml', 'content-digest': contentDigest(picture) })
      if (url === '/pictures/whole') return response.end(picture)
      return response.write(picture.slice(0, 50_000), () => {
        if (url === '/pictures/reset') response.socket?.resetAndDestroy()
        else response.destroy()
      })
    }
    const seen = { method, url, body, authorization: headers.authorization, traceparent: headers.traceparent }
    return reply(201, 'application/json', seen)
  }
  return { listener, received }
}

const seen = z.object({ method: z.string(), url: z.string(), body: z.string(), authorization: z.string() })
const invoked = { app, summary: '', access: 'anyone', status: 201 } as const
const echo = operation({
  ...invoked,
  id: 'echo',
  method: 'POST',
  path: '/things/{name}',
  params: z.object({ name: z.string() }),
  query: z.object({ q: z.string() }),
  body: z.object({ n: z.int() }),
  response: seen,
})
const refuses = operation({ ...invoked, id: 'refuses', method: 'GET', path: '/problems/1', response: seen })
const broken = operation({ ...invoked, id: 'broken', method: 'GET', path: '/broken', response: seen })
const hangs = operation({ ...invoked, id: 'hangs', method: 'GET', path: '/hangs', response: seen })

const trace = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01'
const newEvent = (n: number): CloudEvent => ({
  specversion: '1.0',
  id: randomUUID(),
  source: `/${app}`,
  type: topic,
  time: '2026-11-01T08:00:00.000Z',
  datacontenttype: 'application/json',
  data: { n },
  traceparent: trace,
  traceid: trace,
})

const fails = (kind: string, code: string) => (error: unknown) => {
  assert.ok(error instanceof AppError, String(error))
  assert.deepEqual([error.kind, error.code], [kind, code])
  return true
}

/** What every sidecar must do for `createSidecar`, the fake and the real one alike. */
export const conformance = (name: string, start: () => Promise<Target>): void => {
  describe(`a sidecar: ${name}`, () => {
    let target: Target
    let sidecar: Sidecar
    before(async () => {
      target = await start()
      sidecar = createSidecar({ port: target.port, token })
      await sidecar.ready(60_000)
    })
    after(async () => {
      await sidecar?.close()
      await target?.stop()
    })
    const newKey = () => `key-${randomUUID()}`
    const store = 'statestore'

    test('state: nothing is found under a new key', async () => {
      assert.equal(await sidecar.state.get(store, newKey()), undefined)
    })

    for (const value of [{ deep: { list: [1, 'two', null] } }, 'text', 0, false, null, [] as unknown]) {
      test(`state: gives back ${JSON.stringify(value)}`, async () => {
        const key = newKey()
        assert.equal(await sidecar.state.save(store, key, value), true)
        assert.deepEqual((await sidecar.state.get(store, key))?.value, value)
      })
    }

    test('state: a first write on an existing key is refused and changes nothing', async () => {
      const key = newKey()
      assert.equal(await sidecar.state.save(store, key, 1), true)
      assert.equal(await sidecar.state.save(store, key, 2), false)
      assert.equal((await sidecar.state.get(store, key))?.value, 1)
    })

    test('state: of ten first writes at once one wins', async () => {
      const key = newKey()
      const won = await Promise.all(Array.from({ length: 10 }, (_, n) => sidecar.state.save(store, key, n)))
      assert.equal(won.filter(Boolean).length, 1)
      assert.equal((await sidecar.state.get(store, key))?.value, won.indexOf(true))
    })

    test('state: a write under the newest ETag wins, a second under the same one loses', async () => {
      const key = newKey()
      await sidecar.state.save(store, key, 1)
      const etag = (await sidecar.state.get(store, key))?.etag
      assert.equal(await sidecar.state.save(store, key, 2, { etag }), true)
      assert.equal(await sidecar.state.save(store, key, 3, { etag }), false)
      const now = await sidecar.state.get(store, key)
      assert.equal(now?.value, 2)
      assert.notEqual(now?.etag, etag)
    })

    test('state: an ETag that the store never made loses', async () => {
      const key = newKey()
      await sidecar.state.save(store, key, 1)
      assert.equal(await sidecar.state.save(store, key, 2, { etag: 'never-made' }), false)
      assert.equal((await sidecar.state.get(store, key))?.value, 1)
    })

    test('state: a write under an ETag of a deleted key is done', async () => {
      const key = newKey()
      assert.equal(await sidecar.state.save(store, key, 1, { etag: '7' }), true)
      assert.equal((await sidecar.state.get(store, key))?.value, 1)
    })

    test('state: a delete needs the newest ETag, and then the key may be written first again', async () => {
      const key = newKey()
      await sidecar.state.save(store, key, 1)
      const old = (await sidecar.state.get(store, key))?.etag ?? ''
      await sidecar.state.save(store, key, 2, { etag: old })
      assert.equal(await sidecar.state.delete(store, key, old), false)
      const etag = (await sidecar.state.get(store, key))?.etag ?? ''
      assert.equal(await sidecar.state.delete(store, key, etag), true)
      assert.equal(await sidecar.state.get(store, key), undefined)
      assert.equal(await sidecar.state.delete(store, key, etag), true)
      assert.equal(await sidecar.state.save(store, key, 3), true)
    })

    for (const odd of [
      'a/b',
      'a b',
      'a?b=c#d',
      'ü–汉',
      'a%2Fb',
      '../a',
      'a+b',
      'a:b',
      'a//b',
      '"{}"',
      'an-etag',
    ]) {
      test(`state: a key such as ${odd}`, async () => {
        const key = `${newKey()}${odd}`
        assert.equal(await sidecar.state.save(store, key, odd), true)
        assert.equal(await sidecar.state.save(store, key, 'other'), false)
        const found = await sidecar.state.get(store, key)
        assert.equal(found?.value, odd)
        assert.equal(await sidecar.state.delete(store, key, found?.etag ?? ''), true)
        assert.equal(await sidecar.state.get(store, key), undefined)
      })
    }

    test('state: a value with a time to live is gone after it', async () => {
      const [short, long] = [newKey(), newKey()]
      assert.equal(await sidecar.state.save(store, short, 1, { ttlSeconds: 4 }), true)
      assert.equal(await sidecar.state.save(store, long, 1, { ttlSeconds: 100 }), true)
      assert.ok(await sidecar.state.get(store, short))
      await eventually('it expired', async () => !(await sidecar.state.get(store, short)))
      assert.ok(await sidecar.state.get(store, long))
    })

    const arrived = (ids: readonly string[]) =>
      eventually(`${ids.length} events arrive`, () => {
        const found = target.received().filter((event) => ids.includes(String(event.id)))
        return found.length >= ids.length && found
      })

    for (const count of [1, 2, 100]) {
      test(`publish: ${count} arrive with id, time, type, data and trace`, async () => {
        const events = Array.from({ length: count }, (_, n) => newEvent(n))
        const ids = events.map((event) => event.id)
        assert.deepEqual([...(await sidecar.publish('pubsub', topic, events))].sort(), [...ids].sort())
        const found = await arrived(ids)
        assert.equal(found.length, count)
        for (const event of events)
          assert.partialDeepStrictEqual(
            found.find(({ id }) => id === event.id),
            event,
          )
      })
    }

    test('lock: one of two owners has it, until it is released by its owner', async () => {
      const acquire = (owner: string) => sidecar.lock.acquire('lockstore', name, owner, 60)
      const name = newKey()
      assert.equal(await acquire('a'), true)
      assert.equal(await acquire('b'), false)
      await sidecar.lock.release('lockstore', name, 'b')
      assert.equal(await acquire('b'), false)
      await sidecar.lock.release('lockstore', name, 'a')
      assert.equal(await acquire('b'), true)
      await sidecar.lock.release('lockstore', newKey(), 'a')
    })

    test('lock: one that is not released expires', async () => {
      const name = newKey()
      assert.equal(await sidecar.lock.acquire('lockstore', name, 'a', 1), true)
      assert.equal(await sidecar.lock.acquire('lockstore', name, 'b', 1), false)
      await eventually('b gets it', () => sidecar.lock.acquire('lockstore', name, 'b', 1))
    })

    test('secret: found', async () => {
      assert.equal(await sidecar.secret('known'), secrets.known)
    })

    test('secret: a missing one fails and is named to the operator, not to a caller', async () => {
      await assert.rejects(sidecar.secret('missing'), (error: AppError) => {
        assert.match(String(error.cause), /secret missing not found/)
        assert.doesNotMatch(error.message, /missing/)
        return fails('unavailable', 'sidecar/secret-failed')(error)
      })
    })

    test('configuration: what exists is found, what does not is left out', async () => {
      assert.deepEqual(await sidecar.configuration('configstore', ['limit', 'missing']), { limit: '5' })
      assert.deepEqual(await sidecar.configuration('configstore', ['missing']), {})
    })

    test('invoke: method, path, query, body and authorization reach the app, status and body come back', async () => {
      const response = await sidecar.invoke(app, {
        method: 'PUT',
        path: '/any/path?a=1&a=2',
        headers: { authorization: 'Bearer x' },
        body: 'bytes',
      })
      assert.equal(response.statusCode, 201)
      assert.partialDeepStrictEqual(await response.body.json(), {
        method: 'PUT',
        url: '/any/path?a=1&a=2',
        body: 'bytes',
        authorization: 'Bearer x',
      })
    })

    test('publish: more events than one body may hold arrive all, the largest ones too', async () => {
      const text = 'é'.repeat((maxEventBytes - 100) / 2)
      const events = Array.from({ length: 12 }, (_, n) => ({ ...newEvent(n), data: { n, text } }))
      const ids = events.map(({ id }) => id)
      assert.deepEqual([...(await sidecar.publish('pubsub', topic, events))], ids)
      const arrived = () => target.received().filter(({ id }) => ids.includes(String(id)))
      await eventually('all arrive', () => new Set(arrived().map(({ id }) => id)).size === ids.length)
      for (const { data } of arrived()) assert.equal((data as { text: string }).text, text)
    })

    test('what is larger than daprd takes is refused, and nothing of it is done', async () => {
      const key = newKey()
      const value = 'x'.repeat(4_194_304)
      await assert.rejects(sidecar.state.save(store, key, value), { kind: 'unavailable' })
      assert.equal(await sidecar.state.get(store, key), undefined)
      const tooLarge = { ...newEvent(1), data: { value } }
      await assert.rejects(sidecar.publish('pubsub', topic, [tooLarge]), { kind: 'unavailable' })
      const after = newEvent(2)
      assert.deepEqual([...(await sidecar.publish('pubsub', topic, [after, tooLarge]))], [after.id])
    })

    test('invoke: an answer is whole by its digest, and one that breaks off is not, whatever its status', async () => {
      const receive = async (path: string) => {
        const { headers, body } = await sidecar.invoke(app, { method: 'GET', path })
        return isWhole(Buffer.from(await body.arrayBuffer()), headers['content-digest'])
      }
      assert.equal(await receive('/pictures/whole'), true)
      for (const path of ['/pictures/ended', '/pictures/reset'])
        assert.equal(await receive(path).catch(() => false), false, path)
    })

    test('call: asks under the operation’s path, its parameters in the query, and checks the answer', async () => {
      const answer = await sidecar.call(
        echo,
        { params: { name: 'a b–c' }, query: { q: 'x&y=ü' }, body: { n: 1 } },
        { authorization: 'Bearer y' },
      )
      const { url, ...rest } = answer
      assert.deepEqual(rest, { method: 'POST', body: '{"n":1}', authorization: 'Bearer y' })
      const { pathname, searchParams } = new URL(url, 'http://app')
      assert.equal(pathname, '/operations/echo')
      assert.deepEqual(Object.fromEntries(searchParams), { name: 'a b–c', q: 'x&y=ü' })
    })

    test('call: a problem is passed on with its status, code, detail and data', async () => {
      await assert.rejects(sidecar.call(refuses, {}), (error: AppError) => {
        assert.deepEqual([error.status, error.message, error.details.data], [409, 'No', { left: 3 }])
        return fails('conflict', 'other/no')(error)
      })
      const raw = await sidecar.invoke(app, { method: 'GET', path: '/operations/refuses' })
      assert.equal(raw.statusCode, 409)
      assert.match(String(raw.headers['content-type']), /^application\/problem\+json/)
      assert.equal(((await raw.body.json()) as { code: string }).code, 'other/no')
    })

    test('call: a failure that is no problem document is unavailable and tells nothing', async () => {
      await assert.rejects(sidecar.call(broken, {}), (error: AppError) => {
        assert.doesNotMatch(error.message, /stack trace/)
        return fails('unavailable', `${app}/unavailable`)(error)
      })
    })

    test('call: an app that does not answer is unavailable after the deadline', async () => {
      const start = performance.now()
      await assert.rejects(
        sidecar.call(hangs, {}, { deadlineMs: 200 }),
        fails('unavailable', 'sidecar/unavailable'),
      )
      const took = performance.now() - start
      assert.ok(took >= 190 && took < 5000, `${took} ms`)
    })

    test('call: an app that nobody knows is unavailable', async () => {
      const elsewhere = { ...broken, app: 'nobody' }
      await assert.rejects(sidecar.call(elsewhere, {}), fails('unavailable', 'nobody/unavailable'))
    })

    test('without the API token nothing is done', async () => {
      const stranger = createSidecar({ port: target.port, token: 'another-token-than-that' })
      const key = newKey()
      await assert.rejects(stranger.state.save(store, key, 1), { kind: 'unavailable' })
      await assert.rejects(stranger.state.get(store, key), fails('unavailable', 'sidecar/state-get-failed'))
      await assert.rejects(stranger.secret('known'), fails('unavailable', 'sidecar/secret-failed'))
      await assert.rejects(stranger.call(refuses, {}), fails('unavailable', `${app}/unavailable`))
      assert.equal((await stranger.publish('pubsub', topic, [newEvent(1), newEvent(2)])).size, 0)
      await stranger.close()
      assert.equal(await sidecar.state.get(store, key), undefined)
    })
  })
}
