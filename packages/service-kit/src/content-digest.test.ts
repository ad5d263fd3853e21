import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import Koa from 'koa'
import { contentDigest, isWhole, tellDigest } from './content-digest.ts'

const app = new Koa()
app.use(tellDigest)
app.use((ctx) => {
  if (ctx.path === '/empty') ctx.status = 204
  else if (ctx.path === '/object') ctx.body = { text: '汉' }
  else if (ctx.path === '/bytes') ctx.body = Buffer.from([0xff, 0])
  else if (ctx.path === '/text') ctx.body = 'é'
})
const server = createServer(app.callback()).listen(0, '127.0.0.1')
await once(server, 'listening')
after(() => {
  server.closeAllConnections()
  server.close()
})
const ask = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
  return { bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers }
}

test('the digest is that of RFC 9530’s own example', () => {
  assert.equal(
    contentDigest('{"hello": "world"}\n'),
    'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  )
})

test('every answer with a body says its digest, and keeps its type', async () => {
  for (const [path, type] of [
    ['/object', 'application/json; charset=utf-8'],
    ['/bytes', 'application/octet-stream'],
    ['/text', 'text/plain; charset=utf-8'],
  ] as const) {
    const { bytes, headers } = await ask(path)
    assert.equal(headers.get('content-digest'), contentDigest(bytes), path)
    assert.equal(headers.get('content-type'), type)
  }
  assert.equal((await ask('/empty')).headers.get('content-digest'), null)
})

test('no part of an answer passes for the whole', () => {
  const whole = Buffer.from('{"data":[1,2,3]}')
  const told = contentDigest(whole)
  assert.ok(isWhole(whole, told))
  for (let length = 0; length < whole.length; length += 1)
    assert.ok(!isWhole(whole.subarray(0, length), told), `${length} bytes`)
  assert.ok(!isWhole(whole, undefined))
})
