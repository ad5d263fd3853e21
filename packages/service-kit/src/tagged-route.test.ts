import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { operation } from '@caravan/contracts/operation'
import { takingBack } from '@caravan/contracts/taking-back'
import { z } from 'zod'
import { anonymous, type Caller } from './authenticate.ts'
import { etagOf } from './precondition.ts'
import { route } from './route.ts'
import { startApp } from './testing/start-app.ts'

const content = z.strictObject({ name: z.string() })
const thing = z.object({ id: z.string(), madeBy: z.string(), version: z.int(), ...content.shape })
const params = z.strictObject({ thingId: z.string() })
const path = '/v1/things/{thingId}'
const base = { app: 'things', summary: '', status: 200, path, params, response: thing } as const

const putThing = operation({
  ...{ ...base, id: 'putThing', method: 'PUT', access: { roles: ['operator'] }, tagged: true },
  body: takingBack(content, thing, { named: { id: 'thingId' }, moved: ['version'] }),
})
const getThing = operation({
  ...{ ...base, id: 'getThing', method: 'GET', access: 'anyone', tagged: true },
  query: z.strictObject({ hidden: z.string().optional() }),
  privileged: { query: 'hidden', by: putThing },
})
const deleteThing = operation({
  ...{ app: 'things', id: 'deleteThing', summary: '', method: 'DELETE', path, params, status: 204 },
  ...{ access: { roles: ['operator'] }, tagged: thing },
})

describe('a tagged route', () => {
  let app: Awaited<ReturnType<typeof startApp>>
  let kept = { id: 'one', madeBy: 'mei', version: 1, name: 'a', secret: 'not told' }

  before(async () => {
    const routes = [
      route(getThing, async () => kept),
      route(putThing, async ({ params: { thingId }, body, precondition }) => {
        precondition(thingId === kept.id ? kept : undefined)
        if (thingId !== kept.id) return { ...body, id: thingId, madeBy: 'li', version: 1 }
        if (body.name !== kept.name) kept = { ...kept, version: kept.version + 1, name: body.name }
        return kept
      }),
      route(deleteThing, async ({ precondition }) => {
        precondition(kept)
        return undefined
      }),
    ]
    app = await startApp(routes, {
      authenticate: async (header): Promise<Caller> =>
        header ? { kind: 'member', id: header, roles: [header as 'operator'] } : anonymous,
    })
  })
  after(() => app.stop())

  const as = (authorization: string) => ({ authorization })
  const read = async () => {
    const { status, headers, body, text } = await app.request('GET', '/operations/getThing?thingId=one')
    assert.equal(status, 200, text)
    assert.equal(headers.get('etag'), etagOf(text))
    return { body, etag: String(headers.get('etag')) }
  }
  const write = (body: unknown, headers: Record<string, string>, id = 'one') =>
    app.request('PUT', `/operations/putThing?thingId=${id}`, body, { ...as('operator'), ...headers })

  test('tells the tag of what it shows, and takes that back', async () => {
    const { body, etag } = await read()
    const again = await write(body, { 'if-match': etag })
    assert.deepEqual([again.status, again.body, again.headers.get('etag')], [200, body, etag], again.text)
    const edited = await write({ ...body, name: 'b' }, { 'if-match': etag })
    assert.deepEqual(edited.body, { ...body, version: Number(body.version) + 1, name: 'b' })
    const now = String(edited.headers.get('etag'))
    assert.equal(now, (await read()).etag)
    // As before the first edit, but for what was edited.
    const twice = await write({ ...body, name: 'c' }, { 'if-match': now })
    assert.deepEqual(twice.body, { ...body, version: Number(body.version) + 2, name: 'c' })
  })

  test('refuses a member of the owner’s that is not as it is kept, and says which', async () => {
    const { body } = await read()
    const refusal = async (...about: Parameters<typeof write>) => {
      const { status, body } = await write(...about)
      return [status, body.code, (body.errors as { pointer: string }[]).map(({ pointer }) => pointer)]
    }
    const changed = { ...body, id: 'two', madeBy: 'li', name: 'lost' }
    assert.deepEqual(await refusal(changed, {}), [422, 'things/invalid-request', ['/id', '/madeBy']])
    assert.deepEqual(await read().then(({ body }) => body), body)
    assert.equal((await write({ ...changed, name: 'x' }, { 'if-match': '"x"' })).status, 412)
    // Of what is not there the path is known only.
    assert.deepEqual(await refusal(changed, {}, 'three'), [422, 'things/invalid-request', ['/id']])
    assert.equal((await write(changed, {}, 'two')).status, 200)
  })

  test('refuses what was written for another state, and a condition that is none', async () => {
    const { body, etag } = await read()
    await write({ name: `${body.name}!` }, {})
    for (const [headers, expected] of [
      [{ 'if-match': etag }, [412, 'request/precondition-failed']],
      [{ 'if-none-match': '*' }, [412, 'request/precondition-failed']],
      [{ 'if-match': 'x' }, [400, 'request/malformed-condition']],
    ] as const) {
      const answer = await write({ name: 'lost' }, headers)
      assert.deepEqual([answer.status, answer.body.code], expected)
    }
    assert.equal((await read()).body.name, `${body.name}!`)
  })

  test('ends nothing that is not as it was when it was read', async () => {
    const { etag } = await read()
    const remove = async (headers: Record<string, string>) =>
      (
        await app.request('DELETE', '/operations/deleteThing?thingId=one', undefined, {
          ...as('operator'),
          ...headers,
        })
      ).status
    assert.equal(await remove({ 'if-match': '"x"' }), 412)
    assert.equal(await remove({ 'if-none-match': etag }), 412)
    assert.equal(await remove({ 'if-match': 'x' }), 400)
    assert.equal(await remove({ 'if-match': etag }), 204)
    assert.equal(await remove({}), 204)
  })

  test('refuses a foreign member, and one of the owner’s that is not as it gives it', async () => {
    const { body } = await read()
    for (const [name, value] of [
      ['secret', 'x'],
      ['version', '1'],
    ]) {
      const answer = await write({ ...body, [String(name)]: value }, {})
      assert.equal(answer.status, 422)
      assert.partialDeepStrictEqual(answer.body, { errors: [{ pointer: `/${name}` }] })
    }
  })

  test('shows what is asked for beyond what all may see to those only who may write', async () => {
    const ask = async (query: string, headers = {}) =>
      (await app.request('GET', `/operations/getThing?thingId=one${query}`, undefined, headers)).status
    assert.equal(await ask(''), 200)
    for (const query of ['&hidden=1', '&hidden', '&hidden=&hidden=']) {
      assert.equal(await ask(query), 401, query)
      assert.equal(await ask(query, as('shopper')), 403, query)
    }
    assert.equal(await ask('&hidden=1', as('operator')), 200)
  })
})
