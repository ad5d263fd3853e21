import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { isFree, portHolder, portPool } from './ports.ts'

const listen = async (t: { after: (end: () => void) => void }) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('a pool never gives the same port twice, nor one that is reserved', async () => {
  const pool = portPool()
  const reserved = await pool.take()
  const other = portPool()
  other.reserve(reserved)
  const ports = await Promise.all(Array.from({ length: 200 }, () => other.take()))
  assert.equal(new Set(ports).size, 200)
  assert.ok(!ports.includes(reserved))
  assert.notEqual(await other.take(reserved), reserved)
})

test('ports are below those that the system gives to outgoing connections', async () => {
  const pool = portPool()
  for (let count = 0; count < 50; count++) assert.ok((await pool.take()) < 32_768)
})

test('a wanted port that is taken gives way to another', async (t) => {
  const taken = await listen(t)
  assert.equal(await isFree(taken), false)
  assert.notEqual(await portPool().take(taken), taken)
})

test('the process that holds a port is named, where a tool for it is installed', async (t) => {
  const holder = portHolder(await listen(t))
  if (holder) assert.match(holder, new RegExp(`pid ${process.pid}\\)`))
})
