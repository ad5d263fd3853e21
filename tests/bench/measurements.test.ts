import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { closedLoop, cpuOfEndedChildren, measure } from './measure.ts'
import { figure, putBetweenMarkers, renderRun, showSpread } from './measurements.ts'
import { alternate, type Sample } from './rounds.ts'
import { quantile, ratios, spread } from './statistics.ts'

test('median, least and most; of an even count the median lies between both middle ones', () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 })
  assert.deepEqual(spread([4, 1, 2, 9]), { median: 3, min: 1, max: 9 })
  assert.throws(() => spread([]))
  assert.throws(() => spread([1, Number.NaN]))
})

test('a quantile is the value that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
  assert.deepEqual([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile([7], 0.99)], [50, 99, 7])
})

test('ratios are taken within each round, so that a slow round is no difference', () => {
  assert.deepEqual(ratios([10, 1, 100], [20, 2, 200]), { median: 0.5, min: 0.5, max: 0.5 })
  assert.throws(() => ratios([1], [1, 2]))
})

test('figures are short, and a range is left out where it says nothing', () => {
  assert.deepEqual([28_612.4, 99.96, 0.012345, 0].map(figure), ['28,612', '100', '0.0123', '0'])
  assert.equal(showSpread({ median: 2, min: 1, max: 3 }), '2 [1–3]')
  assert.equal(showSpread({ median: 2, min: 2.0001, max: 2.0002 }), '2')
})

const sample = (rate: number): Sample => ({
  rate,
  p50: 1,
  p99: 2,
  cpu: { client: 1, app: 3 },
  more: { SQL: 4 },
})

test('the tables have each leg with its ratio to the base, and the CPU by process', () => {
  const text = renderRun(
    { at: '2026-11-21T10:00:00.000Z', commit: 'abc', machine: 'one core', rounds: 2, minutes: 3 },
    [
      {
        ...{ letter: 'x', title: 'Title', about: 'About.', base: 'slow', legMs: 3000 },
        samples: new Map([
          ['slow', [sample(10), sample(20)]],
          ['fast', [sample(30), sample(80)]],
        ]),
      },
    ],
  )
  assert.match(text, /^Measured 2026-11-21 at commit abc, in 3 minutes, on one core\.$/m)
  assert.match(text, /^\| slow \| 15 \[10–20\] \| 1 \| 1 \| 2 \| 4 \| 4 \|$/m)
  assert.match(text, /^\| fast \| 55 \[30–80\] \| 3\.5 \[3–4\] \| 1 \| 2 \| 4 \| 4 \|$/m)
  assert.match(text, /^\| app \| 3 \| 3 \|\n\| client \| 1 \| 1 \|$/m)
})

test('only what stands between the markers is replaced', () => {
  const text = 'a\n<!-- npm run bench writes from here -->\nold\n<!-- to here -->\nb\n'
  const written = putBetweenMarkers(text, 'new')
  assert.equal(written, text.replace('old', 'new'))
  assert.equal(putBetweenMarkers(written, 'new'), written)
  assert.throws(() => putBetweenMarkers('a', 'new'))
})

test('legs take turns, each after a warm-up that does not count', async () => {
  const ran: string[] = []
  const leg = (name: string) => ({
    name,
    run: async (ms: number) => {
      ran.push(`${name}${ms}`)
      return sample(ms)
    },
  })
  const samples = await alternate({ legs: [leg('a'), leg('b')], legMs: 9, warmUpMs: 1 }, 2, () => {})
  assert.equal(ran.join(' '), 'a1 a9 b1 b9 a1 a9 b1 b9')
  assert.deepEqual(samples.get('a'), [sample(9), sample(9)])
})

test('a failure ends a leg and is thrown, and so is a leg that did nothing', async () => {
  let asked = 0
  const fails = closedLoop(4, 60_000, async () => {
    asked += 1
    if (asked === 10) throw new Error('no')
  })
  await assert.rejects(fails, /no/)
  await assert.rejects(
    measure([], async () => ({ operations: 0, seconds: 1, latencies: [] })),
    /without a single operation/,
  )
})

test('CPU is that of the operations, by this process’s own count and by the kernel’s', async () => {
  const watched = [['client', 0] as const, ['same', process.pid] as const]
  const burn = () => {
    const begin = process.cpuUsage()
    for (
      let used = process.cpuUsage(begin);
      used.user + used.system < 20_000;
      used = process.cpuUsage(begin)
    );
  }
  const { cpu } = await measure(watched, () => closedLoop(1, 1000, async () => burn()))
  for (const ms of Object.values(cpu)) assert.ok(ms > 15 && ms < 40, `${ms} ms`)
})

test('the CPU of children that have ended is theirs and that of their children', () => {
  const burn = 'while (process.cpuUsage().user < 300_000);'
  const before = cpuOfEndedChildren()
  execFileSync('sh', ['-c', `"${process.execPath}" --eval '${burn}'; true`])
  const ms = cpuOfEndedChildren() - before
  assert.ok(ms >= 290 && ms < 5000, `${ms} ms`)
})
