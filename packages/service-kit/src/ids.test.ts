import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newId } from './ids.ts'

const milliseconds = fc.integer({ min: 0, max: 2 ** 48 - 1 })

test('every id is a UUID of version 7 and the RFC’s variant, with its millisecond in front', () => {
  fc.assert(
    fc.property(milliseconds, (now) => {
      const id = newId(now)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), now)
    }),
    { numRuns: 1000 },
  )
})

test('an id of a later millisecond sorts behind every one of an earlier', () => {
  fc.assert(
    fc.property(milliseconds, milliseconds, (a, b) => {
      fc.pre(a < b)
      assert.ok(newId(a) < newId(b))
    }),
  )
})

test('ids of one millisecond do not repeat, and each of their random bits is used', () => {
  const ids = Array.from({ length: 50_000 }, () => newId(1_700_000_000_000).replaceAll('-', ''))
  assert.equal(new Set(ids).size, ids.length)
  const bits = ids.map((id) => BigInt(`0x${id}`))
  const changing = (bits[0] ?? 0n) ^ bits.reduce((a, b) => a & b)
  const set = bits.reduce((a, b) => a | b)
  const everOneAndEverZero = (changing | (set ^ (bits[0] ?? 0n))).toString(2).replaceAll('0', '').length
  assert.equal(everOneAndEverZero, 74)
})

test('without a time an id has the present one', () => {
  const before = Date.now()
  const time = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16)
  assert.ok(time >= before && time <= Date.now())
})
