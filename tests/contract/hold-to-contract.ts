import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { operations } from '@caravan/contracts/all'
import { consumers, deadLetterOperations } from '@caravan/contracts/dead-letters'
import { invokedPath } from '@caravan/contracts/operation'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { cloudEvent, publishAs, publishRaw } from '../support/publish.ts'
import { mint, shop } from '../support/stack.ts'
import { type AnyOperation, ask, type By, get, invoke, refused, strangers } from './ask.ts'
import { otherThan, sampleOf } from './samples.ts'
import { consumersOf, eventOf, topicsOf } from './topics.ts'

interface Subscribed {
  readonly pubsubname: string
  readonly topic: string
  readonly deadLetterTopic?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What nobody sets by sending it along (OWASP API3:2023), where it is no field of the operation. */
const privileged = [
  'status',
  'role',
  'roles',
  'userId',
  'accountId',
  'price',
  'total',
  'createdAt',
  'passwordHash',
]

/** They would end the session that all else is asked in. */
const ending = new Set(['endCurrentSession', 'endAllSessions'])

/** Tests of what every service owes to every caller, whatever it is about and whatever it is written in. */
export const holdToContract = (app: string): void => {
  const own = operations.filter((operation) => operation.app === app) as readonly AnyOperation[]
  const tokens: { member?: string; operator?: string } = {}

  before(async () => {
    tokens.member = (await shop.newShopper()).token
    tokens.operator = await shop.asOperator()
  })

  /** As somebody who may. */
  const allowed = ({ id, access }: AnyOperation): By => {
    if (access === 'anyone') return {}
    if (access === 'member') return { token: ending.has(id) ? mint.member().token : tokens.member }
    // The gateway's own sidecar lets nobody pass without a token.
    if ('apps' in access) return { through: String(access.apps[0]), token: tokens.member }
    return { token: tokens.operator }
  }

  /** Through an app that may not, where only apps may; the owner may not either. */
  const outsider = ({ access }: AnyOperation): By => {
    if (typeof access !== 'object' || !('apps' in access)) return {}
    return { through: strangers.find((each) => each !== app && !access.apps.includes(each)) ?? app }
  }

  describe(`${app} as a Dapr app`, () => {
    test('is healthy', async () => {
      const { status } = await invoke(app, 'GET', '/healthz')
      assert.ok(status === 200 || status === 204, `${status}`)
    })

    test('serves exactly the operations of its contract, and describes them', async () => {
      const { status, body, text } = await invoke(app, 'GET', '/openapi.json')
      assert.equal(status, 200, text)
      assert.match(body.openapi, /^3\.1\./)
      const served = Object.entries(body.paths).flatMap(([path, item]) =>
        Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
      )
      assert.deepEqual(served.sort(), own.map((each) => `${each.method} ${invokedPath(each)}`).sort())
    })

    test('answers another path with 404, the public ones too', async () => {
      for (const path of ['/operations/noSuchThing', ...own.slice(0, 3).map((each) => each.path)]) {
        const { status, body, text } = await invoke(app, 'GET', path.replace(/[{}]/g, ''))
        assert.deepEqual([status, body?.status], [404, 404], text)
      }
    })

    test('subscribes to what it consumes, each with a dead-letter topic', async () => {
      const { status, body, text } = await invoke(app, 'GET', '/dapr/subscribe')
      assert.equal(status, 200, text)
      const deadLetter = `${app}.dead-letter`
      // What every replica hears may be heard or not: it is a hint to read sooner.
      const listed = (body as Subscribed[])
        .filter(({ pubsubname }) => pubsubname !== 'broadcast')
        .map(({ pubsubname, topic, deadLetterTopic, metadata }) => ({
          ...{ pubsubname, topic, deadLetterTopic, metadata },
        }))
      const consumed = topicsOf(app)
      const wanted = consumed.map((topic) => ({ pubsubname: 'pubsub', topic, deadLetterTopic: deadLetter }))
      for (const each of wanted) assert.partialDeepStrictEqual(listed, [each])
      const others = listed.filter(({ topic }) => !consumed.includes(topic))
      assert.deepEqual(
        others.map(({ topic, metadata }) => [topic, metadata?.rawPayload]),
        consumed.length > 0 ? [[deadLetter, 'true']] : [],
      )
    })
  })

  for (const operation of own) {
    const { id, access, method, path } = operation
    const sample = sampleOf(operation)

    describe(`${id}, ${method} ${path}`, () => {
      if (access !== 'anyone') {
        test('is not for a caller without credentials, nor for one with a forged token', async () => {
          const signature = Buffer.from('x'.repeat(256)).toString('base64url')
          for (const token of [undefined, mint.forge(newId(), {}, signature)]) {
            const by = outsider(operation)
            const answer = await ask(operation, sample, { ...by, token })
            // Its own app has no name with an app: it is whoever its token says.
            const isApp = by.through !== undefined && !(by.through === app && token)
            assert.equal(answer.status, isApp ? 403 : 401, answer.text)
          }
        })
      }
      if (typeof access === 'object' && 'roles' in access) {
        test('is not for a member without the role', async () => {
          await refused([403, 'auth/forbidden'], operation, sample, { token: tokens.member })
        })
      }

      test('is done, or refused with a problem that the contract lists', async () => {
        const { status, body, text } = await ask(operation, sample, allowed(operation))
        if (status !== operation.status) assert.equal(operation.problems?.[body.code], status, text)
      })

      if (operation.body) {
        test('refuses a field that it does not know, and points at it', async () => {
          const foreign = ['notInTheContract', ...privileged].filter(
            (name) => !(name in (sample.body as object)),
          )
          const body = { ...(sample.body as object), ...Object.fromEntries(foreign.map((name) => [name, 1])) }
          const answer = await ask(operation, { ...sample, body }, allowed(operation))
          assert.equal(answer.status, 422, answer.text)
          const pointers = answer.body.errors?.map(({ pointer }: { pointer: string }) => pointer)
          assert.deepEqual(pointers?.sort(), foreign.map((name) => `/${name}`).sort(), answer.text)
        })
        test('refuses what is not JSON', async () => {
          const answer = await ask(operation, sample, { ...allowed(operation), raw: '{"a": ' })
          assert.equal(answer.status, 400, answer.text)
        })
      }

      if (operation.query) {
        test('refuses a query parameter that it does not know, and points at it', async () => {
          const query = { ...sample.query, notInTheContract: '1' }
          const answer = await ask(operation, { ...sample, query }, allowed(operation))
          assert.equal(answer.status, 422, answer.text)
          assert.deepEqual(answer.body.errors?.[0]?.pointer, 'query/notInTheContract', answer.text)
        })
      }

      if (operation.idempotent) {
        test('demands an idempotency key', async () => {
          const answer = await ask(operation, sample, { ...allowed(operation), key: null })
          assert.equal(answer.status, 400, answer.text)
        })
        test('gives a repeat with its key the first outcome, and refuses the key for another request', async () => {
          const by = { ...allowed(operation), key: randomUUID() }
          const first = await ask(operation, sample, by)
          const second = await ask(operation, sample, by)
          assert.deepEqual([second.status, second.body], [first.status, first.body])
          assert.equal(second.headers.get('idempotent-replayed'), 'true')
          const spaced = await ask(operation, sample, { ...by, raw: JSON.stringify(sample.body, null, 2) })
          assert.deepEqual([spaced.status, spaced.body], [first.status, first.body])
          await refused([422, 'idempotency/key-reused'], operation, otherThan(operation, sample), by)
        })
      }
    })
  }

  if ((consumers as readonly string[]).includes(app)) holdToDeadLetters(app)
}

const holdToDeadLetters = (app: string): void => {
  // The fewer others get the bad event too, the better.
  const [topic = ''] = topicsOf(app).sort((a, b) => consumersOf(a).length - consumersOf(b).length)
  const { publisher } = eventOf(topic)

  test(`an event that is not valid becomes a dead letter of ${app}, which an operator can try again and discard`, async () => {
    const token = await shop.asOperator()
    const id = newId()
    await publishAs(publisher, topic, cloudEvent(publisher, topic, id, { not: 'of the contract' }))
    const kept = (consumer: string) =>
      eventually(`${consumer} keeps the dead letter`, async () => {
        const { data } = await get(deadLetterOperations(consumer).list, {}, { token })
        return (data as { id: string; topic: string }[]).find((letter) => letter.id === id)
      })
    const letter = { params: { eventId: id } }
    assert.equal((await kept(app)).topic, topic)

    const { list, replay, discard } = deadLetterOperations(app)
    await refused([409, 'dead-letters/replay-failed'], replay, letter, { token })
    await kept(app)
    await get(discard, letter, { token })
    const { data } = await get(list, {}, { token })
    assert.ok(!(data as { id: string }[]).some((each) => each.id === id))
    await refused([404, 'dead-letters/not-found'], discard, letter, { token })

    for (const other of consumersOf(topic).filter((each) => each !== app)) {
      await kept(other)
      await get(deadLetterOperations(other).discard, letter, { token })
    }
  })

  test(`what is no event at all is kept by ${app}, too, under a name of its own, and discarded`, async () => {
    const token = await shop.asOperator()
    const mark = newId()
    await publishRaw(publisher, topic, `no event, ${mark}`)
    for (const consumer of [app, ...consumersOf(topic).filter((each) => each !== app)]) {
      const { list, replay, discard } = deadLetterOperations(consumer)
      const letters = async () =>
        (await get(list, {}, { token })).data as { id: string; topic: string; event: { data?: unknown } }[]
      const { id } = await eventually(`${consumer} keeps it`, async () =>
        (await letters()).find(
          ({ topic, event }) => topic === 'unreadable' && `${event.data}`.includes(mark),
        ),
      )
      const letter = { params: { eventId: id } }
      await refused([409, 'dead-letters/not-replayable'], replay, letter, { token })
      await get(discard, letter, { token })
      assert.ok(!(await letters()).some((each) => each.id === id))
    }
  })
}
