import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from './ids.ts'
import { createTestDatabase } from './testing/test-database.ts'
import { trimOnce } from './trim.ts'

test('what is old goes; what was not sent, and what is younger, stays', async (t) => {
  const database = await createTestDatabase()
  t.after(() => database.drop())
  const { db } = database
  const ago = (minutes: number) => db.raw(`NOW(3) - INTERVAL ${minutes} MINUTE`)
  const event = (sent: boolean, minutes: number) => ({
    ...{ id: newId(), topic: 'thing.done', event_key: 'x', data: '{}', sent, created_at: ago(minutes) },
  })
  const young = [event(true, 9), event(false, 99)]
  await db('outbox').insert([...young, ...Array.from({ length: 4100 }, () => event(true, 11))])
  await db('inbox').insert(
    [9, 11].map((n) => ({ event_id: `e${n}`, topic: 'thing.done', handled_at: ago(n) })),
  )
  await db('idempotency_keys').insert(
    [9, 11, 21].map((n) => ({
      ...{ scope: 's', idempotency_key: `k${n}`, fingerprint: '', subject_id: newId() },
      ...{ claimed_until: ago(n), created_at: ago(n) },
    })),
  )
  await trimOnce(db, { EVENT_RETENTION_MINUTES: 10, IDEMPOTENCY_RETENTION_MINUTES: 20 })
  assert.deepEqual((await db('outbox').pluck('id')).toSorted(), young.map(({ id }) => id).toSorted())
  assert.deepEqual(await db('inbox').pluck('event_id'), ['e9'])
  assert.deepEqual((await db('idempotency_keys').pluck('idempotency_key')).toSorted(), ['k11', 'k9'])
})
