import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '@caravan/service-kit/authenticate'
import type { Once } from '@caravan/service-kit/idempotency'
import type { Log } from '@caravan/service-kit/log'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { createPayOrder } from './pay-order.ts'
import type { PaymentStore, StoredPayment } from './payment-store.ts'
import { type ChargeOutcome, createProvider } from './provider.ts'

const id = '0192f3a4-5b6c-7d8e-8f90-a1b2c3d4e5f6'
const caller: Caller = { kind: 'member', id, roles: [], authorization: 'Bearer x' }
const order = { id, status: 'pending-payment', total: 1999, currency: 'USD' }

const bodyOf = (value: object) => ({ bytes: async () => Buffer.from(JSON.stringify(value)) })

/** One payment: `live` is what the order has already, `outcome` what the provider says. */
const pay = async (outcome: ChargeOutcome, live?: Partial<StoredPayment>) => {
  const done: string[] = []
  const payments = {
    open: async () => live && { id, status: 'processing', amount: 1999, currency: 'USD', ...live },
    decline: async (_: string, code: string) => void done.push(`declined ${code}`),
    withdraw: async () => void done.push('withdrawn'),
  } as unknown as PaymentStore
  const sidecar = { call: async () => order } as unknown as Sidecar
  const log = { error: () => void done.push('logged') } as unknown as Log
  const provider = { charge: async () => outcome } as unknown as ReturnType<typeof createProvider>
  const refused = await createPayOrder(payments, provider, sidecar, log)(caller, id, 'pm_x', {
    id,
  } as Once).then(
    () => 'paid',
    ({ status, code }) => `${status} ${code}`,
  )
  return [refused, ...done]
}

test('a declined card is declined for good', async () => {
  assert.deepEqual(await pay({ outcome: 'declined', declineCode: 'expired_card' }), [
    ...['402 payments/card-declined', 'declined expired_card'],
  ])
})

test('a refusal of our request leaves no payment; but where an earlier try may have been charged, it is left to be resolved', async () => {
  const refused = { outcome: 'refused', status: 401, code: 'psp/unauthenticated' } as const
  assert.deepEqual(await pay(refused), ['503 payments/provider-refused', 'logged', 'withdrawn'])
  assert.deepEqual(await pay(refused, {}), ['503 payments/provider-refused', 'logged'])
})

test('a payment that was given up is told as that, not as a declined card', async () => {
  const given = { status: 'declined', declineCode: 'provider_unreachable' } as const
  assert.deepEqual(await pay({ outcome: 'unknown' }, given), ['409 payments/given-up'])
})

test('of the provider’s refusals only 402 is about the card, and none that may have had an effect is taken for one that had none', async () => {
  for (const [status, code, outcome] of [
    [400, 'psp/idempotency-key-missing', 'refused'],
    [401, 'psp/unauthenticated', 'refused'],
    [402, 'psp/card-declined', 'declined'],
    [404, 'psp/payment-method-not-found', 'no-such-method'],
    [404, 'psp/no-such-route', 'refused'],
    [409, 'psp/idempotency-key-in-flight', 'unknown'],
    [413, 'psp/body-too-large', 'refused'],
    [422, 'psp/invalid-request', 'refused'],
    [422, 'psp/idempotency-key-reused', 'unknown'],
    [429, 'psp/too-many', 'unknown'],
    [500, 'psp/internal-error', 'unknown'],
  ] as const) {
    const invoke = async () => ({ statusCode: status, body: bodyOf({ code }) })
    const provider = createProvider({ invoke } as unknown as Sidecar)
    const request = { paymentId: id, amount: 1999, currency: 'USD', paymentMethod: 'pm_x' }
    assert.equal((await provider.charge(request)).outcome, outcome, `${status} ${code}`)
  }
})

test('a code that the provider makes up is kept as far as its column goes', async () => {
  const body = bodyOf({ code: 'psp/card-declined', declineCode: `é${'x'.repeat(100)}` })
  const provider = createProvider({ invoke: async () => ({ statusCode: 402, body }) } as unknown as Sidecar)
  const request = { paymentId: id, amount: 1999, currency: 'USD', paymentMethod: 'pm_x' }
  assert.deepEqual(await provider.charge(request), { outcome: 'declined', declineCode: `?${'x'.repeat(63)}` })
})
