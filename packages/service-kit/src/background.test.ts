import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyAsLeader } from './background.ts'
import { eventually } from './testing/eventually.ts'

const log = { warn: (fields: object) => assert.fail(JSON.stringify(fields)) } as never

/** A lock store that writes down who asked for what, and whose leases end when they are told to. */
const openLocks = () => {
  let holder: string | undefined
  const asked: string[] = []
  return {
    asked,
    /** Another replica gets it, the leases of all others being over. */
    take: () => {
      holder = 'another'
    },
    sidecar: {
      lock: {
        acquire: async (_: string, resource: string, owner: string) => {
          asked.push(`acquire ${resource}`)
          if (holder) return false
          holder = owner
          return true
        },
        release: async (_: string, resource: string, owner: string) => {
          asked.push(`release ${resource}`)
          if (holder === owner) holder = undefined
        },
      },
    } as never,
  }
}

test('a leader works round after round by one lock, others do nothing, and one follows when it stops', async (t) => {
  const { asked, sidecar } = openLocks()
  const rounds = [0, 0]
  const start = (index: 0 | 1) => {
    const stop = everyAsLeader(1, 'sweep', { sidecar, log, leaseSeconds: 3600 }, async () => {
      rounds[index] = (rounds[index] ?? 0) + 1
    }).start()
    t.after(stop)
    return stop
  }
  const stopFirst = start(0)
  await eventually('the first works', () => (rounds[0] ?? 0) >= 5)
  assert.deepEqual(asked, ['acquire sweep'])
  start(1)
  await eventually('the second has asked', () => asked.length >= 5)
  assert.equal(rounds[1], 0)
  await stopFirst()
  await eventually('the second works', () => (rounds[1] ?? 0) >= 5)
})

test('when its lease is over a leader asks anew, and whoever does not get the lock stops working', async (t) => {
  const { asked, sidecar, take } = openLocks()
  let rounds = 0
  t.after(
    everyAsLeader(1, 'sweep', { sidecar, log, leaseSeconds: 0.01 }, async () => {
      rounds += 1
    }).start(),
  )
  await eventually('it got it again', () => asked.filter((what) => what === 'acquire sweep').length >= 3)
  take()
  await eventually('it was refused', () => asked.slice(-2).every((what) => what === 'acquire sweep'))
  const [known, since] = [rounds, asked.length]
  await eventually('it asks on', () => asked.length > since + 5)
  assert.equal(rounds, known)
})
