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

test('pools never give the same port, though nobody listens there yet, nor one that is reserved', async (t) => {
  const pools = Array.from({ length: 4 }, portPool)
  t.after(() => {
    for (const pool of pools) pool.close()
  })
  const ports = (
    await Promise.all(pools.flatMap((pool) => Array.from({ length: 150 }, () => pool.take())))
  ).flat()
  assert.equal(new Set(ports).size, 600)
  const reserved = await portPool().take()
  pools[0]?.reserve(reserved)
  assert.notEqual(await pools[0]?.take(reserved), reserved)
})

test('ports are below those that the system gives to outgoing connections', async (t) => {
  const pool = portPool()
  t.after(pool.close)
  for (let count = 0; count < 250; count++) assert.ok((await pool.take()) < 32_768)
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
