import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { openClient } from './client.ts'
import { drive, gaps } from './drive.ts'
import { openLatencies } from './latencies.ts'
import { openRandom, zipf } from './random.ts'

/** A clock that begins when it is first asked, so that a load is as long as it is to be however late it begins. */
const stopwatch = () => {
  let begun: number | undefined
  const start = () => {
    begun ??= performance.now()
    return begun
  }
  return { start, endsAfter: (ms: number) => () => start() + ms }
}

const arrivalsOf = (seed: number, arrivals: 'poisson' | 'fixed', n: number) => {
  const gap = gaps({ kind: 'open', perSecond: 100, arrivals }, openRandom(seed))
  return Array.from({ length: n }, gap)
}

test('a seed fixes the arrivals, and another seed gives others', () => {
  assert.deepEqual(arrivalsOf(1, 'poisson', 100), arrivalsOf(1, 'poisson', 100))
  assert.notDeepEqual(arrivalsOf(1, 'poisson', 100), arrivalsOf(2, 'poisson', 100))
})

test('Poisson arrivals come at the rate, with gaps as far apart as their mean; fixed ones evenly', () => {
  const poisson = arrivalsOf(7, 'poisson', 100_000)
  const mean = poisson.reduce((sum, gap) => sum + gap, 0) / poisson.length
  const deviation = Math.sqrt(poisson.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / poisson.length)
  assert.ok(Math.abs(mean - 10) < 0.2, `mean ${mean}`)
  assert.ok(Math.abs(deviation - 10) < 0.3, `deviation ${deviation}`)
  assert.deepEqual(new Set(arrivalsOf(7, 'fixed', 10)), new Set([10]))
})

test('an open loop comes up to its rate evenly', async () => {
  const clock = stopwatch()
  const starts: number[] = []
  await drive({
    mode: { kind: 'open', perSecond: 1000, arrivals: 'fixed' },
    ...{ rampMs: 200, endsAt: clock.endsAfter(400), random: openRandom(1) },
    run: async (_, intendedAt) => void starts.push(intendedAt - clock.start()),
    refused: () => assert.fail('no cap is reached'),
  })
  const within = (from: number, to: number) => starts.filter((at) => at >= from && at < to).length
  assert.ok(Math.abs(within(0, 200) - 100) < 20, `${within(0, 200)} while it comes up`)
  assert.ok(within(0, 100) * 2 < within(100, 200), `${within(0, 100)}, then ${within(100, 200)}`)
  assert.ok(Math.abs(within(200, 400) - 200) < 5, `${within(200, 400)} after`)
})

test('Zipf chooses rank r in proportion to 1/(r+1)^s, and uniformly for s = 0', () => {
  const shares = (exponent: number) => {
    const counts = [0, 0, 0, 0]
    const [choose, random] = [zipf(4, exponent), openRandom(3)]
    for (let i = 0; i < 100_000; i++) {
      const rank = choose(random)
      counts[rank] = (counts[rank] ?? 0) + 1e-5
    }
    return counts
  }
  const close = (found: number[], wanted: number[]) =>
    wanted.forEach((share, rank) => {
      assert.ok(Math.abs((found[rank] ?? 0) - share) < 0.01, `rank ${rank}: ${found[rank]} for ${share}`)
    })
  close(shares(0), [0.25, 0.25, 0.25, 0.25])
  close(shares(1), [12 / 25, 6 / 25, 4 / 25, 3 / 25])
})

test('percentiles are those of what was recorded, to three figures', () => {
  const latencies = openLatencies()
  for (let ms = 1; ms <= 1000; ms++) latencies.record('step', ms)
  const { count, p50, p90, p99, max } = latencies.all().step ?? assert.fail()
  assert.equal(count, 1000)
  for (const [found, wanted] of [
    [p50, 500],
    [p90, 900],
    [p99, 990],
    [max, 1000],
  ] as const)
    assert.ok(Math.abs(found - wanted) <= wanted / 1000 + 1, `${found} for ${wanted}`)
})

test('an arrival that finds the cap reached is told, and no run is begun for it', async () => {
  let [runs, refused] = [0, 0]
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const driven = drive({
    mode: { kind: 'open', perSecond: 1000, arrivals: 'fixed', cap: 3 },
    endsAt: stopwatch().endsAfter(50),
    random: openRandom(1),
    run: () => {
      runs += 1
      return held
    },
    refused: () => {
      refused += 1
    },
  })
  await eventually('nearly all of the fifty have come', () => refused >= 45)
  // The last two.
  await pause(200)
  release()
  await driven
  assert.equal(runs, 3)
  assert.ok(refused >= 45, `${refused} refused`)
})

test('a generator that is late counts from when the run was to begin', async () => {
  const clock = stopwatch()
  const delays: number[] = []
  await drive({
    mode: { kind: 'open', perSecond: 1000, arrivals: 'fixed' },
    endsAt: clock.endsAfter(150),
    random: openRandom(1),
    run: async (index, intendedAt) => {
      delays.push(performance.now() - intendedAt)
      while (index === 0 && performance.now() < clock.start() + 100);
    },
    refused: () => assert.fail('no cap is reached'),
  })
  assert.ok((delays[1] ?? 0) > 90, `${delays[1]} ms`)
  assert.ok(delays.length >= 145, `${delays.length} runs: none is left out for being late`)
})

/**
 * A server that stalls for a second, once: of 2 s at 200 a second, half of the arrivals meet the stall. A closed loop of
 * one client, and times counted from when a request was sent, see one slow request among hundreds.
 */
test('a stall of one second is in the p99 of an open loop, and a naive measure of it would miss it', async () => {
  const server = createServer((_, response) => {
    const now = performance.now()
    const wait = now > stall.from && now < stall.to ? stall.to - now : 0
    if (wait === 0) response.end('ok')
    else setTimeout(() => response.end('ok'), wait)
  })
  const stall = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const client = openClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const measure = async (mode: Parameters<typeof drive>[0]['mode']) => {
    const latencies = openLatencies()
    const begun = performance.now()
    Object.assign(stall, { from: begun + 500, to: begun + 1500 })
    await drive({
      mode,
      endsAt: () => begun + 2000,
      random: openRandom(1),
      run: async (_, intendedAt) => {
        await turn.next(async () => {
          const sentAt = performance.now()
          await client.send({ method: 'GET', path: '/' })
          latencies.record('naive', performance.now() - sentAt)
        })
        latencies.record('from the intended start', performance.now() - intendedAt)
      },
      refused: () => assert.fail('no cap is reached'),
    })
    return latencies.all()
  }
  // One at a time, as by a measuring client with one connection.
  const turn = {
    last: Promise.resolve(),
    next(work: () => Promise<void>): Promise<void> {
      turn.last = turn.last.then(work)
      return turn.last
    },
  }
  try {
    const open = await measure({ kind: 'open', perSecond: 200, arrivals: 'poisson' })
    const closed = await measure({ kind: 'closed', concurrency: 1 })
    const honest = open['from the intended start'] ?? assert.fail()
    const naive = open.naive ?? assert.fail()
    assert.ok(honest.p99 > 900, `open loop, from the intended start: ${honest.p99} ms`)
    assert.ok(naive.p99 < honest.p99 / 3 && naive.max > 900, `open loop, from the sending: ${naive.p99} ms`)
    assert.ok(
      (closed['from the intended start']?.p99 ?? 1e9) < honest.p99 / 3,
      'a closed loop waits with the server',
    )
  } finally {
    await client.close()
    server.close()
  }
})
