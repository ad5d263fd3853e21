import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { newAddress } from '../support/door.ts'
import { shop, stack } from '../support/stack.ts'

/** The sidecars' own copy of the component. */
const file = join(stack.dir, 'resources/common/ratelimit.yaml')
const text = readFileSync(file, 'utf8')
const [gateway, sidecar] = [stack.process('gateway'), stack.process('gateway.sidecar')]

const restartSidecar = async () => {
  await sidecar.stop()
  await sidecar.start()
  await sidecar.ready()
}

after(async () => {
  writeFileSync(file, text)
  await Promise.all([gateway.stop(), sidecar.stop()])
  await Promise.all([gateway.start(), sidecar.start()])
  await Promise.all([gateway.ready(), sidecar.ready()])
})

/** Each time another client that asks for another thing. */
let asked = 0
const ask = () => {
  asked += 1
  return shop.door('GET', `/v1/availability?skus=NEVER-SOLD-${asked}`, {
    headers: { 'x-forwarded-for': newAddress() },
  })
}

test('beyond an operation’s limit, of all callers together, it is 429 with a time to come again; the others go on', async () => {
  // One at once, and another in ten seconds.
  writeFileSync(file, text.replace(/value: "\d+"/, 'value: "0.1"'))
  await restartSidecar()
  // The first may be used up by a try that reached nobody, since nobody was known yet.
  await eventually('one is served', async () => (await ask()).status === 200)
  const refused = await eventually('the limit is reached', async () => {
    const answer = await ask()
    return answer.status === 429 && answer
  })
  assert.equal(refused.headers.get('content-type'), 'application/problem+json')
  assert.equal(refused.headers.get('retry-after'), '1')
  const { traceId, ...problem } = refused.body
  assert.match(traceId, /^[0-9a-f]{32}$/)
  assert.deepEqual(problem, {
    type: 'urn:caravan:problem:inventory:too-many-requests',
    title: 'Too many requests',
    status: 429,
    code: 'inventory/too-many-requests',
    detail: 'Too many ask for this: try again in a moment',
  })
  assert.equal((await shop.door('GET', '/v1/search?q=tea')).status, 200)
  const { text: metrics } = await shop.door('GET', '/metrics')
  assert.match(metrics, /^rate_limit_refusals_total\{limit="operation"\} [1-9]/m)
  writeFileSync(file, text)
  await restartSidecar()
  assert.equal((await ask()).status, 200)
})

test('a gateway whose sidecar has lost its limit does not start, and says why', async () => {
  await Promise.all([gateway.stop(), sidecar.stop()])
  rmSync(file)
  // The sidecar is not ready before its app is.
  await Promise.all([gateway.start(), sidecar.start()])
  await eventually('it says so', () => /\(ratelimit\) is not loaded/.test(stack.logs('gateway')), 60_000)
  await assert.rejects(shop.door('GET', '/healthz'))
})
