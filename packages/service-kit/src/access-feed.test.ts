import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { createAccessFeed } from './access-feed.ts'
import { createAccessState } from './access-state.ts'
import { createLog } from './log.ts'
import { eventually } from './testing/eventually.ts'

const log = createLog('test', 'silent')

describe('the feed of access changes', () => {
  let stop: (() => Promise<void>) | undefined
  afterEach(async () => {
    await stop?.()
    stop = undefined
  })

  /** Identity, at a version, with a gate that answers wait at. */
  const open = (pollMs: number) => {
    const state = createAccessState()
    const identity = { version: 1, away: false, asked: 0, gate: Promise.resolve() }
    const feed = createAccessFeed({
      ...{ state, log, pollMs },
      read: async () => {
        identity.asked += 1
        const { version } = identity
        await identity.gate
        if (identity.away) throw new Error('away')
        return { version, entries: [], hasMore: false }
      },
    })
    stop = feed.start()
    return { state, identity, feed }
  }
  const never = 600_000

  test('reads at its start, and when an event tells of a newer version', async () => {
    const { state, identity, feed } = open(never)
    await feed.ready(never)
    assert.equal(state.version(), 1)
    identity.version = 2
    feed.hint(2)
    await eventually('it has the version', () => state.version() === 2)
  })

  test('who waits for what is committed by now waits for a read that begins after that', async () => {
    const { state, identity, feed } = open(never)
    const { promise: gate, resolve: answer } = Promise.withResolvers<void>()
    identity.gate = gate
    // The first read has asked already, and will answer with the old version.
    await eventually('it asks', () => identity.asked === 1)
    identity.version = 2
    const waits = [feed.caughtUp(never), feed.caughtUp(never)]
    answer()
    await Promise.all(waits)
    assert.equal(state.version(), 2)
    assert.equal(identity.asked, 2)
  })

  test('who waits does so for as long as it said while identity is away', async () => {
    const { identity, feed } = open(never)
    await feed.ready(never)
    identity.away = true
    await feed.caughtUp(20)
    identity.away = false
    identity.version = 3
    await feed.caughtUp(never)
  })

  test('an event of a version that it has costs no read', async () => {
    const { identity, feed } = open(never)
    await feed.ready(never)
    feed.hint(1)
    feed.hint(0)
    // Whatever they set off has begun by then.
    await new Promise(setImmediate)
    assert.equal(identity.asked, 1)
  })

  test('events while it reads are one more read, however many', async () => {
    const { state, identity, feed } = open(never)
    await feed.ready(never)
    let release = (): void => undefined
    identity.gate = new Promise((resolve) => {
      release = resolve
    })
    identity.version = 2
    feed.hint(2)
    await eventually('it reads', () => identity.asked === 2)
    identity.version = 9
    for (let version = 3; version <= 9; version += 1) feed.hint(version)
    release()
    await eventually('it has the last version', () => state.version() === 9)
    assert.equal(identity.asked, 3)
  })

  test('without events it reads by itself', async () => {
    const { state, identity, feed } = open(20)
    await feed.ready(never)
    identity.version = 5
    await eventually('it has the version', () => state.version() === 5)
  })

  test('it asks until it is answered', async () => {
    const { state, identity, feed } = open(never)
    identity.away = true
    await feed.ready(50)
    assert.equal(state.loaded(), false)
    identity.away = false
    await feed.ready(never)
    identity.away = true
    identity.version = 3
    feed.hint(3)
    await eventually('it asked in vain', () => identity.asked >= 3)
    identity.away = false
    await eventually('it has the version', () => state.version() === 3)
  })
})
