import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '@caravan/service-kit/errors'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { createForward } from './forward.ts'

const forwardTo = (status: number, headers: Record<string, string>, body = '') => {
  const invoke = (async () => {
    return { statusCode: status, headers, body: new Response(body) }
  }) as unknown as Sidecar['invoke']
  return createForward({ invoke })
}
const request = { method: 'GET', path: '/v1/me', headers: {} } as const

test('an app’s answer passes as it is, with the listed headers only', async () => {
  const problem = { 'content-type': 'application/problem+json', 'retry-after': '3', 'x-internal': '1' }
  const forward = forwardTo(409, problem, '{"code":"orders/price-changed"}')
  const answer = await forward('orders', request)
  assert.equal(answer.status, 409)
  assert.deepEqual(answer.headers, { 'Content-Type': 'application/problem+json', 'Retry-After': '3' })
  assert.equal(answer.body.toString(), '{"code":"orders/price-changed"}')
})

test('what the sidecar says becomes a problem of the API', async () => {
  const cases = [
    [401, 'auth/invalid-token', 401],
    [500, 'orders/unavailable', 503],
    [404, 'orders/unavailable', 503],
  ] as const
  for (const [status, code, shown] of cases) {
    const forward = forwardTo(status, { 'content-type': 'text/plain' }, 'from the sidecar')
    await assert.rejects(forward('orders', request), { code, status: shown })
  }
})

test('a sidecar that is not reached makes the app unavailable', async () => {
  const invoke = () => Promise.reject(new AppError('unavailable', 'sidecar/unavailable', 'no'))
  await assert.rejects(createForward({ invoke })('orders', request), {
    code: 'orders/unavailable',
    status: 503,
  })
})
