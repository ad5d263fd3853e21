import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { createSidecar, type Sidecar } from './sidecar.ts'
import { startRealSidecar } from './testing/real-sidecar.ts'

const token = 'a-token-of-the-sidecar'
const greet = operation({
  ...{
    app: 'catalog',
    id: 'greet',
    method: 'GET',
    path: '/greeting',
    summary: '',
    access: 'anyone',
    status: 200,
  },
  response: z.object({ from: z.string() }),
})

type Real = Awaited<ReturnType<typeof startRealSidecar>>
let caller: Real
let sidecar: Sidecar
const replica = (from: string) =>
  startRealSidecar({
    ...{ app: 'catalog', token, secrets: {}, items: {}, names: caller.names },
    listener: async (request, response) => {
      if (request.url === '/dapr/subscribe') return response.end('[]')
      await pause(20)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ from }))
    },
  })
before(async () => {
  caller = await startRealSidecar({
    ...{ app: 'gateway', token, secrets: {}, items: {}, policies: 'gateway.yaml' },
    listener: (_, response) => response.end('[]'),
  })
  sidecar = createSidecar({ port: caller.port, token })
})
after(async () => {
  await sidecar?.close()
  await caller?.stop()
})

test('a restart of two replicas in turns refuses no call', async (t) => {
  const replicas = new Map([
    ['one', await replica('one')],
    ['two', await replica('two')],
  ])
  const failures: string[] = []
  const answered = new Map<string, number>()
  let over = false
  let slowest = 0
  const ask = async () => {
    while (!over) {
      const start = performance.now()
      try {
        const { from } = await sidecar.call(greet, {}, { deadlineMs: 1900 })
        answered.set(from, (answered.get(from) ?? 0) + 1)
      } catch (error) {
        failures.push(JSON.stringify((error as Error).cause ?? String(error)).slice(0, 300))
      }
      slowest = Math.max(slowest, performance.now() - start)
    }
  }
  const asking = Array.from({ length: 8 }, ask)
  try {
    for (const name of ['one', 'two']) {
      await pause(500)
      await replicas.get(name)?.terminate()
      await replicas.get(name)?.stop()
      await pause(500)
      replicas.set(name, await replica(name))
    }
    await pause(500)
  } finally {
    over = true
    await Promise.all(asking)
    for (const each of replicas.values()) await each.stop()
  }
  const calls = [...answered.values()].reduce((sum, n) => sum + n, 0)
  t.diagnostic(`${calls} calls, ${failures.length} refused, the slowest took ${Math.round(slowest)} ms`)
  assert.deepEqual([...new Set(failures)], [])
  assert.equal(answered.size, 2)
})
