import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { decodeCursor, encodeCursor, toPage } from './cursor.ts'
import type { AppError } from './errors.ts'

test('a cursor comes back as it went, and fits a URL', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), (text, number) => {
      const cursor = encodeCursor([text, number])
      assert.match(cursor, /^[\w-]*$/)
      assert.deepEqual(decodeCursor('catalog', z.tuple([z.string(), z.int()]), cursor), [text, number])
    }),
  )
})

test('what is not a cursor is refused with a pointer', () => {
  for (const cursor of ['', 'zzz', encodeCursor(['2026']), encodeCursor([1, 2])]) {
    assert.throws(
      () => decodeCursor('catalog', z.tuple([z.iso.datetime()]), cursor),
      (error: AppError) => {
        assert.deepEqual([error.status, error.code], [422, 'catalog/invalid-request'])
        assert.deepEqual(error.details.errors, [{ pointer: 'query/after', detail: 'not a cursor' }])
        return true
      },
    )
  }
})

test('pages of any size show every row once, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat()), fc.integer({ min: 1, max: 7 }), (numbers, limit) => {
      const all = numbers.sort((a, b) => a - b)
      const seen: number[] = []
      for (let after = -1, more = true; more; ) {
        const rows = all.filter((each) => each > after).slice(0, limit + 1)
        const page = toPage(
          rows,
          limit,
          (row) => row,
          (row) => [row],
        )
        seen.push(...page.data)
        more = page.hasMore
        assert.equal(page.next !== undefined, more)
        if (page.next) [after] = decodeCursor('catalog', z.tuple([z.int()]), page.next)
      }
      assert.deepEqual(seen, all)
    }),
  )
})
