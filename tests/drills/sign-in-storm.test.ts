import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { newId } from '@caravan/service-kit/ids'
import { eraseStack } from '../../tools/launcher/erase-stack.ts'
import { type Stack, startStack } from '../../tools/launcher/stack.ts'
import { newAddress } from '../support/door.ts'
import { type Shop, shopOf } from '../support/shop.ts'

/** 1,000 a minute. */
const everyMs = 60
const stormMs = 60_000
const attackers = 10
let stack: Stack
let shop: Shop

before(async () => {
  await eraseStack('storm')
  stack = await startStack({
    ...{ profile: 'storm', ports: 'free' },
    env: { gateway: { TRUSTED_PROXIES: '127.0.0.0/8' } },
  })
  shop = shopOf(stack)
})
after(() => stack?.stop())

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** Pages, one every five milliseconds whatever the one before does, until `end` says so. Gives the p99 in milliseconds. */
const browse = async (end: () => boolean): Promise<number> => {
  const latencies: number[] = []
  const pages: Promise<void>[] = []
  for (let due = performance.now(); !end(); due += 5) {
    await pause(Math.max(0, due - performance.now()))
    const asked = due
    pages.push(
      shop.door('GET', '/v1/products?limit=3').then(({ status }) => {
        assert.equal(status, 200)
        latencies.push(performance.now() - asked)
      }),
    )
  }
  await Promise.all(pages)
  return percentile(
    latencies.sort((a, b) => a - b),
    0.99,
  )
}

test('1,000 wrong passwords a minute: each address is let to guess ten times, and the owner signs in from elsewhere', async () => {
  await shop.newLines([1])
  const { email, password } = await shop.newShopper()
  const timer = (ms: number) => {
    const end = Date.now() + ms
    return () => Date.now() > end
  }
  const calm = await browse(timer(20_000))

  const addresses = Array.from({ length: attackers }, newAddress)
  const guessed = new Map<number, number>()
  const guesses: Promise<void>[] = []
  let owner = 0
  const over = timer(stormMs)
  const storm = async () => {
    for (let n = 0; !over(); n += 1) {
      const headers = { 'x-forwarded-for': String(addresses[n % attackers]) }
      guesses.push(
        shop
          .door('POST', '/v1/sessions', { body: { email, password: newId() }, headers })
          .then(({ status }) => {
            guessed.set(status, (guessed.get(status) ?? 0) + 1)
          }),
      )
      if (n % 100 === 50) {
        const own = { body: { email, password }, headers: { 'x-forwarded-for': newAddress() } }
        assert.equal((await shop.door('POST', '/v1/sessions', own)).status, 201)
        owner += 1
      }
      await pause(everyMs)
    }
    await Promise.all(guesses)
  }
  const [stormy] = await Promise.all([browse(over), storm()])
  console.log(
    `browsing p99 ${calm.toFixed(1)} ms in calm, ${stormy.toFixed(1)} ms in the storm of ${guesses.length}: ${JSON.stringify(Object.fromEntries(guessed))}`,
  )
  assert.ok(guesses.length > 700 && owner > 5)
  assert.deepEqual([...guessed.keys()].sort(), [401, 429])
  // Those under way when the tenth failure came may have been checked, too.
  assert.ok((guessed.get(401) ?? 0) <= attackers * 14, JSON.stringify(Object.fromEntries(guessed)))
})
