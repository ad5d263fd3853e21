import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { remoteKeys } from './authenticate.ts'
import { createSidecar, type Sidecar } from './sidecar.ts'
import { type FakeSidecar, startFakeSidecar } from './testing/fake-sidecar.ts'
import { createTokenIssuer } from './testing/token-issuer.ts'

describe('the keys of identity', () => {
  const { publicKey } = createTokenIssuer()
  let fake: FakeSidecar
  let sidecar: Sidecar
  let served: string[] = []
  let reads = 0
  let others: object[] = []
  before(async () => {
    fake = await startFakeSidecar()
    sidecar = createSidecar({ port: fake.port, token: fake.token })
    fake.serve('identity', (request, response) => {
      assert.equal(request.url, '/operations/getKeys')
      reads += 1
      const keys = served.map((kid) => ({ ...publicKey.export({ format: 'jwk' }), kid }))
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: [...others, ...keys] }))
    })
  })
  beforeEach(() => {
    served = ['a']
    reads = 0
    others = []
    fake.heal()
  })
  after(async () => {
    await sidecar.close()
    await fake.stop()
  })

  test('are read once for all that ask at the same time, and then kept', async () => {
    const keys = remoteKeys(sidecar)
    const found = await Promise.all(Array.from({ length: 5 }, () => keys('a')))
    assert.ok(found.every((key) => key?.equals(publicKey)))
    await keys('a')
    assert.equal(reads, 1)
  })

  test('are read beside keys of kinds that are not known', async () => {
    others = [
      { kty: 'AKP', alg: 'ML-DSA-65', kid: 'later', pub: 'x' },
      { kty: 'RSA', kid: 'broken' },
      { kty: 'oct', kid: 'c', k: 'AAAA', key_ops: ['verify'], x5c: ['x'] },
    ]
    const keys = remoteKeys(sidecar)
    assert.ok((await keys('a'))?.equals(publicKey))
    assert.equal(await keys('later'), undefined)
  })

  test('are read again for a key that is not known, but not more than once in five seconds', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    const keys = remoteKeys(sidecar)
    assert.equal(await keys('b'), undefined)
    served = ['a', 'b']
    t.mock.timers.tick(5000)
    assert.equal(await keys('b'), undefined)
    assert.equal(reads, 1)
    t.mock.timers.tick(1)
    assert.ok(await keys('b'))
    assert.equal(reads, 2)
  })

  test('that cannot be read make a caller wait, not a stranger of him; the known ones stay', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    const keys = remoteKeys(sidecar)
    await keys('a')
    fake.fail('invoke')
    t.mock.timers.tick(5001)
    await assert.rejects(keys('b'), { kind: 'unavailable' })
    assert.ok(await keys('a'))
  })
})
