import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeZones } from '@caravan/contracts/time-zones'
import fc from 'fast-check'
import { resolveWindow } from './window.ts'

test('local times become instants by the rules of their zone, on the day that they are of', () => {
  for (const [timeZone, local, utc] of [
    ['Europe/Berlin', '2026-01-15T18:00', '2026-01-15T17:00:00.000Z'],
    ['Europe/Berlin', '2026-07-15T18:00', '2026-07-15T16:00:00.000Z'],
    ['Asia/Kathmandu', '2026-01-15T18:00', '2026-01-15T12:15:00.000Z'],
    ['Pacific/Apia', '2026-01-15T00:00', '2026-01-14T11:00:00.000Z'],
    ['UTC', '2026-01-15T00:00', '2026-01-15T00:00:00.000Z'],
  ] as const)
    assert.deepEqual(resolveWindow({ timeZone, from: local }), { from: utc })
})

test('a time that clocks skip is as much later as they skip, at either end', () => {
  const skipped = { timeZone: 'Europe/Berlin', from: '2026-03-29T02:30', until: '2026-10-01T00:00' } as const
  assert.equal(resolveWindow(skipped).from, '2026-03-29T01:30:00.000Z')
  const day = { timeZone: 'Pacific/Apia', until: '2011-12-30T12:00' } as const
  assert.equal(resolveWindow(day).until, '2011-12-30T22:00:00.000Z')
})

test('a time that comes twice is the first', () => {
  const twice = { timeZone: 'America/New_York', from: '2026-11-01T01:30', until: '2026-11-01T02:00' } as const
  assert.deepEqual(resolveWindow(twice), {
    from: '2026-11-01T05:30:00.000Z',
    until: '2026-11-01T07:00:00.000Z',
  })
})

test('a window without any time is refused: its ends are alike, the wrong way round, or in a gap', () => {
  for (const [from, until] of [
    ['2026-01-15T18:00', '2026-01-15T18:00'],
    ['2026-01-15T18:01', '2026-01-15T18:00'],
    ['2026-03-29T02:30', '2026-03-29T03:15'],
  ] as const)
    assert.throws(() => resolveWindow({ timeZone: 'Europe/Berlin', from, until }), {
      code: 'promotions/empty-window',
      status: 422,
    })
})

test('there is always some window that begins and never ends, in any zone', () => {
  const moment = fc.date({ min: new Date('1990-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
  fc.assert(
    fc.property(fc.constantFrom(...timeZones), moment, (timeZone, at) => {
      const local = at.toISOString().slice(0, 16)
      const { from, until } = resolveWindow({ timeZone, from: local })
      assert.equal(until, undefined)
      // No zone is further from UTC than 15 hours; Apia skipped a whole day.
      assert.ok(Math.abs(Date.parse(from as string) - Date.parse(`${local}Z`)) <= 39 * 3_600_000)
    }),
  )
})
