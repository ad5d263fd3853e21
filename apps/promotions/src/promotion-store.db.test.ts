import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promotion, promotionChanged } from '@caravan/contracts/promotions'
import type { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { createLog } from '@caravan/service-kit/log'
import { createOutbox } from '@caravan/service-kit/outbox'
import { fill, plansOf } from '@caravan/service-kit/testing/plans-of'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { createPromotionStore, type PromotionContent, type PromotionStore } from './promotion-store.ts'

let database: TestDatabase
let promotions: PromotionStore

before(async () => {
  database = await createTestDatabase(new URL('../migrations/', import.meta.url))
  const { db } = database
  const log = createLog('promotions', 'silent')
  const sidecar = { publish: async () => new Set<string>() }
  promotions = createPromotionStore(db, createOutbox({ name: 'promotions', db, sidecar, log }))
})
after(() => database.drop())

const content: PromotionContent = {
  name: { en: 'Two euros off', zh: '减两欧元' },
  trigger: 'code',
  status: 'active',
  window: { timeZone: 'Europe/Berlin', from: '2026-12-24T18:00' },
  currency: 'EUR',
  conditions: { leastSpend: 2000, firstOrder: true },
  effect: { kind: 'amount', amount: 200, of: 'order' },
  priority: 0,
  combination: 'stacked',
  limits: { uses: 10, budget: 1500 },
}
const from = '2026-12-24T17:00:00.000Z'
const put = (id: string, changed: Partial<PromotionContent> = {}, precondition = (_: unknown) => {}) =>
  promotions.put(id, { ...content, ...changed }, { from }, precondition)
const told = async (id: string) => {
  const rows: { topic: string; data: string }[] = await database
    .db('outbox')
    .where({ event_key: id })
    .orderBy('seq')
  return rows.map(({ topic, data }) => [topic, JSON.parse(data)])
}

test('each change is the next version and is told whole; the same again changes nothing', async () => {
  const id = newId()
  const first = await put(id)
  assert.partialDeepStrictEqual(first, { ...content, id, version: 1, from })
  assert.deepEqual(promotion.parse(first), first)
  assert.deepEqual(await put(id), first)
  const second = await put(id, { status: 'paused' })
  assert.deepEqual([second.version, second.createdAt], [2, first.createdAt])
  assert.deepEqual(await promotions.get(id), second)
  const { topic } = promotionChanged
  assert.deepEqual(await told(id), [
    [topic, first],
    [topic, second],
  ])
})

test('a zone whose rules are others by now makes another version of the same content', async () => {
  const id = newId()
  await put(id)
  const moved = await promotions.put(id, content, { from: '2026-12-24T16:00:00.000Z' }, () => {})
  assert.deepEqual([moved.version, moved.from], [2, '2026-12-24T16:00:00.000Z'])
})

test('trigger and currency are as they began', async () => {
  const id = newId()
  await put(id)
  await assert.rejects(put(id, { trigger: 'automatic', currency: 'USD' }), (error: AppError) => {
    assert.deepEqual([error.code, error.status], ['promotions/fixed', 409])
    assert.deepEqual(
      error.details.errors?.map(({ pointer }) => pointer),
      ['/trigger', '/currency'],
    )
    return true
  })
  assert.equal((await promotions.get(id)).version, 1)
})

test('a limit is not set under what is given by now', async () => {
  const id = newId()
  await put(id)
  await database.db('promotions').where({ id }).update({ used: 3, spent: 450 })
  await assert.rejects(put(id, { limits: { uses: 2, budget: 449 } }), (error: AppError) => {
    assert.deepEqual([error.code, error.status], ['promotions/limit-passed', 409])
    assert.deepEqual(
      error.details.errors?.map(({ pointer }) => pointer),
      ['/limits/uses', '/limits/budget'],
    )
    return true
  })
  assert.equal((await put(id, { limits: { uses: 3, budget: 450 } })).version, 2)
  assert.equal((await put(id, { limits: {} })).version, 3)
})

test('a write is under its precondition, which sees what is there', async () => {
  const id = newId()
  const seen: unknown[] = []
  const first = await put(id, {}, (current) => seen.push(current))
  await put(id, { priority: 1 }, (current) => seen.push(current))
  assert.deepEqual(seen, [undefined, first])
  const refuse = () => {
    throw new Error('no')
  }
  await assert.rejects(put(id, { priority: 2 }, refuse), /no/)
  await assert.rejects(put(newId(), {}, refuse), /no/)
  assert.equal((await promotions.get(id)).priority, 1)
})

test('ten first writes at once are one version each, in turn', async () => {
  const id = newId()
  const written = await Promise.all(Array.from({ length: 10 }, (_, n) => put(id, { priority: n })))
  assert.deepEqual(
    written.map(({ version }) => version).sort((a, b) => a - b),
    Array.from({ length: 10 }, (_, n) => n + 1),
  )
  assert.equal((await told(id)).length, 10)
})

test('what is not there is 404', () =>
  assert.rejects(promotions.get(newId()), { code: 'promotions/not-found', status: 404 }))

test('every promotion is listed once, with what it gave', async () => {
  const ids = [newId(), newId(), newId()]
  for (const id of ids) await put(id)
  await database.db('promotions').where({ id: ids[1] }).update({ used: 3, spent: 450 })
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await promotions.list(2, after)
    seen.push(...page.data.map(({ id }) => id))
    const used = page.data.find(({ id }) => id === ids[1])
    if (used) assert.deepEqual([used.used, used.spent], [3, 450])
    after = page.next
    assert.equal(page.hasMore, after !== undefined)
    if (!after) break
  }
  assert.deepEqual(seen, seen.toSorted())
  assert.equal(new Set(seen).size, seen.length)
  for (const id of ids) assert.ok(seen.includes(id))
})

test('all that changed since a moment is read page by page, also what nobody was told of', async () => {
  const { until } = await promotions.changes({ limit: 1 })
  await pause(5)
  const ids = [newId(), newId(), newId()]
  for (const id of ids) await put(id)
  await pause(5)
  await put(ids[0] as string, { priority: 7 })
  const read: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await promotions.changes({ since: until, after, limit: 1 })
    read.push(...page.data.map(({ id, priority }) => `${id} ${priority}`))
    after = page.next
    if (!after) break
  }
  assert.deepEqual(read, [`${ids[1]} 0`, `${ids[2]} 0`, `${ids[0]} 7`])
})

test('a redemption is no change', async () => {
  const id = newId()
  await put(id)
  await pause(5)
  const { until } = await promotions.changes({ limit: 1 })
  await database.db('promotions').where({ id }).update({ used: 1 })
  assert.deepEqual((await promotions.changes({ since: until, limit: 100 })).data, [])
})

test('changes are read in the order of an index, among many', async () => {
  const now = new Date()
  const rows = Array.from({ length: 3000 }, (_, n) => ({
    ...{ id: newId(), version: 1, triggered_by: 'code', status: 'active' },
    ...{ content: JSON.stringify(content), created_at: now, updated_at: now },
    changed_at: new Date(now.getTime() - n * 60_000),
  }))
  await fill(database.db, 'promotions', rows)
  const since = new Date(now.getTime() - 600_000).toISOString()
  const [, step] = await plansOf(database.db, () => promotions.changes({ since, limit: 25 }))
  assert.partialDeepStrictEqual(step, { table: 'promotions', key: 'changes', type: 'range' })
  assert.doesNotMatch(String(step?.Extra), /filesort/)
})
