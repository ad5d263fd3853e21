import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { operation } from '@caravan/contracts/operation'
import { z } from 'zod'
import { createSidecar } from './sidecar.ts'

const ask = operation({
  ...{ app: 'other', id: 'ask', method: 'GET', path: '/v1/ask', summary: '' },
  ...{ access: 'anyone', status: 200, response: z.object({ n: z.number() }) },
})

const listenAt = async (t: TestContext, port: number, listener: RequestListener): Promise<number> => {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const sidecarAt = (t: TestContext, port: number) => {
  const sidecar = createSidecar({ port, token: 'a-token' })
  t.after(() => sidecar.close())
  return sidecar
}
/** Answers what is left of these first, then the question. */
const answers = (first: unknown[]): { listener: RequestListener; asked: () => number } => {
  let asked = 0
  const listener: RequestListener = (_, response) => {
    asked += 1
    const [refusal] = first.splice(0, 1)
    response.writeHead(refusal ? 500 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refusal ?? { n: 1 }))
  }
  return { listener, asked: () => asked }
}
const failed = (message: string) => ({ errorCode: 'ERR_DIRECT_INVOKE', message })

test('a call waits for its own sidecar, which starts again', async (t) => {
  const away = createServer().listen(0, '127.0.0.1')
  await once(away, 'listening')
  const { port } = away.address() as AddressInfo
  await new Promise((closed) => away.close(closed))
  const answer = sidecarAt(t, port).call(ask, {}, { deadlineMs: 60_000 })
  await listenAt(t, port, answers([]).listener)
  assert.deepEqual(await answer, { n: 1 })
  await assert.rejects(sidecarAt(t, 1).call(ask, {}, { deadlineMs: 300 }), { code: 'sidecar/unavailable' })
})

test('what met no living sidecar of the app is asked again', async (t) => {
  for (const message of [
    'failed to invoke, id: other, err: rpc error: code = Unavailable desc = the server is stopping',
    'rpc error: code = Canceled desc = grpc: the client connection is closing',
    'error invoking app channel: dial tcp 127.0.0.1:7: connect: connection refused',
  ]) {
    const { listener, asked } = answers([failed(message), failed(message)])
    const sidecar = sidecarAt(t, await listenAt(t, 0, listener))
    assert.deepEqual(await sidecar.call(ask, {}, { deadlineMs: 60_000 }), { n: 1 })
    assert.equal(asked(), 3, message)
  }
})

test('what may have been done is asked once', async (t) => {
  for (const answer of [
    failed('rpc error: code = DeadlineExceeded desc = context deadline exceeded'),
    { errorCode: 'ERR_OTHER', message: 'code = Unavailable' },
    {},
  ]) {
    const { listener, asked } = answers([answer])
    const sidecar = sidecarAt(t, await listenAt(t, 0, listener))
    await assert.rejects(sidecar.call(ask, {}), { code: 'other/unavailable' })
    assert.equal(asked(), 1)
  }
})
