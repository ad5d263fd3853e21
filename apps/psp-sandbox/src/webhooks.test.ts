import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { openBooks } from './books.ts'
import type { Charge } from './charges.ts'
import { eventually, startReceiver, startSandbox, webhookSecret } from './fixture.ts'
import { quiet } from './knobs.ts'
import { createOutbox, retryDelayMs } from './outbox.ts'

let shop: Awaited<ReturnType<typeof startReceiver>>
let psp: Awaited<ReturnType<typeof startSandbox>>
before(async () => {
  shop = await startReceiver()
  psp = await startSandbox({ webhookUrl: shop.url })
})
after(async () => {
  await psp.end('SIGKILL')
  shop.close()
})

type Received = (typeof shop.all)[number]

function timestampOf({ signature, raw }: Received, secret = webhookSecret): number {
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? []
  assert.equal(v1, createHmac('sha256', secret).update(`${t}.${raw}`).digest('hex'))
  return Number(t)
}
const types = (reference: string) => shop.of(reference).map(({ event }) => event.type)
const deliveries = async (reference: string) =>
  (await psp.call('GET', `/sandbox/deliveries?reference=${reference}`)).body.data
const settled = (reference: string, status: string) =>
  eventually(async () => {
    const all = await deliveries(reference)
    return all.length > 0 && all.every((one: { status: string }) => one.status === status) && all
  })

// Each test has its own reference, so the slow ones may wait side by side.
describe('webhooks', { concurrency: true }, () => {
  test('a capture, a decline and a refund are told with a signature over the raw body', async () => {
    const { body: charge } = await psp.charge(await psp.tokenise(), 'told')
    await eventually(() => shop.of('told').length === 1)
    const [captured] = shop.of('told')
    assert.ok(Math.abs(timestampOf(captured as Received) - Date.now() / 1000) < 60)
    const { id, createdAt, ...rest } = captured?.event ?? {}
    assert.match(id, /^evt_/)
    assert.equal(new Date(createdAt).toISOString(), createdAt)
    assert.deepEqual(rest, { type: 'charge.captured', data: { charge } })

    const { body: refund } = await psp.refund(charge.id, 99)
    await eventually(() => shop.of('told').length === 2)
    const { type, data } = shop.of('told')[1]?.event ?? {}
    assert.deepEqual(
      { type, data },
      { type: 'charge.refunded', data: { charge: { ...charge, refunded: 99 }, refund } },
    )

    await psp.charge(await psp.tokenise('4000000000000002'), 'told-no')
    await eventually(() => shop.of('told-no').length === 1)
    assert.deepEqual(types('told-no'), ['charge.declined'])
  })

  test('what is not answered with success is tried again, and a redirect is not followed', async () => {
    const answers = [500, 302, 404, 204]
    shop.respond('retried', (attempt) => answers[attempt - 1] ?? 200)
    await psp.charge(await psp.tokenise(), 'retried')
    const [delivery] = await settled('retried', 'delivered')
    const heard: number[] = delivery.attempts.map(({ status }: { status: number }) => status)
    // On a busy machine a receiver may be left before it answers; what it would have said is not heard then.
    const inTime = answers.filter((status) => heard.includes(status))
    assert.deepEqual(
      heard.filter((status) => status && status !== 200),
      inTime,
    )
    assert.ok(heard.length >= answers.length, `${heard}`)
    assert.equal(new Set(shop.of('retried').map(({ raw }) => raw)).size, 1)
    assert.ok(
      shop.all.every(({ path }) => path === '/webhooks'),
      'a redirect was followed',
    )
  })

  test('the delay doubles from half a second up to thirty', () => {
    assert.deepEqual(
      [1, 2, 3, 6, 7, 8, 19].map(retryDelayMs),
      [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000],
    )
  })

  test('a delivery is given up after twenty tries', () => {
    const outbox = createOutbox(openBooks(':memory:'))
    const charge = { id: 'ch_1', reference: 'lost' } as Charge
    outbox.add('charge.captured', { charge }, quiet.webhook, 0)
    const states: string[] = []
    for (let now = 0; states.length < 21; now += 30_000) {
      for (const delivery of outbox.due(now))
        states.push(outbox.record(delivery, { status: 503, error: null }, now))
      if (outbox.due(Infinity).length === 0) break
    }
    assert.deepEqual(states, [...Array(19).fill('pending'), 'failed'])
  })

  test('a receiver that does not answer is left after five seconds', async () => {
    let release = () => {}
    const held = new Promise<number>((resolve) => {
      release = () => resolve(200)
    })
    shop.respond('silent', (attempt) => (attempt === 1 ? held : 200))
    await psp.charge(await psp.tokenise(), 'silent')
    const [delivery] = await settled('silent', 'delivered')
    release()
    assert.deepEqual(
      delivery.attempts.map(({ error }: { error: string }) => error),
      ['TimeoutError', null],
    )
  })

  test('copies repeat an event under one id', async () => {
    await psp.charge(await psp.tokenise(undefined, { webhook: { copies: 3 } }), 'copied')
    assert.equal((await settled('copied', 'delivered')).length, 3)
    assert.equal(new Set(shop.of('copied').map(({ event }) => event.id)).size, 1)
    assert.equal(shop.of('copied').length, 3)
  })

  test('shuffle sends the newest first and repeats the older after it', async () => {
    const method = await psp.tokenise(undefined, { webhook: { copies: 2, shuffle: true, delayMs: 5_000 } })
    const { body } = await psp.charge(method, 'shuffled')
    await psp.refund(body.id, 1)
    await settled('shuffled', 'delivered')
    const [older, newer] = ['charge.captured', 'charge.refunded']
    assert.deepEqual(types('shuffled'), [newer, older, newer, older])
  })

  test('a dropped event is noted and never sent', async () => {
    await psp.charge(await psp.tokenise(undefined, { webhook: { drop: true } }), 'dropped')
    const [delivery] = await settled('dropped', 'dropped')
    assert.equal(delivery.event.type, 'charge.captured')
    await psp.charge(await psp.tokenise(), 'after-dropped')
    await settled('after-dropped', 'delivered')
    assert.deepEqual(types('dropped'), [])
  })

  test('a disputed card is captured first and disputed later', async () => {
    const { body } = await psp.charge(await psp.tokenise('4000000000000259'), 'disputed')
    assert.equal(body.disputed, false)
    await settled('disputed', 'delivered')
    assert.deepEqual(types('disputed'), ['charge.captured', 'charge.disputed'])
    assert.equal((await psp.call('GET', `/v1/charges/${body.id}`)).body.disputed, true)
  })

  test('a chosen webhook can be forged or stale', async () => {
    const event = { id: 'evt_forged', type: 'charge.captured', data: { charge: { reference: 'forged' } } }
    shop.respond('forged', () => 401)
    const sent = await psp.call('POST', '/sandbox/webhooks', {
      event,
      secret: 'not-the-secret',
      timestamp: 12,
    })
    assert.deepEqual(sent.body, { status: 401, error: null })
    const [forged] = shop.of('forged')
    assert.equal(timestampOf(forged as Received, 'not-the-secret'), 12)
    assert.deepEqual(forged?.event, event)
  })

  test('pending deliveries survive a kill', async () => {
    const first = await startSandbox() // nobody answers at its webhook address
    await first.charge(await first.tokenise(), 'survivor')
    await eventually(async () => {
      const { data } = (await first.call('GET', '/sandbox/deliveries?reference=survivor')).body
      return data[0].attempts.length > 0
    })
    await first.end('SIGKILL')
    const second = await startSandbox({ database: first.database, webhookUrl: shop.url })
    await eventually(() => shop.of('survivor').length === 1)
    await second.end('SIGKILL')
  })
})
