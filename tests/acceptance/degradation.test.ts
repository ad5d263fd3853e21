import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import mysql from 'mysql2/promise'
import { mint, shop, stack } from '../support/stack.ts'

/** Uncached pages too: each search text is new. */
let searches = 0
const browses = async (): Promise<void> => {
  searches += 1
  const search = await shop.door('GET', `/v1/search?q=tea%20${searches}`)
  assert.equal(search.status, 200, search.text)
  const list = await shop.door('GET', '/v1/products?limit=5')
  assert.equal(list.status, 200, list.text)
}

const orderWithin2s = async (line: Parameters<typeof shop.tryOrder>[1][number]) => {
  const answer = await shop.door('POST', '/v1/orders', {
    token: mint.member().token,
    body: { items: [line], shippingAddress: address },
    withinMs: 2000,
  })
  assert.equal(answer.status, 503, answer.text)
  assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
  assert.ok(answer.headers.get('retry-after'))
  assert.equal(answer.body.status, 503)
}

const address = { name: 'Mei', line1: '1 Long Road', city: 'Xi’an', postalCode: '710000', country: 'CN' }

test('inventory hangs: ordering answers 503 within two seconds, browsing goes on, and ordering heals by itself', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const app = stack.process('inventory')
  await app.kill('SIGSTOP')
  try {
    for (let n = 0; n < 3; n += 1) {
      await orderWithin2s(line)
      await browses()
    }
  } finally {
    await app.kill('SIGCONT')
  }
  await eventually(
    'ordering works again',
    async () => (await shop.tryOrder(mint.member(), [line])).status === 201,
    30_000,
  )
  // What the failed attempts may have reserved comes back: only the one good order holds stock.
  await eventually(
    'no stock is held for orders that never were',
    async () => (await shop.stockOf(line.sku)).reserved === 1,
    30_000,
  )
})

test('MySQL is stopped and started: 503 meanwhile, cached pages go on, and everything heals by itself', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const cached = '/v1/products?limit=5'
  assert.equal((await shop.door('GET', cached)).status, 200)
  const mysql = stack.process('mysql')
  await mysql.stop()
  try {
    await orderWithin2s(line)
    const page = await shop.door('GET', cached)
    assert.equal(page.status, 200, page.text)
  } finally {
    await mysql.start()
    await mysql.ready()
  }
  await eventually(
    'ordering works again',
    async () => (await shop.tryOrder(mint.member(), [line])).status === 201,
    30_000,
  )
  await eventually('searching works again', async () => browses().then(() => true), 30_000)
})

test('a write that takes too long is answered with 503, and is never sent again without its body', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const held = await mysql.createConnection({ uri: stack.mysqlAdminUrl, database: 'inventory' })
  try {
    await held.query('BEGIN')
    await held.query('SELECT * FROM stock WHERE sku = ? FOR UPDATE', [line.sku])
    const answer = await shop.door('PUT', `/v1/stock/${line.sku}/adjustments/${newId()}`, {
      token: await shop.asOperator(),
      body: { delta: 5, reason: 'a slow one' },
    })
    assert.equal(answer.status, 503, answer.text)
  } finally {
    await held.end()
  }
})
