import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { shop, stack } from '../support/stack.ts'
import { tellRedis } from '../support/tell-redis.ts'

const run = promisify(execFile)
const command = (...args: string[]) => run('node', ['tools/caravan.mjs', 'dead-letters', ...args])

const topic = 'order.paid'
const consumers = ['inventory', 'carts']

/** As a producer in any language does that knows nothing of Dapr. */
const put = (data: string | Buffer) => tellRedis(stack, 'XADD', topic, '*', 'data', data)

interface Letter {
  readonly id: string
  readonly topic: string
  readonly event: { readonly id?: string; readonly data?: unknown }
}

const lettersOf = async (app: string): Promise<Letter[]> =>
  (await shop.door('GET', `/v1/dead-letters/${app}`, { token: await shop.asOperator() })).body.data

const kept = (app: string, is: (letter: Letter) => boolean): Promise<Letter> =>
  eventually(`${app} keeps it`, async () => (await lettersOf(app)).find(is))

const ask = async (method: string, app: string, path: string) =>
  shop.door(method, `/v1/dead-letters/${app}/${path}`, { token: await shop.asOperator() })

const discarded = async (app: string, { id }: Letter): Promise<void> => {
  assert.equal((await ask('DELETE', app, id)).status, 204)
  assert.ok(!(await lettersOf(app)).some((letter) => letter.id === id))
}

const event = (more: object) =>
  JSON.stringify({ specversion: '1.0', source: '/elsewhere', type: topic, data: { no: 'order' }, ...more })

const malformed: Record<string, (mark: string) => string | Buffer> = {
  text: (mark) => `order ${mark} is paid`,
  'JSON of another kind': (mark) => JSON.stringify([mark]),
  'an object that is no event': (mark) => JSON.stringify({ order: mark, paid: true }),
  'an event without an id': (mark) => event({ subject: mark }),
  'an event with an id in another script': (mark) => event({ id: `订单/${mark}` }),
  'bytes that are no text': (mark) => Buffer.concat([Buffer.from(mark), Buffer.from([0xff, 0x00, 0xfe])]),
  'text larger than daprd takes': (mark) => mark + '订'.repeat(2_000_000),
}

for (const [what, make] of Object.entries(malformed))
  test(`${what} in a topic is kept by each of its consumers, shown, and discarded`, async () => {
    const mark = randomUUID()
    await put(make(mark))
    for (const app of consumers) {
      const letter = await kept(app, ({ event }) => String(event.data).includes(mark))
      assert.equal(letter.topic, 'unreadable')
      const { status, body } = await ask('POST', app, `${letter.id}/replay`)
      assert.deepEqual([status, body.code], [409, 'dead-letters/not-replayable'])
      await discarded(app, letter)
    }
  })

test('a message without a payload is kept too', async () => {
  await tellRedis(stack, 'XADD', topic, '*', 'body', 'elsewhere')
  for (const app of consumers) await discarded(app, await kept(app, ({ event }) => event.data === ''))
})

for (const [id, app] of [
  ['order/1', 'inventory'],
  ['../..', 'carts'],
  ['a?b=c&d#e%2F+', 'inventory'],
] as const)
  test(`an event with the id ${id} is kept, replayed in vain and discarded by the command`, async () => {
    const own = `${id}${randomUUID().slice(0, 8)}`
    await put(event({ id: own }))
    const letters = await Promise.all(
      consumers.map((consumer) => kept(consumer, (letter) => letter.event.id === own)),
    )
    assert.deepEqual([...new Set(letters.map(({ topic }) => topic))], [topic])
    await assert.rejects(command('replay', app, own), /replay-failed/)
    await command('discard', app, own)
    assert.ok(!(await lettersOf(app)).some((letter) => letter.event.id === own))
    const [other] = consumers.flatMap((consumer, index) =>
      consumer === app ? [] : [{ consumer, letter: letters[index] as Letter }],
    )
    if (other) await discarded(other.consumer, other.letter)
  })

test('what is malformed does not hold up what is not', async () => {
  const [line] = await shop.newLines([1])
  assert.ok(line)
  const mark = randomUUID()
  await put(mark)
  const shopper = await shop.newShopper()
  const order = await shop.placeOrder(shopper, [line])
  await put(`${mark} again`)
  await shop.pay(shopper, order.id)
  assert.equal((await shop.settled(shopper, order.id, 30_000)).status, 'confirmed')
  for (const app of consumers)
    for (const text of [mark, `${mark} again`])
      await discarded(app, await kept(app, ({ event }) => event.data === text))
})
