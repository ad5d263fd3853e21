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
    `t=${seconds},v1=${known.toUpperCase()}`,
    `t=,v1=${known}`,
    `t=${seconds},v0=${known}`,
    `t=${seconds},v1=${known},v1=${known}`,
    ` t=${seconds},v1=${known}`,
  ])
    assert.throws(() => verify(header), refused, header)
})

const receiver = () => {
  const applied: Charge[] = []
  const resolve = { apply: async (charge: Charge) => void applied.push(charge), resolve: async () => {} }
  const receive = createWebhook(secret, resolve, createLog('payments', 'silent'))
  const send = (event: object, key = secret) => {
    const raw = JSON.stringify(event)
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

test('nothing of an unsigned body is read', async () => {
  const { applied, send } = receiver()
  await assert.rejects(send(about('charge.captured'), 'another-secret'), refused)
  await assert.rejects(send({ nothing: 'of the kind' }, 'another-secret'), refused)
  assert.deepEqual(applied, [])
})
