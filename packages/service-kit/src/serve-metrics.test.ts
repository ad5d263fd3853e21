import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { serveMetrics } from './serve-metrics.ts'

test('metrics are told at a port of their own, and a port that is taken ends the start', async (t) => {
  const server = await serveMetrics(0, '127.0.0.1')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(await answer.text(), /^# TYPE http_request_duration_seconds histogram$/m)
  await assert.rejects(serveMetrics(port, '127.0.0.1'), { code: 'EADDRINUSE' })
})
