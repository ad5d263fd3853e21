import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newId, newIdBeside, slotOf, slots } from './ids.ts'
import { shardOf } from './shards.ts'

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

test('an id beside another is a new one that ends alike, and so is in its slot', () => {
  fc.assert(
    fc.property(milliseconds, (now) => {
      const [other, beside] = [newId(now), newIdBeside(newId(now))]
      assert.match(beside, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(slotOf(newIdBeside(other)), slotOf(other))
      assert.equal(slotOf(newIdBeside(other.toUpperCase())), slotOf(other))
      assert.notEqual(newIdBeside(other), other)
    }),
  )
  assert.equal(slotOf('anonymous'), undefined)
  assert.equal(newIdBeside('anonymous').length, 36)
})

test('ids fall into all slots alike, and each of several has its equal share of them', () => {
  const counts = new Map<number | undefined, number>()
  for (let n = 0; n < 200_000; n += 1) {
    const slot = slotOf(newId())
    counts.set(slot, (counts.get(slot) ?? 0) + 1)
  }
  assert.equal(counts.size, slots)
  const all = ['a', 'b', 'c', 'd'] as const
  const ends = (slot: number) => `-${slot.toString(16).padStart(3, '0')}`
  const shares = Map.groupBy(
    Array.from({ length: slots }, (_, slot) => slot),
    (slot) => shardOf(all, ends(slot)),
  )
  assert.deepEqual(
    [...shares.values()].map(({ length }) => length),
    [1024, 1024, 1024, 1024],
  )
  for (let slot = 0; slot < slots; slot += 1)
    assert.equal(
      all.indexOf(shardOf(all, ends(slot))) >> 1,
      [0, 1].indexOf(shardOf([0, 1] as const, ends(slot))),
    )
})
