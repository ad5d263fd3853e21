import { setTimeout as pause } from 'node:timers/promises'
import { tellRedis } from '../support/tell-redis.ts'
import { apps, type Drill } from './field.ts'

/** Kills these processes in turns. */
const killing = (names: readonly string[], name: string, what: string, rounds: number): Drill => ({
  ...{ name, what, rounds },
  run: async ({ random, rounds: times, kill, recovered }) => {
    for (let round = 0; round < times; round++) {
      await pause(random.below(1500))
      await kill([names[round % names.length] ?? ''])
      await recovered()
    }
    return undefined
  },
})

export const mysql = killing(['mysql'], 'mysql', 'kill -9 of MySQL, which is started again', 8)

export const redis = killing(['redis'], 'redis', 'kill -9 of Redis, which is started again', 8)

export const controlPlane = killing(
  ['placement', 'scheduler'],
  'placement-scheduler',
  'kill -9 of Dapr’s placement and scheduler in turns',
  8,
)

/** What the audit cannot find any more when Redis has lost its data. */
export const lostWithRedis: Readonly<Record<string, string>> = {
  'carts: every paid order was taken off': 'carts live in Redis and are lost with it',
  ...Object.fromEntries(
    apps.map((app) => [
      `${app}: every event meant for it was handled`,
      'a lost event is made up for by a call, which tells the fact and not the event',
    ]),
  ),
}

export const flushed: Drill = {
  name: 'redis-flushed',
  what: 'all that Redis holds deleted at once: carts, locks and every event that is under way',
  rounds: 10,
  run: async ({ stack, random, rounds, strike, recovered }) => {
    for (let round = 0; round < rounds; round++) {
      await pause(random.below(2000))
      await strike('FLUSHALL', () => tellRedis(stack, 'FLUSHALL'))
      await recovered()
    }
    return undefined
  },
  excused: lostWithRedis,
}
