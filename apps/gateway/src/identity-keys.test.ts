import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { createSidecar, type Sidecar } from '@caravan/service-kit/sidecar'
import { type FakeSidecar, startFakeSidecar } from '@caravan/service-kit/testing/fake-sidecar'
import { createTokenIssuer } from '@caravan/service-kit/testing/token-issuer'
import { identityKeys } from './identity-keys.ts'

const issuer = createTokenIssuer()
let fake: FakeSidecar
let sidecar: Sidecar
before(async () => {
  fake = await startFakeSidecar()
  sidecar = createSidecar({ port: fake.port, token: fake.token })
})
after(async () => {
  await sidecar.close()
  await fake.stop()
})

test('keys are asked for with the anonymous token, which the sidecar wants for every call', async () => {
  const seen: unknown[] = []
  fake.serve('identity', (request, response) => {
    seen.push(request.headers.authorization)
    const keys = [{ ...issuer.publicKey.export({ format: 'jwk' }), kid: 'a' }]
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  const key = await identityKeys(sidecar, { current: () => 'nobody' })('a')
  assert.ok(key?.equals(issuer.publicKey))
  assert.deepEqual(seen, ['Bearer nobody'])
})

test('an identity that hangs holds a request up for half a second, not for the sidecar’s patience', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked = Promise.withResolvers<ServerResponse>()
  fake.serve('identity', (_, response) => asked.resolve(response))
  let outcome: unknown
  const wanted = identityKeys(sidecar, { current: () => 'nobody' })('b')
  const settled = wanted.catch((error) => {
    outcome = error.kind
  })
  const response = await asked.promise
  t.mock.timers.tick(500)
  for (let turn = 0; turn < 100 && !outcome; turn += 1) await new Promise(setImmediate)
  response.end()
  assert.equal(outcome, 'unavailable')
  await settled
})
