import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import { assertPipeline } from './assert-pipeline.ts'

const answering = (statusCode: number, headers: Record<string, string>) => {
  let asked = 0
  const invoke = (async () => {
    asked += 1
    if (asked === 1) throw new Error('not listening yet')
    return { statusCode, headers, body: { dump: async () => {} } }
  }) as unknown as Sidecar['invoke']
  return { invoke }
}
const counted = { 'x-rate-limit-limit': '500.00' }

test('a start waits for the sidecar, and goes on when a call without a token is counted and refused', async () => {
  await assertPipeline(answering(401, counted), 5000)
})

test('a start fails when the sidecar lets a call without a token pass, or counts none', async () => {
  for (const status of [200, 403, 500])
    await assert.rejects(assertPipeline(answering(status, counted), 5000), /\(bearer\) is not loaded/)
  for (const status of [401, 200])
    await assert.rejects(assertPipeline(answering(status, {}), 5000), /\(ratelimit\) is not loaded/)
})

test('a start fails when the sidecar does not answer in time', async () => {
  const invoke: Sidecar['invoke'] = () => Promise.reject(new Error('nobody listens'))
  await assert.rejects(assertPipeline({ invoke }, 0), /nobody listens/)
})
