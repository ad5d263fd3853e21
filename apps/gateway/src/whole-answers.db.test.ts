import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { contentDigest } from '@caravan/service-kit/content-digest'
import { createSidecar, type Sidecar } from '@caravan/service-kit/sidecar'
import { startRealSidecar } from '@caravan/service-kit/testing/real-sidecar'
import { createForward } from './forward.ts'
import { createReadCache } from './read-cache.ts'

/** An app that dies at a point of its answer, or does not, behind a sidecar. */
type Death = (response: ServerResponse) => void
let dies: Death | undefined
let version = 1
const token = 'a-token-of-the-sidecar'
const page = () => JSON.stringify({ data: Array.from({ length: 5000 }, (_, n) => ({ n, version })) })

let real: Awaited<ReturnType<typeof startRealSidecar>>
let sidecar: Sidecar
before(async () => {
  real = await startRealSidecar({
    ...{ app: 'catalog', token, secrets: {}, items: {} },
    listener: (request, response) => {
      if (request.url === '/dapr/subscribe') return response.end('[]')
      const whole = page()
      const told = request.headers['x-untold'] ? {} : { 'content-digest': contentDigest(whole) }
      response.writeHead(200, { 'content-type': 'application/json', ...told })
      const death = dies
      if (!death) return response.end(whole)
      return response.write(whole.slice(0, 80_000), () => death(response))
    },
  })
  sidecar = createSidecar({ port: real.port, token })
  await sidecar.ready(10_000)
})
after(async () => {
  await sidecar?.close()
  await real?.stop()
})

const deaths: Record<string, Death> = {
  'ends the connection': (response) => response.destroy(),
  'resets the connection': (response) => response.socket?.resetAndDestroy(),
}

const open = () => {
  let time = 0
  const cache = createReadCache({ now: () => time })
  const forward = createForward(sidecar)
  const headers: Record<string, string> = {}
  return {
    headers,
    read: () =>
      cache.read('/v1/products', 'list', () =>
        forward('catalog', { method: 'GET', path: '/v1/products', headers }),
      ),
    cache,
    later: (ms: number) => {
      time += ms
    },
  }
}

for (const [name, death] of Object.entries(deaths))
  test(`an app that ${name} in the middle of a page is unavailable, and no part of the page is kept`, async () => {
    const { read, cache } = open()
    dies = death
    try {
      for (let n = 0; n < 3; n += 1)
        await assert.rejects(read(), { code: 'catalog/unavailable', status: 503 })
      assert.equal(cache.size(), 0)
    } finally {
      dies = undefined
    }
    assert.equal((await read()).body.toString(), page())
  })

test('the page that was whole stands in for one that breaks off, and is replaced by the next whole one', async () => {
  const { read, later } = open()
  const first = page()
  assert.equal((await read()).body.toString(), first)
  version += 1
  later(61_000)
  dies = deaths['ends the connection']
  try {
    assert.equal((await read()).body.toString(), first)
  } finally {
    dies = undefined
  }
  later(10_000)
  assert.equal((await read()).body.toString(), page())
})

test('a page that does not say its digest is not believed', async () => {
  const { read, cache, headers } = open()
  headers['x-untold'] = '1'
  await assert.rejects(read(), { code: 'catalog/unavailable' })
  assert.equal(cache.size(), 0)
})
