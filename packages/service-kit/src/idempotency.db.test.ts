import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { id } from '@caravan/contracts/common'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { canonicalJson } from './canonical-json.ts'
import { transaction } from './database.ts'
import { AppError } from './errors.ts'
import { createIdempotency, type Idempotency, type Once } from './idempotency.ts'
import { newId } from './ids.ts'
import { route } from './route.ts'
import { eventually } from './testing/eventually.ts'
import { startApp } from './testing/start-app.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'

const make = (name: string) =>
  operation({
    app: 'things',
    id: name,
    method: 'POST',
    path: `/v1/${name}`,
    summary: '',
    access: 'member',
    status: 201,
    idempotent: true,
    body: z.strictObject({ name: z.string(), of: z.array(z.strictObject({ a: id, b: z.int() })).optional() }),
    response: z.object({ id: z.string(), name: z.string() }),
  })

describe('an idempotent operation', () => {
  let database: TestDatabase
  let idempotency: Idempotency
  let app: Awaited<ReturnType<typeof startApp>>
  let runs: Once[] = []
  let act: (once: Once, name: string) => Promise<unknown>

  /** Inserts a thing and records the outcome with it; the record holds a field that is none of the response's. */
  const insert = (once: Once, name: string) =>
    transaction(database.db, async (tx) => {
      await tx('things').insert({ id: once.id, name })
      await once.record(tx, 201, { id: once.id, name, internal: 'hunter2' })
      return { id: once.id, name }
    })

  before(async () => {
    database = await createTestDatabase()
    await database.db.raw(
      'CREATE TABLE things (id CHAR(36) PRIMARY KEY, name VARCHAR(40) NOT NULL) ENGINE=InnoDB',
    )
    idempotency = createIdempotency(database.db)
    const handler = async ({ once, body }: { once: Once; body: { name: string } }) => {
      runs.push(once)
      return (await act(once, body.name)) as { id: string; name: string }
    }
    app = await startApp([route(make('makeThing'), handler), route(make('makeOther'), handler)], {
      idempotency,
      authenticate: async (header) => ({ kind: 'member', id: header ?? 'account-1', roles: ['member'] }),
      deadlineMs: 3000,
    })
  })
  beforeEach(async () => {
    await database.db('things').delete()
    runs = []
    act = insert
  })
  after(async () => {
    await app.stop()
    await database.drop()
  })

  const post = (
    key: string | undefined,
    { name = 'a', path = '/operations/makeThing', caller = 'account-1' } = {},
  ) =>
    app.request(
      'POST',
      path,
      { name },
      { authorization: caller, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    )
  const things = async () => (await database.db('things')).length
  /** As if the time of the claim's lease were over. */
  const endLease = (key: string) =>
    database.db('idempotency_keys').where({ idempotency_key: key }).update({ claimed_until: '2000-01-01' })
  const gate = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { promise, open: resolve }
  }

  test('400 without a key or with one that is none, and nothing is done', async () => {
    for (const key of [undefined, '', 'x'.repeat(256), 'a b', 'é']) {
      const answer = await post(key)
      assert.deepEqual([answer.status, answer.body.code], [400, 'idempotency/key-missing'])
    }
    assert.equal(runs.length, 0)
    assert.equal((await post('x'.repeat(255))).status, 201)
  })

  test('a repeat gets the first status and body, and has no effect', async () => {
    const key = newId()
    const first = await post(key)
    assert.equal(first.headers.get('idempotent-replayed'), null)
    for (let n = 0; n < 3; n += 1) {
      const repeat = await post(key)
      assert.deepEqual([repeat.status, repeat.body], [201, first.body])
      assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    }
    assert.deepEqual([runs.length, await things()], [1, 1])
    assert.equal(runs[0]?.id, first.body.id)
  })

  test('a repeat that is written otherwise is the same request', async () => {
    const key = newId()
    const a = newId()
    const send = (raw: string) =>
      app.request('POST', '/operations/makeThing', raw, {
        authorization: 'account-1',
        'idempotency-key': key,
      })
    const first = await send(`{"name":"a","of":[{"a":"${a}","b":1}]}`)
    assert.equal(first.status, 201)
    for (const same of [
      `{ "of" : [{"b":1e0, "a":"${a.toUpperCase()}"}],\n"name":"\\u0061"}`,
      `\ufeff{"name":"a","of":[{"a":"${a}","b":1.0}]}`,
    ]) {
      const repeat = await send(same)
      assert.deepEqual([repeat.status, repeat.body], [201, first.body], same)
    }
    for (const other of [
      `{"name":"a","of":[{"a":"${a}","b":2}]}`,
      `{"name":"a","of":[{"a":"${a}","b":1},{"a":"${a}","b":1}]}`,
      '{"name":"a"}',
    ])
      assert.equal((await send(other)).body.code, 'idempotency/key-reused', other)
    assert.equal(runs.length, 1)
  })

  test('a result that was not recorded with its effect is kept as it was answered', async () => {
    act = async (once, name) => ({ id: once.id, name, internal: 'hunter2' })
    const key = newId()
    const first = await post(key)
    assert.deepEqual((await post(key)).body, first.body)
    assert.deepEqual(first.body, { id: runs[0]?.id, name: 'a' })
    assert.equal(runs.length, 1)
  })

  test('422 for the key with another request, also while the first runs', async () => {
    const { promise, open } = gate()
    act = async (once, name) => {
      await promise
      return insert(once, name)
    }
    const key = newId()
    const first = post(key)
    await eventually('the first runs', () => runs.length === 1)
    const early = await post(key, { name: 'b' })
    open()
    assert.equal((await first).status, 201)
    const late = await post(key, { name: 'b' })
    for (const answer of [early, late])
      assert.deepEqual([answer.status, answer.body.code], [422, 'idempotency/key-reused'])
    assert.equal((await post(key)).status, 201)
    assert.equal(runs.length, 1)
  })

  test('409 while the first runs, its outcome afterwards', async () => {
    const { promise, open } = gate()
    act = async (once, name) => {
      await promise
      return insert(once, name)
    }
    const key = newId()
    const first = post(key)
    await eventually('the first runs', () => runs.length === 1)
    const second = await post(key)
    assert.deepEqual([second.status, second.body.code], [409, 'idempotency/in-flight'])
    assert.equal(second.headers.get('retry-after'), '1')
    open()
    assert.equal((await first).status, 201)
    assert.deepEqual((await post(key)).body, (await first).body)
    assert.equal(await things(), 1)
  })

  test('30 at once have one effect', async () => {
    const key = newId()
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(key)))
    assert.deepEqual([runs.length, await things()], [1, 1])
    for (const { status, body } of answers) {
      if (status === 201) assert.equal(body.id, runs[0]?.id)
      else assert.deepEqual([status, body.code], [409, 'idempotency/in-flight'])
    }
    assert.equal((await post(key)).body.id, runs[0]?.id)
  })

  const request = (name = 'a') => canonicalJson([undefined, undefined, { name }])
  const crash = async (key: string): Promise<Once> =>
    (await idempotency.claim('account-1 makeThing', key, request())) as Once

  test('a run whose process died is taken over under the same id once its lease is over', async () => {
    const key = newId()
    const dead = await crash(key)
    assert.equal((await post(key)).body.code, 'idempotency/in-flight')
    await endLease(key)
    const answer = await post(key)
    assert.deepEqual([answer.status, answer.body.id], [201, dead.id])
    assert.equal((await post(key)).body.id, dead.id)
    assert.deepEqual([runs.length, await things()], [1, 1])
  })

  test('of ten that would take over, one does', async () => {
    const key = newId()
    await crash(key)
    await endLease(key)
    await Promise.all(Array.from({ length: 10 }, () => post(key)))
    assert.deepEqual([runs.length, await things()], [1, 1])
  })

  test('a run that was thought dead and was slower can no longer have its effect', async () => {
    const key = newId()
    const slow = await crash(key)
    await endLease(key)
    const answer = await post(key)
    const late = transaction(database.db, async (tx) => {
      await tx('things').insert({ id: newId(), name: 'late' })
      await slow.record(tx, 201, {})
    })
    await assert.rejects(late, { code: 'idempotency/in-flight' })
    assert.equal(await things(), 1)
    assert.deepEqual((await post(key)).body, answer.body)
  })

  for (const kind of ['unavailable', 'too-many'] as const) {
    test(`${kind} is not kept: the repeat runs anew`, async () => {
      const key = newId()
      act = async () => {
        throw new AppError(kind, 'things/busy', 'm')
      }
      assert.equal((await post(key)).body.code, 'things/busy')
      act = insert
      assert.equal((await post(key)).status, 201)
      assert.equal(runs.length, 2)
      assert.notEqual(runs[0]?.id, runs[1]?.id)
    })
  }

  test('a run that was answered with 503 and goes on can no longer have its effect', async () => {
    const key = newId()
    const late = gate()
    const repeat = gate()
    let going: Promise<unknown> = Promise.resolve()
    act = (once, name) => {
      going = late.promise.then(() => insert(once, name))
      going.catch(() => {})
      return Promise.reject(new AppError('unavailable', 'things/slow', 'm'))
    }
    assert.equal((await post(key)).status, 503)
    act = async (once, name) => {
      await repeat.promise
      return insert(once, name)
    }
    const answer = post(key)
    await eventually('the repeat runs', () => runs.length === 2)
    late.open()
    await assert.rejects(going, { code: 'idempotency/in-flight' })
    assert.equal(await things(), 0)
    repeat.open()
    assert.deepEqual([(await answer).status, (await answer).body.id], [201, runs[1]?.id])
    assert.equal(await things(), 1)
  })

  test('an outcome recorded with its effect stands, though the run fails after it', async () => {
    const key = newId()
    act = async (once, name) => {
      await insert(once, name)
      throw new AppError('conflict', 'things/late', 'm')
    }
    assert.equal((await post(key)).status, 409)
    const repeat = await post(key)
    assert.deepEqual([repeat.status, repeat.body.id, await things()], [201, runs[0]?.id, 1])
  })

  test('an outcome goes when its effect is rolled back', async () => {
    const key = newId()
    act = (once, name) =>
      transaction(database.db, async (tx) => {
        await tx('things').insert({ id: once.id, name })
        await once.record(tx, 201, { id: once.id, name })
        throw new AppError('unavailable', 'things/late', 'm')
      })
    assert.equal((await post(key)).status, 503)
    assert.equal(await things(), 0)
    act = insert
    assert.equal((await post(key)).status, 201)
    assert.deepEqual([runs.length, await things()], [2, 1])
  })

  for (const [what, fault, status] of [
    ['a refusal', new AppError('conflict', 'things/taken', 'Taken', { data: { by: 'b' } }), 409],
    ['a defect', new TypeError('hunter2'), 500],
  ] as const) {
    test(`${what} is kept: the repeat gets the same problem`, async () => {
      const key = newId()
      act = async () => {
        throw fault
      }
      const first = await post(key)
      act = insert
      const repeat = await post(key)
      assert.deepEqual([first.status, repeat.status, runs.length], [status, status, 1])
      assert.match(String(repeat.headers.get('content-type')), /^application\/problem\+json/)
      assert.deepEqual(repeat.body, first.body)
      assert.doesNotMatch(repeat.text, /hunter2/)
    })
  }

  test('a request that does not match its schema uses up no key', async () => {
    const key = newId()
    const headers = { 'idempotency-key': key }
    assert.equal((await app.request('POST', '/operations/makeThing', { name: 1 }, headers)).status, 422)
    assert.equal((await post(key)).status, 201)
  })

  test('a key counts for its caller and its operation only', async () => {
    const key = newId()
    const ids = [
      await post(key),
      await post(key, { caller: 'account-2', name: 'b' }),
      await post(key, { path: '/operations/makeOther', name: 'c' }),
    ].map(({ status, body }) => [status, body.id])
    assert.deepEqual(
      ids.map(([status]) => status),
      [201, 201, 201],
    )
    assert.equal(new Set(ids.map(([, id]) => id)).size, 3)
    assert.equal(await things(), 3)
  })
})
