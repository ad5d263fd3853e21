import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heardNumber, numberLetters, orderNumber } from '@caravan/contracts/order-number'
import { newId } from '@caravan/service-kit/ids'
import fc from 'fast-check'
import { orderNumberOf } from './order-number.ts'

test('a number is its order’s, and looks like none of an order placed beside it', () => {
  const ids = Array.from({ length: 20_000 }, () => newId(1_700_000_000_000))
  const numbers = ids.map((id) => orderNumberOf(id))
  for (const number of numbers) orderNumber.parse(number)
  assert.ok(new Set(numbers).size >= ids.length - 2)
  assert.deepEqual(
    ids.map((id) => orderNumberOf(id)),
    numbers,
  )
  for (const place of [3, 4, 5, 6, 8, 9, 10, 11]) {
    const seen = Map.groupBy(numbers, (number) => number.charAt(place))
    assert.equal(seen.size, numberLetters.length)
    for (const [letter, some] of seen) assert.ok(some.length > 600, `${letter} at ${place}: ${some.length}`)
  }
})

test('each attempt gives another number', () => {
  const id = newId()
  const numbers = Array.from({ length: 100 }, (_, attempt) => orderNumberOf(id, attempt))
  assert.equal(new Set(numbers).size, 100)
})

test('a number is understood however it is written down', () => {
  const ways: ((number: string) => string)[] = [
    (number) => number,
    (number) => number.toLowerCase(),
    (number) => number.slice(3),
    (number) => number.replaceAll('-', ' '),
    (number) => ` ${number.replaceAll('-', '')} `,
    (number) => number.slice(3).replace('-', ''),
  ]
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...ways), (id, written) => {
      const number = orderNumberOf(id)
      assert.equal(heardNumber.parse(written(number)), number)
    }),
  )
  for (const wrong of ['', 'CV', 'CV-7K3M', 'CV-7K3M-94Q0', 'CV-7K3M-94QFF', 'CV-7K3M--94QF'])
    assert.ok(!heardNumber.safeParse(wrong).success, wrong)
})
