import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { csvRecord } from './csv.ts'

test('what goes in comes out, whatever it is, but for the mark before a formula', () => {
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('a,b', '"', '\r\n', ''),
  )
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 5 }), (values) => {
      const [read] = parse(csvRecord(values), { relax_column_count: true })
      assert.deepEqual(
        read,
        values.map((each) => (/^[=+\-@\t\r]/.test(each) ? `'${each}` : each)),
      )
    }),
  )
})

test('numbers stay numbers, also below 0; what is not there is empty', () => {
  assert.equal(csvRecord(['A-1', -250, true, undefined, null]), 'A-1,-250,true,,\r\n')
})
