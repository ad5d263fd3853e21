import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentDigest } from '@caravan/service-kit/content-digest'
import { AppError } from '@caravan/service-kit/errors'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { createForward } from './forward.ts'

const forwardTo = (status: number, headers: Record<string, string>, body = '') => {
  const invoke = (async () => {
    return {
      ...{ statusCode: status, body: new Response(body) },
      headers: { 'content-digest': contentDigest(body), ...headers },
    }
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

test('a document keeps its type and its name', async () => {
  const named = { 'content-type': 'application/pdf', 'content-disposition': 'attachment; filename="1.pdf"' }
  const { headers } = await forwardTo(200, named, '%PDF-1.7')('orders', request)
  assert.deepEqual(headers, {
    'Content-Type': 'application/pdf',
    'Content-Disposition': 'attachment; filename="1.pdf"',
  })
})

test('what the sidecar says becomes a problem of the API', async () => {
  const cases = [
    [401, 'auth/invalid-token', 401],
    [429, 'orders/too-many-requests', 429],
    [500, 'orders/unavailable', 503],
    [404, 'orders/unavailable', 503],
    [400, 'request/malformed', 400],
    [431, 'request/headers-too-large', 431],
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

test('an answer of which a part is missing, or that does not say what it is to be, makes the app unavailable', async () => {
  const type = { 'content-type': 'application/json' }
  const whole = contentDigest('{"n":12}')
  for (const [digest, body] of [
    [whole, '{"n":12'],
    [whole, ''],
    ['', '{"n":12}'],
    [`sha-512=:${'A'.repeat(88)}:`, '{"n":12}'],
    [contentDigest('another'), '{"n":12}'],
  ] as const)
    for (const status of [200, 201])
      await assert.rejects(
        forwardTo(status, { ...type, 'content-digest': digest }, body)('catalog', request),
        { code: 'catalog/unavailable', status: 503 },
        `${digest} ${body}`,
      )
  for (const digest of [whole, `sha-512=:${'A'.repeat(88)}:, ${whole}`]) {
    const forward = forwardTo(200, { ...type, 'content-digest': digest }, '{"n":12}')
    assert.equal((await forward('catalog', request)).body.toString(), '{"n":12}')
  }
  assert.equal((await forwardTo(204, { 'content-digest': '' })('catalog', request)).status, 204)
})
