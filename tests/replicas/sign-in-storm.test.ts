import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { newId } from '@caravan/service-kit/ids'
import { newAddress } from '../support/door.ts'
import { shop } from '../support/stack.ts'

/** 1,000, at 1,000 a minute where the machine is quick enough. */
const guessCount = 1000
const everyMs = 60
const attackers = 10
/** Guesses of one attacker under way at once. */
const atOnce = 4

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** Work that begins whatever the earlier does; `settled` waits for all of it and throws what any threw. */
const openFlights = () => {
  const flights: Promise<unknown>[] = []
  let under = 0
  return {
    under: () => under,
    begin: (work: Promise<unknown>): void => {
      under += 1
      const flight = work.finally(() => {
        under -= 1
      })
      flight.catch(() => {}) // Told by `settled`.
      flights.push(flight)
    },
    settled: async (): Promise<void> => void (await Promise.all(flights)),
  }
}

/**
 * Pages, one every five milliseconds whatever the one before does, until `end` says so; fewer where a hundred are under way.
 * Gives the p99 in milliseconds.
 */
const browse = async (end: () => boolean): Promise<number> => {
  const latencies: number[] = []
  const pages = openFlights()
  const read = async (asked: number) => {
    assert.equal((await shop.door('GET', '/v1/products?limit=3')).status, 200)
    latencies.push(performance.now() - asked)
  }
  for (let due = performance.now(); !end(); due += 5) {
    await pause(Math.max(0, due - performance.now()))
    if (pages.under() < 100) pages.begin(read(due))
  }
  await pages.settled()
  return percentile(
    latencies.sort((a, b) => a - b),
    0.99,
  )
}

test('a thousand wrong passwords: each address is let to guess ten times, and the owner signs in from elsewhere', async () => {
  await shop.newLines([1])
  const { email, password } = await shop.newShopper()
  const calmEnds = Date.now() + 20_000
  const calm = await browse(() => Date.now() > calmEnds)

  const guessed = new Map<number, number>()
  let [owner, over] = [0, false]
  const guessers = Array.from({ length: attackers }, () => ({
    address: newAddress(),
    guesses: openFlights(),
  }))
  const guess = async (address: string): Promise<void> => {
    const headers = { 'x-forwarded-for': address }
    const { status } = await shop.door('POST', '/v1/sessions', {
      body: { email, password: newId() },
      headers,
    })
    guessed.set(status, (guessed.get(status) ?? 0) + 1)
  }
  const storm = async () => {
    for (let n = 0; n < guessCount; n += 1) {
      const { address, guesses } = guessers[n % attackers] ?? assert.fail()
      while (guesses.under() >= atOnce) await pause(5)
      guesses.begin(guess(address))
      if (n % 100 === 50) {
        const own = { body: { email, password }, headers: { 'x-forwarded-for': newAddress() } }
        assert.equal((await shop.persistently(() => shop.door('POST', '/v1/sessions', own))).status, 201)
        owner += 1
      }
      await pause(everyMs)
    }
    await Promise.all(guessers.map(({ guesses }) => guesses.settled()))
  }
  const [stormy] = await Promise.all([
    browse(() => over),
    storm().finally(() => {
      over = true
    }),
  ])
  const told = JSON.stringify(Object.fromEntries(guessed))
  console.log(`browsing p99 ${calm.toFixed(1)} ms in calm, ${stormy.toFixed(1)} ms in the storm: ${told}`)
  assert.equal(owner, guessCount / 100)
  // Not in time, on a slow machine, is no answer to a guess.
  assert.deepEqual([...guessed.keys()].filter((status) => status !== 503).sort(), [401, 429])
  // Those under way when the tenth failure came may have been checked, too.
  assert.ok((guessed.get(401) ?? 0) <= attackers * (10 + atOnce), told)
})
