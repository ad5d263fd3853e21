import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { AuditEntry } from '@caravan/contracts/audit'
import { transaction } from '@caravan/service-kit/database'
import { newId } from '@caravan/service-kit/ids'
import { createTestDatabase, type TestDatabase } from '@caravan/service-kit/testing/test-database'
import { type AuditLog, createAuditLog } from './audit-log-store.ts'

describe('the audit log', () => {
  let database: TestDatabase
  let log: AuditLog

  before(async () => {
    database = await createTestDatabase(new URL('../../migrations/', import.meta.url))
    log = createAuditLog(database.db)
  })
  after(() => database.drop())
  beforeEach(async () => {
    await database.db('audit_entries').delete()
    await database.db.raw("UPDATE audit_head SET seq = 0, hash = REPEAT('0', 64)")
  })

  const entry = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
    ...{ id: newId(), at: new Date().toISOString(), actor: 'mei', action: 'ban', object: 'account 1' },
    ...{ outcome: 'done', address: '203.0.113.7', traceId: '' },
    ...changes,
  })
  const append = (one: AuditEntry) => transaction(database.db, (tx) => log.append(tx, one))
  const appendMany = async (count: number) => {
    for (let n = 0; n < count; n += 1) await append(entry({ object: `account ${n}` }))
  }

  test('entries that are appended at once make one chain', async () => {
    await Promise.all(Array.from({ length: 30 }, () => append(entry())))
    assert.deepEqual(await log.verify(), { entries: 30 })
  })

  test('an entry that is told twice is there once', async () => {
    const one = entry()
    await append(one)
    await append(one)
    assert.deepEqual(await log.verify(), { entries: 1 })
    const [{ seq, hash, ...read } = { seq: 0, hash: '' }] = await log.list({ limit: 10 })
    assert.deepEqual([seq, read], [1, one])
  })

  for (const [what, sql] of [
    ['an edit of any field', "UPDATE audit_entries SET outcome = 'refused' WHERE seq = 3"],
    ['an entry that is gone', 'DELETE FROM audit_entries WHERE seq = 3'],
    ['an end that is gone', 'DELETE FROM audit_entries WHERE seq >= 3'],
  ] as const)
    test(`${what} shows`, async () => {
      await appendMany(5)
      await database.db.raw(sql)
      assert.equal((await log.verify()).brokenAt, 3)
    })

  test('it is read newest first, page by page, by actor, object and action', async () => {
    await appendMany(4)
    await append(entry({ actor: 'li', object: 'account 2' }))
    const seqs = async (query: Parameters<AuditLog['list']>[0]) =>
      (await log.list(query)).map(({ seq }) => seq)
    assert.deepEqual(await seqs({ limit: 2 }), [5, 4])
    assert.deepEqual(await seqs({ limit: 2, before: 4 }), [3, 2])
    assert.deepEqual(await seqs({ limit: 9, object: 'account 2' }), [5, 3])
    assert.deepEqual(await seqs({ limit: 9, actor: 'li', action: 'ban' }), [5])
  })
})
