import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { openDoor } from '../support/door.ts'
import { shop, stack } from '../support/stack.ts'

/** The names of the groups of a topic in the stack's Redis. */
const groupsOf = async (topic: string): Promise<string[]> => {
  const socket = connect(Number(stack.process('redis').ports.redis), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk))
  socket.write(`AUTH ${stack.secrets['redis-password']}\r\nXINFO GROUPS ${topic}\r\nQUIT\r\n`)
  await once(socket, 'close')
  return [...answer.matchAll(/\$4\r\nname\r\n\$\d+\r\n([^\r]+)/g)].map(([, name]) => String(name)).sort()
}

test('a replica that is killed and started again leaves no consumer group behind, and hears what it did', async () => {
  const before = { products: await groupsOf('product.changed'), access: await groupsOf('access.changed') }
  assert.equal(
    before.products.filter((name) => name.startsWith('gateway')).length,
    2,
    String(before.products),
  )
  for (let n = 0; n < 3; n += 1)
    for (const name of ['gateway', 'gateway-2']) {
      const both = [name, `${name}.sidecar`].map((each) => stack.process(each))
      await Promise.all(both.map((each) => each.kill('SIGKILL')))
      await Promise.all(both.map((each) => each.stop()))
      await Promise.all(both.map((each) => each.start()))
      await Promise.all(both.map((each) => each.ready()))
    }
  const later = { products: await groupsOf('product.changed'), access: await groupsOf('access.changed') }
  assert.deepEqual(later, before)

  const doors = stack.urls.map(openDoor)
  const lists = () => Promise.all(doors.map((door) => door('GET', '/v1/products?category=tests')))
  const known = await lists()
  await shop.newLines([0])
  // A list that heard of nothing is shown for 50 s at least.
  const toldWithinMs = 40_000
  await eventually(
    'both gateways show the new product',
    async () => (await lists()).every(({ text }, n) => text !== known[n]?.text),
    toldWithinMs,
  )
})
