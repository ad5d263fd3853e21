import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createLog } from '@caravan/service-kit/log'
import type { Charge } from './provider.ts'
import { createWebhook, verifySignature } from './webhook.ts'

const secret = 'a-webhook-secret-of-the-test'
const seconds = 1_700_000_000
const now = seconds * 1000
const body = '{"id":"evt_1","type":"charge.captured"}'
/** By OpenSSL: `printf '1700000000.<body>' | openssl dgst -sha256 -hmac <secret>`. */
const known = '6b79b4756f9c3c2b5c50300dd8f35f61fe39ccfb0f6ef9e6f06354792c3bce13'

const verify = (header: string, at = now, over = body, key = secret) =>
  verifySignature(header, Buffer.from(over), key, at)
const refused = { code: 'payments/bad-signature', status: 401 }

test('a signature that another program made is believed', () => {
  verify(`t=${seconds},v1=${known}`)
})

test('it is believed for five minutes, before and after', () => {
  for (const at of [now - 300_000, now + 300_000]) verify(`t=${seconds},v1=${known}`, at)
  for (const at of [now - 300_001, now + 300_001])
    assert.throws(() => verify(`t=${seconds},v1=${known}`, at), refused)
})

test('another body, another secret and another time are refused', () => {
  const header = `t=${seconds},v1=${known}`
  assert.throws(() => verify(header, now, `${body} `), refused)
  assert.throws(() => verify(header, now, body, `${secret}x`), refused)
  assert.throws(() => verify(header.replace('00,', '01,')), refused)
})

test('a header that is not of the scheme is refused', () => {
  for (const header of [
    '',
    known,
    `v1=${known}`,
    `t=${seconds}`,
    `t=${seconds},v1=`,
    `t=${seconds},v1=${known.slice(2)}`,
    `t=${seconds},v1=${known}00`,
    `t=,v1=${known}`,
    `t=${seconds},v0=${known}`,
    `t=${seconds};v1=${known}`,
    `t=${seconds},v1=${known.slice(0, 62)}zz`,
    `t=${seconds},v2=${known}`,
    `t=${seconds + 1},v1=${known}`,
  ])
    assert.throws(() => verify(header), refused, header)
})

test('a header that the scheme has grown by is believed for what is known of it', () => {
  const [own, others] = [`t=${seconds}`, '0'.repeat(64)]
  for (const header of [
    `${own},v1=${others},v1=${known}`,
    `${own},v1=${known},v1=${others}`,
    `${own},v0=${others},v1=${known},v2=ed25519:abc=`,
    `${own},v1=${known},kid=2,flag`,
    `v1=${known},${own}`,
    ` ${own} , v1=${known}`,
    `${own},v1=${known.toUpperCase()}`,
    // Two lines of it, as Node joins them: of a repeat, or of an intermediary that signed as well.
    `${own},v1=${known}, ${own},v1=${known}`,
    `t=${seconds - 9},v1=${others}, ${own},v1=${known}`,
  ])
    verify(header)
})

test('a signature is not believed by another element’s time, and a header of a thousand times costs little', () => {
  assert.throws(() => verify(`t=${seconds - 301},v1=${known},t=${seconds - 1}`), refused)
  const many = Array.from({ length: 1000 }, (_, n) => `t=${seconds - (n % 290) - 1}`).join()
  assert.throws(() => verify(`${many},t=${seconds},v1=${known}`), refused)
})

const receiver = () => {
  const applied: Charge[] = []
  const resolve = { apply: async (charge: Charge) => applied.push(charge) > 0, resolve: async () => {} }
  const receive = createWebhook(secret, resolve, createLog('payments', 'silent'))
  const send = (event: object | string, key = secret) => {
    const raw = typeof event === 'string' ? event : JSON.stringify(event)
    const t = Math.floor(Date.now() / 1000)
    const v1 = createHmac('sha256', key).update(`${t}.${raw}`).digest('hex')
    return receive(`t=${t},v1=${v1}`, Buffer.from(raw))
  }
  return { applied, send }
}

const charge: Charge = { id: 'ch_1', status: 'captured', amount: 4800, currency: 'USD', reference: 'p-1' }
const about = (type: string) => ({ id: 'evt_1', type, data: { charge } })

test('captured and declined charges are applied, each time they are told', async () => {
  const { applied, send } = receiver()
  for (const type of ['charge.captured', 'charge.captured', 'charge.declined']) await send(about(type))
  assert.deepEqual(applied, [charge, charge, charge])
})

test('other news is taken and changes nothing', async () => {
  const { applied, send } = receiver()
  for (const type of ['charge.disputed', 'charge.refunded', 'payout.paid']) await send(about(type))
  assert.deepEqual(applied, [])
})

test('news of a type that is not known has any shape', async () => {
  const { applied, send } = receiver()
  for (const grown of [
    { id: 'evt_1', type: 'payout.paid', data: { payout: { id: 'po_1' } } },
    { id: 'evt_1', type: 'payout.paid', data: [] },
    { id: 'evt_1', type: 'account.updated', data: null, version: 2 },
    { type: 'account.updated' },
  ])
    await send(grown)
  assert.deepEqual(applied, [])
})

test('known news may say more than is read of it', async () => {
  const { applied, send } = receiver()
  const more = { id: 'evt_1', type: 'charge.captured', livemode: false, apiVersion: '2027-01-01' }
  await send({ ...more, data: { charge: { ...charge, network: { name: 'x' } }, previous: {} } })
  assert.deepEqual(applied, [charge])
})

test('known news of another shape is refused, so that it is seen', async () => {
  const { applied, send } = receiver()
  const { reference: _, ...anonymous } = charge
  for (const broken of [
    { ...about('charge.captured'), data: { payment: charge } },
    { ...about('charge.captured'), data: { charge: anonymous } },
    { ...about('charge.declined'), data: undefined },
    { ...about('charge.disputed'), data: { charge: 'ch_1' } },
    { id: 'evt_1' },
    'not JSON',
    'null',
  ])
    await assert.rejects(send(broken), { code: 'payments/unreadable-webhook', status: 422 })
  assert.deepEqual(applied, [])
})

test('nothing of an unsigned body is read', async () => {
  const { applied, send } = receiver()
  await assert.rejects(send(about('charge.captured'), 'another-secret'), refused)
  await assert.rejects(send({ nothing: 'of the kind' }, 'another-secret'), refused)
  assert.deepEqual(applied, [])
})
