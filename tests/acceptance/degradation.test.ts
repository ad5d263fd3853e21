import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@caravan/service-kit/ids'
import { eventually } from '@caravan/service-kit/testing/eventually'
import mysql from 'mysql2/promise'
import type { Line } from '../support/shop.ts'
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

const timed = async <T>(work: () => Promise<T>) => {
  const begun = performance.now()
  return { answer: await work(), ms: performance.now() - begun }
}

/** Places three orders, and gives what this machine takes for one while nothing hangs, with room for its moods. */
const usualMs = async (line: Line): Promise<number> => {
  const took: number[] = []
  for (let n = 0; n < 3; n += 1) {
    const { answer, ms } = await timed(() => shop.tryOrder(mint.member(), [line]))
    assert.equal(answer.status, 201, answer.text)
    took.push(ms)
  }
  return 4 * Math.max(...took)
}

/** Three orders are refused, the second slowest of them within two seconds beside what is usual. */
const refusedWithin2s = async (line: Line, usual: number) => {
  const took: number[] = []
  for (let n = 0; n < 3; n += 1) {
    const { answer, ms } = await timed(() => shop.tryOrder(mint.member(), [line]))
    assert.equal(answer.status, 503, answer.text)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
    assert.ok(answer.headers.get('retry-after'))
    assert.equal(answer.body.status, 503)
    took.push(ms)
  }
  took.sort((a, b) => a - b)
  assert.ok((took[1] ?? 0) < 2000 + usual, `${took.map(Math.round)} ms, where ${Math.round(usual)} are usual`)
}

test('inventory hangs: ordering answers 503 within two seconds, browsing goes on, and ordering heals by itself', async () => {
  const [line, other] = await shop.newLines([20, 20])
  assert.ok(line && other)
  const usual = await usualMs(other)
  const app = stack.process('inventory')
  await app.kill('SIGSTOP')
  try {
    await browses()
    await refusedWithin2s(line, usual)
    await browses()
  } finally {
    await app.kill('SIGCONT')
  }
  await eventually(
    'ordering works again',
    async () => (await shop.tryOrder(mint.member(), [line])).status === 201,
  )
  // What the failed attempts may have reserved comes back: only the one good order holds stock.
  await eventually(
    'no stock is held for orders that never were',
    async () => (await shop.stockOf(line.sku)).reserved === 1,
  )
})

test('MySQL is stopped and started: 503 meanwhile, cached pages go on, and everything heals by itself', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const usual = await usualMs(line)
  const cached = '/v1/products?limit=5'
  assert.equal((await shop.door('GET', cached)).status, 200)
  const mysql = stack.process('mysql')
  await mysql.stop()
  try {
    await refusedWithin2s(line, usual)
    const page = await shop.door('GET', cached)
    assert.equal(page.status, 200, page.text)
  } finally {
    await mysql.start()
    await mysql.ready()
  }
  await eventually(
    'ordering works again',
    async () => (await shop.tryOrder(mint.member(), [line])).status === 201,
  )
  await eventually('searching works again', async () => browses().then(() => true))
})

test('a write that takes too long is answered with 503, and is never sent again without its body', async () => {
  const [line] = await shop.newLines([20])
  assert.ok(line)
  const held = await mysql.createConnection({
    uri: stack.mysqlAdminUrl,
    database: 'inventory',
    connectTimeout: 60_000,
  })
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
