import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { events, operations } from './all.ts'

test('every event’s example parses to itself, so a producer can be held to it', () => {
  assert.ok(events.length > 0)
  for (const event of events) {
    const parsed = event.data.safeParse(event.example)
    assert.ok(parsed.success, `${event.topic}: ${parsed.error}`)
    assert.deepEqual(parsed.data, event.example, event.topic)
  }
})

test('a consumer takes an event with a field that it does not know', () => {
  for (const event of events) {
    const parsed = event.data.safeParse({ ...(event.example as object), addedLater: true })
    assert.ok(parsed.success, `${event.topic}: ${parsed.error}`)
  }
})

test('topics are unique past facts of a known app', () => {
  assert.equal(new Set(events.map(({ topic }) => topic)).size, events.length)
  const apps = new Set(operations.map(({ app }) => app))
  for (const { topic, publisher } of events) {
    assert.match(topic, /^[a-z]+\.[a-z]+(-[a-z]+)*(\.v[2-9])?$/)
    assert.ok(apps.has(publisher), publisher)
  }
})

test('a key fits the outbox’s column', () => {
  for (const event of events) assert.match(event.key(event.example), /^[\x21-\x7e]{1,100}$/)
})

test('every event’s data has a JSON Schema of an object', () => {
  for (const event of events) assert.equal(z.toJSONSchema(event.data, { io: 'input' }).type, 'object')
})
